"""What a completion of a goal is worth, in integers that add up exactly."""

from decimal import Decimal

import polars as pl

from microfunnel.events import field_column
from microfunnel.goals import Goal

MICROS = 1_000_000
"""Money is added in millionths of its unit, as integers."""


def amount_expr(goal: Goal) -> pl.Expr:
    """The value of a completion (Int128, millionths); null where its column holds no number, 0 without a value."""
    if goal.value_column is not None:
        money = pl.col(field_column(goal.value_column)).str.strip_chars().cast(pl.Decimal(38, 6), strict=False)
        return (money * MICROS).cast(pl.Int128)
    return pl.lit(int(goal.value * MICROS) if isinstance(goal.value, Decimal) else 0, dtype=pl.Int128)

"""Every goal by itself: how often and by how many users it was completed, and what that is worth."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.events import USER, field_column
from microfunnel.goals import Goal
from microfunnel.matching import goal_column

MICROS = 1_000_000
"""Money is added in millionths of its unit, as integers."""


def tally_goals(rows: pl.DataFrame, goals: Mapping[str, Goal], limits: Limits) -> pl.DataFrame:
    """One row for each goal: `goal` (its name), `completions`, `users`, `value` (Int128, millionths) and `unread`.

    `rows` holds whole users with the Boolean column of each goal true on its completions. Only completions in the
    period count. `unread` are the completions whose value is no number; all columns add up over sets of users.
    """
    inside = rows.filter(limits.entries) if limits.since is not None or limits.until is not None else rows
    return pl.concat(_tally(inside.filter(goal_column(name)), name, goal) for name, goal in goals.items())


def _tally(completions: pl.DataFrame, name: str, goal: Goal) -> pl.DataFrame:
    value, unread = pl.lit(0), pl.lit(0)
    if goal.value_column is not None:
        money = pl.col(field_column(goal.value_column)).str.strip_chars().cast(pl.Decimal(38, 6), strict=False)
        value, unread = (money * MICROS).cast(pl.Int128).sum(), money.is_null().sum()
    elif isinstance(goal.value, Decimal):
        value = pl.len().cast(pl.Int128) * int(goal.value * MICROS)
    return completions.select(
        pl.lit(name).alias("goal"),
        pl.len().cast(pl.Int64).alias("completions"),
        pl.col(USER).n_unique().cast(pl.Int64).alias("users"),
        value.cast(pl.Int128).alias("value"),
        unread.cast(pl.Int64).alias("unread"),
    )

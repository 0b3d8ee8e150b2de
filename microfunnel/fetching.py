"""Rows fetched from other places: many flags cost as much as one number, as they are fetched together."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

import polars as pl

TOGETHER = 16
"""So many flags are bits of one number."""


def fetch(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at these places (UInt32), in the order of the places; Boolean columns must hold no nulls."""
    flags = [name for name, dtype in rows.schema.items() if dtype == pl.Boolean]
    groups = {f"flags {first}": flags[first : first + TOGETHER] for first in range(0, len(flags), TOGETHER)}
    numbers = {number: _packed(group) for number, group in groups.items()}
    fetched = rows.select(pl.exclude(pl.Boolean), **numbers)[places]
    bits = {name: pl.col(number) & 2**bit for number, group in groups.items() for bit, name in enumerate(group)}
    return fetched.select((bits[name] != 0).alias(name) if name in bits else pl.col(name) for name in rows.columns)


def _packed(flags: Sequence[str]) -> pl.Expr:
    nothing = pl.lit(0, dtype=pl.UInt16)
    return reduce(
        or_, (pl.when(name).then(pl.lit(2**bit, dtype=pl.UInt16)).otherwise(nothing) for bit, name in enumerate(flags))
    )

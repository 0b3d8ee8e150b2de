"""The journey of each unit: its best attempt."""

from collections.abc import Sequence

import polars as pl

from microfunnel.counting.attempts import ENTERED, NOW, UNIT, at_column
from microfunnel.events import TIME

ENTRY = "entry"
FIRST = "first"
DEPTH = "depth"


def time_column(step: int) -> str:
    """The column with the time at which a journey took a step (0 for the first)."""
    return f"time_{step}"


def candidates(attempts: pl.DataFrame, rows: pl.DataFrame, steps: int) -> pl.DataFrame:
    """The attempts with `unit`, `entry` (UInt32, the row of the entry) and `first` and `depth` (Int64).

    The latter are the numbers of the first and of the last step that the attempt took, 1 for the funnel's first.
    """
    ats = [at_column(index) for index in range(steps)]
    taken = [pl.when(pl.col(at).is_not_null()).then(step) for step, at in enumerate(ats, start=1)]
    entry = attempts.select(pl.coalesce(ats)).to_series()
    return attempts.with_columns(
        rows[UNIT].gather(entry),
        entry.alias(ENTRY),
        pl.coalesce(taken).cast(pl.Int64).alias(FIRST),
        pl.coalesce(taken[::-1]).cast(pl.Int64).alias(DEPTH),
    )


def best_attempts(
    attempts: pl.DataFrame, rows: pl.DataFrame, keys: Sequence[str], ranked: Sequence[str]
) -> pl.DataFrame:
    """The best attempt for each value of `keys`, with `time_0` .. (Int64, null where it did not get there).

    It is the deepest; of equals the one with the most steps, then the one that got there first, then the one that
    started last. Ways that differ in nothing but a tie are told apart by their times and then by the columns `ranked`.
    """
    rank = {DEPTH: True, FIRST: False, NOW: False, ENTERED: True}
    attempts = attempts.sort(*keys, *rank, descending=[*(False for _ in keys), *rank.values()])
    starts = pl.any_horizontal(_changes(name) for name in keys)
    run = pl.any_horizontal(_changes(name) for name in (*keys, *rank)).cum_sum()
    attempts = with_times(attempts.filter(run == pl.when(starts).then(run).forward_fill()), rows)
    times = [name for name in attempts.columns if name.startswith("time_")]
    return attempts.sort(*keys, *times, *ranked).unique(keys, keep="first", maintain_order=True)


def _changes(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(name).shift())


def with_times(attempts: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The attempts with the time of each step."""
    ats = [name for name in attempts.columns if name.startswith("at_")]
    return attempts.with_columns(
        rows[TIME].gather(attempts[at]).alias(time_column(int(at.removeprefix("at_")))) for at in ats
    )

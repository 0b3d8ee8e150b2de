"""The journey of each unit: its best attempt."""

from collections.abc import Sequence

import polars as pl

from microfunnel.counting.attempts import UNIT, at_column
from microfunnel.counting.ties import INSTANT
from microfunnel.events import TIME

ENTRY = "entry"
FIRST = "first"
DEPTH = "depth"
NUMBER = "number"
RANK = "rank"


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
    started last. Ways that differ in nothing but a tie are told apart by their times and then by the columns `ranked`
    of the rows of their entries.
    """
    attempts = _numbered(attempts, keys)
    attempts = attempts.with_columns(_rank(attempts, rows))
    best = attempts.filter(pl.col(RANK) == pl.col(RANK).max().over(NUMBER)).drop(RANK)
    best = with_times(best, rows).with_columns(rows[name].gather(best[ENTRY]) for name in ranked)
    if (best[NUMBER] == best[NUMBER].shift()).any():
        times = [name for name in best.columns if name.startswith("time_")]
        best = best.sort(NUMBER, *times, *ranked).unique(NUMBER, keep="first", maintain_order=True)
    return best.drop(NUMBER)


def _numbered(attempts: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The attempts sorted by `keys`, with `number` (UInt32, sorted): which value of them it is."""
    if len(keys) > 1 or not attempts[keys[0]].is_sorted():
        attempts = attempts.sort(keys)
    changes = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in keys)
    return attempts.with_columns(changes.cum_sum().set_sorted().alias(NUMBER))


def _rank(attempts: pl.DataFrame, rows: pl.DataFrame) -> pl.Expr:
    """One number that is the highest for the best attempt of a unit.

    Within a unit the rows of instants are in the order of their times.
    """
    ats = [name for name in attempts.columns if name.startswith("at_")]
    last = attempts.select(pl.coalesce(ats[::-1])).to_series()
    most, room = len(ats) + 1, rows.height
    # Beyond 64 bits everything takes twice as long.
    dtype = pl.Int64 if most**2 * room**2 < 2**63 else pl.Int128
    ended, began = (rows[INSTANT].gather(each).cast(dtype) for each in (last, attempts[ENTRY]))
    rank = pl.col(DEPTH).cast(dtype) * most - pl.col(FIRST)
    return ((rank * room - ended) * room + began).alias(RANK)


def with_times(attempts: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The attempts with the time of each step."""
    ats = [name for name in attempts.columns if name.startswith("at_")]
    return attempts.with_columns(
        rows[TIME].gather(attempts[at]).alias(time_column(int(at.removeprefix("at_")))) for at in ats
    )

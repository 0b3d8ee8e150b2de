"""Small tables of integers that say all about a funnel, and add up over any split of the units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import time_column
from microfunnel.counting.journeys import CLOSES, DEPTH

ALL = ""
"""The name of the breakdown that splits nothing."""

COUNTS = {"by": pl.String, "segment": pl.String, "depth": pl.Int64, "open": pl.Boolean, "n": pl.Int64}
TIMES = {
    "by": pl.String,
    "segment": pl.String,
    "step": pl.Int64,
    "since": pl.String,
    "seconds": pl.Int64,
    "n": pl.Int64,
    "total_us": pl.Int128,
}
SUMS = ("n", "total_us", "completions", "users", "value", "unread")
"""The columns that add up; all others say what is counted in them."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """What some units did in a funnel; tallies of different units add up to the tallies of all.

    `counts`: units (`n`) by breakdown column (`by`), `segment`, `depth` (the last step reached, 1 for the first) and
    `open` (whether the window reaches past the end of the data; null without a window).
    `times`: units (`n`) that reached a `step` (0 for the first), by whole `seconds` since the step before
    (`since` = `previous`) or the entry (`first`), with the exact sum of microseconds (`total_us`).
    """

    counts: pl.DataFrame
    times: pl.DataFrame

    def __add__(self, other: "Tallies") -> "Tallies":
        return Tallies(add_up([self.counts, other.counts]), add_up([self.times, other.times]))


def tally(journeys: pl.DataFrame, by: Mapping[str, str], steps: int, data_end: int) -> Tallies:
    """The tallies of these journeys, whole and for each breakdown (its name to its column of `journeys`)."""
    open_ = (pl.col(CLOSES) > data_end).alias("open")
    journeys = journeys.with_columns(open_)
    splits = {ALL: pl.lit(ALL)} | {name: pl.col(column) for name, column in by.items()}
    counts = [
        journeys.group_by(pl.lit(name).alias("by"), segment.alias("segment"), DEPTH, "open").agg(pl.len().alias("n"))
        for name, segment in splits.items()
    ]
    times = [
        _histogram(journeys, name, segment, step, since)
        for name, segment in splits.items()
        for step in range(1, steps)
        for since in ("previous", "first")
    ]
    return Tallies(
        add_up(frame.select(pl.col(key).cast(dtype) for key, dtype in COUNTS.items()) for frame in counts),
        add_up([pl.DataFrame(schema=TIMES), *times]),
    )


def _histogram(journeys: pl.DataFrame, name: str, segment: pl.Expr, step: int, since: str) -> pl.DataFrame:
    start = time_column(step - 1 if since == "previous" else 0)
    took = pl.col(time_column(step)) - pl.col(start)
    reached = journeys.filter(pl.col(DEPTH) > step).select(segment.alias("segment"), took.alias("us"))
    grouped = reached.group_by("segment", (pl.col("us") // 1_000_000).alias("seconds")).agg(
        pl.len().alias("n"), pl.col("us").cast(pl.Int128).sum().alias("total_us")
    )
    named = grouped.with_columns(pl.lit(name).alias("by"), pl.lit(step).alias("step"), pl.lit(since).alias("since"))
    return named.select(pl.col(key).cast(dtype) for key, dtype in TIMES.items())


def add_up(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One table with a row for each different key: the integers of equal keys are added."""
    whole = pl.concat(frames)
    keys = [column for column in whole.columns if column not in SUMS]
    return whole.group_by(keys).agg(pl.col(column).sum() for column in SUMS if column in whole.columns).sort(keys)

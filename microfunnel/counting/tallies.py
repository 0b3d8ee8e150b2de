"""Small tables of integers that say all about a funnel, and add up over any split of the units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import ENTERED

ALL = ""
"""The name of the breakdown that splits nothing."""
TREND = "trend "
"""The name of the breakdown by periods of entry; no column is called so."""
OPEN = "open"

COUNTS = {
    "by": pl.String,
    "segment": pl.String,
    "first": pl.Int64,
    "depth": pl.Int64,
    "open": pl.Boolean,
    "stop": pl.UInt8,
    "n": pl.Int64,
}
OPTIONAL = {"by": pl.String, "segment": pl.String, "step": pl.Int64, "n": pl.Int64}
TIMES = {
    "by": pl.String,
    "segment": pl.String,
    "step": pl.Int64,
    "since": pl.String,
    "seconds": pl.Int64,
    "n": pl.Int64,
    "total_us": pl.Int128,
}
SUMS = ("n", "total_us", "completions", "users", "value", "unread", "credit", "touches", "on_path", "censored")
"""The columns that add up; all others say what is counted in them."""


def took_column(step: int) -> str:
    """The column with the time at which a journey took a step of the funnel (0 for the first)."""
    return f"took_{step}"


@dataclass(frozen=True, slots=True)
class Tallies:
    """What some units did in a funnel; tallies of different units add up to the tallies of all.

    `counts`: units (`n`) by breakdown (`by`), `segment`, `first` and `depth` (the first and the last required step
    taken, 1 for the funnel's first), `open` (whether the window reaches past the end of the data; null without a
    window) and `stop` (why they went no farther, an index of STOPS).
    `optional`: units (`n`) that took an optional `step` (0 for the funnel's first).
    `times`: units (`n`) that took a `step`, by whole `seconds` since the required step before (`since` = `previous`)
    or their entry (`first`), with the exact sum of microseconds (`total_us`).
    `left_out`: events that belong to no unit, because a part of it is missing.
    """

    counts: pl.DataFrame
    optional: pl.DataFrame
    times: pl.DataFrame
    left_out: int = 0

    @classmethod
    def added(cls, parts: Sequence["Tallies"]) -> "Tallies":
        """The tallies of all the units together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            add_up(part.counts for part in parts),
            add_up(part.optional for part in parts),
            add_up(part.times for part in parts),
            sum(part.left_out for part in parts),
        )


def tally(
    journeys: pl.DataFrame, required: Sequence[int], optional: Sequence[int], splits: Mapping[str, pl.Expr]
) -> Tallies:
    """The tallies of these journeys for each breakdown (its name to the segments of the journeys)."""
    counts, skipped, times = [], [], []
    for name, segment in splits.items():
        split = journeys.with_columns(pl.lit(name).alias("by"), segment.alias("segment"))
        keys = [key for key in COUNTS if key != "n"]
        counts.append(split.group_by(keys).agg(pl.len().alias("n")))
        for step in optional:
            took = split.filter(pl.col(took_column(step)).is_not_null()).with_columns(pl.lit(step).alias("step"))
            skipped.append(took.group_by("by", "segment", "step").agg(pl.len().alias("n")))
        for step in (*required[1:], *optional):
            before = max(each for each in required if each < step)
            times += [
                _histogram(split, step, "previous", pl.col(took_column(before))),
                _histogram(split, step, "first", pl.col(ENTERED)),
            ]
    return Tallies(_stacked(counts, COUNTS), _stacked(skipped, OPTIONAL), _stacked(times, TIMES))


def _histogram(journeys: pl.DataFrame, step: int, since: str, start: pl.Expr) -> pl.DataFrame:
    took = journeys.with_columns((pl.col(took_column(step)) - start).alias("us")).drop_nulls("us")
    whole = (pl.col("us") // 1_000_000).alias("seconds")
    return took.group_by("by", "segment", pl.lit(step).alias("step"), pl.lit(since).alias("since"), whole).agg(
        pl.len().alias("n"), pl.col("us").cast(pl.Int128).sum().alias("total_us")
    )


def _stacked(frames: Iterable[pl.DataFrame], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """One table of tables that have no keys in common."""
    shaped = (frame.select(pl.col(key).cast(dtype) for key, dtype in schema.items()) for frame in frames)
    return pl.concat([pl.DataFrame(schema=schema), *shaped])


def add_up(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One table with a row for each different key: the integers of equal keys are added."""
    whole = pl.concat(frames)
    keys = [column for column in whole.columns if column not in SUMS]
    added = whole.lazy().group_by(keys).agg(pl.col(column).sum() for column in whole.columns if column in SUMS)
    return added.collect(engine="streaming")

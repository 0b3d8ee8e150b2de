"""Small tables of integers that say all about a funnel, and add up over any split of the units."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl
from polars.datatypes import DataTypeClass

from microfunnel.counting.attempts import ENTERED

ALL = ""
"""The name of the breakdown that splits nothing."""
TREND = "trend "
"""The name of the breakdown by periods of entry; no column is called so."""
OPEN = "open"

# What comes again in many rows is grouped and added up as the numbers of a Categorical: text takes half as long again.
COUNTS = {
    "by": pl.Categorical,
    "segment": pl.Categorical,
    "first": pl.Int64,
    "depth": pl.Int64,
    "open": pl.Boolean,
    "stop": pl.UInt8,
    "n": pl.Int64,
}
OPTIONAL = {"by": pl.Categorical, "segment": pl.Categorical, "step": pl.Int64, "n": pl.Int64}
TIMES = {
    "by": pl.Categorical,
    "segment": pl.Categorical,
    "step": pl.Int64,
    "since": pl.Categorical,
    "seconds": pl.Int64,
    "n": pl.Int64,
    "total_us": pl.Int128,
}
VALUES = {"by": pl.Categorical, "segment": pl.Categorical, "step": pl.Int64, "value": pl.Int128}
SUMS = (
    *("n", "total_us", "completions", "users", "value", "unread"),
    *("converted", "early", "young", "done", "exposed", "followed"),
    *("credit", "touches", "on_path", "censored"),
)
"""The columns that add up; all others say what is counted in them."""


def took_column(step: int) -> str:
    """The column with the time at which a journey took a step of the funnel (0 for the first)."""
    return f"took_{step}"


def worth_column(step: int) -> str:
    """The column with the amount of the event with which a journey took a step of the funnel (0 for the first)."""
    return f"worth_{step}"


@dataclass(frozen=True, slots=True)
class Tallies:
    """What some units did in a funnel; tallies of different units add up to the tallies of all.

    `counts`: units (`n`) by breakdown (`by`), `segment`, `first` and `depth` (the first and the last required step
    taken, 1 for the funnel's first), `open` (whether the window reaches past the end of the data; null without a
    window) and `stop` (why they went no farther, an index of STOPS).
    `optional`: units (`n`) that took an optional `step` (0 for the funnel's first).
    `times`: units (`n`) that took a `step`, by whole `seconds` since the required step before (`since` = `previous`)
    or their entry (`first`), with the exact sum of microseconds (`total_us`).
    `values`: the sum of what the events are worth (`value`, millionths) that took a `step`.
    `left_out`: events that belong to no unit, because a part of it is missing.
    """

    counts: pl.DataFrame
    optional: pl.DataFrame
    times: pl.DataFrame
    values: pl.DataFrame
    left_out: int = 0
    valued: Mapping[int, str | None] = field(default_factory=dict)
    """The steps that have a value, and its currency where that is known."""
    whole: str = ALL
    """The breakdown whose segments hold each unit once, so that they add up to all units."""

    def each(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Tallies":
        """The tallies with all tables changed in the same way."""
        return replace(
            self,
            counts=change(self.counts),
            optional=change(self.optional),
            times=change(self.times),
            values=change(self.values),
        )

    @classmethod
    def added(cls, parts: Sequence["Tallies"]) -> "Tallies":
        """The tallies of all the units together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            add_up(part.counts for part in parts),
            add_up(part.optional for part in parts),
            add_up(part.times for part in parts),
            add_up(part.values for part in parts),
            sum(part.left_out for part in parts),
            parts[0].valued,
            parts[0].whole,
        )


def tally(
    journeys: pl.DataFrame,
    required: Sequence[int],
    optional: Sequence[int],
    valued: Iterable[int],
    splits: Mapping[str, pl.Expr],
) -> Tallies:
    """The tallies of these journeys for each breakdown (its name to the segments of the journeys)."""
    counts, skipped, times, values = [], [], [], []
    spans = _spans(required, optional)
    for name, segment in splits.items():
        # Grouping takes long for each key, longest for text; what is the same in all rows need not be one.
        split = journeys.with_columns(segment.cast(pl.Categorical).alias("segment"))
        by = pl.lit(name, dtype=pl.Categorical).alias("by")
        counts.append(split.group_by("segment", "first", "depth", "open", "stop").agg(by, pl.len().alias("n")))
        for step in optional:
            took = split.filter(pl.col(took_column(step)).is_not_null())
            skipped.append(took.group_by("segment").agg(by, pl.lit(step).alias("step"), pl.len().alias("n")))
        if spans:
            times.append(_histograms(split, spans).with_columns(by))
        for step in valued:
            worth = pl.col(worth_column(step)).sum().alias("value")
            paid = split.drop_nulls(worth_column(step))
            values.append(paid.group_by("segment").agg(by, pl.lit(step).alias("step"), worth))
    return Tallies(
        stacked(counts, COUNTS),
        stacked(skipped, OPTIONAL),
        stacked(times, TIMES),
        stacked(values, VALUES),
        valued=dict.fromkeys(valued),
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """What is measured: from the column `start` to when a journey took `step`."""

    step: int
    since: str
    start: str


def _spans(required: Sequence[int], optional: Sequence[int]) -> list[_Span]:
    spans = []
    for step in (*required[1:], *optional):
        before = max(each for each in required if each < step)
        spans += [_Span(step, "previous", took_column(before)), _Span(step, "first", ENTERED)]
    return spans


def _histograms(journeys: pl.DataFrame, spans: Sequence[_Span]) -> pl.DataFrame:
    """How many journeys took a step so many `seconds` after something, by `segment`."""
    # One grouping of all of them, by seconds and span in one number, takes less than one of each.
    took = pl.concat(
        journeys.lazy()
        .select(
            "segment", (pl.col(took_column(span.step)) - pl.col(span.start)).alias("us"), pl.lit(index).alias("span")
        )
        .drop_nulls("us")
        for index, span in enumerate(spans)
    )
    key = (pl.col("us") // 1_000_000 * len(spans) + pl.col("span")).alias("key")
    total = pl.col("us").cast(pl.Int128).sum().alias("total_us")
    found = took.group_by("segment", key).agg(pl.len().alias("n"), total).collect()
    span = found["key"] % len(spans)
    return found.select(
        "segment",
        pl.Series("step", [span.step for span in spans]).gather(span),
        pl.Series("since", [span.since for span in spans], dtype=pl.Categorical).gather(span),
        (pl.col("key") // len(spans)).alias("seconds"),
        "n",
        "total_us",
    )


def stacked(frames: Iterable[pl.DataFrame], schema: Mapping[str, DataTypeClass]) -> pl.DataFrame:
    """One table of tables that have no keys in common."""
    shaped = (frame.select(pl.col(key).cast(dtype) for key, dtype in schema.items()) for frame in frames)
    return pl.concat([pl.DataFrame(schema=schema), *shaped])


def add_up(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One table like the others, with a row for each different key: the integers of equal keys are added."""
    whole = pl.concat(frames)
    keys = [column for column in whole.columns if column not in SUMS]
    added = whole.lazy().group_by(keys).agg(pl.col(column).sum() for column in whole.columns if column in SUMS)
    return added.select(whole.columns).collect(engine="streaming")

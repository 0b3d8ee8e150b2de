"""Tallies become the numbers that people read: steps, segments, periods, times."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from microfunnel.counting.attempts import EXCLUDED, STOPS
from microfunnel.counting.money import MICROS
from microfunnel.counting.segments import SEPARATOR, bin_labels, values_of
from microfunnel.counting.tallies import ALL, COUNTS, TREND, Tallies, add_up
from microfunnel.funnels import Breakdown, Funnel
from microfunnel.results import OTHER, PERCENTILES, PeriodOfEntry, Rate, Segment, Step, Times, Totals

Key = tuple[str, int, str]
NO_TIMES = Times(0, 0, {})
IN_PROGRESS = "in_progress"


def total(tallies: Tallies, funnel: Funnel) -> Totals:
    """The steps of the funnel over all units."""
    own = _of(tallies, tallies.whole)
    whole = own if tallies.whole == ALL else _folded(own, kept=(), other=ALL)
    return _groups(whole, funnel).get(ALL) or nobody(tallies, funnel)


def nobody(tallies: Tallies, funnel: Funnel) -> Totals:
    """The steps of the funnel over no units."""
    return _group_totals(ALL, pl.DataFrame(schema=COUNTS), _Found({}, {}, {}, tallies.valued), funnel)


def matured(tallies: Tallies) -> Tallies:
    """The tallies of the units whose window is closed, or that have none: the required steps alone, without times."""
    closed = tallies.counts.filter(~pl.col("open").fill_null(value=False))
    return replace(tallies.each(pl.DataFrame.clear), counts=closed)


def periods(tallies: Tallies, funnel: Funnel) -> list[PeriodOfEntry]:
    """The funnel for each period of entry, the earliest first; periods without an entry are left out."""
    return [PeriodOfEntry(day, totals) for day, totals in sorted(groups(tallies, funnel, TREND).items())]


def segments(tallies: Tallies, funnel: Funnel) -> list[Segment]:
    """The segments of each breakdown: the top ones by units that entered, the rest together as `(other)`, last."""
    return [
        segment
        for breakdown in funnel.by
        for segment in segments_of(tallies, funnel, breakdown, largest(tallies, breakdown))
    ]


def largest(tallies: Tallies, breakdown: Breakdown) -> list[str]:
    """The top segments of a breakdown, the one that most units entered first."""
    own = tallies.counts.filter(pl.col("by") == breakdown.name)
    entered = own.group_by("segment").agg(pl.col("n").sum()).sort("n", "segment", descending=[True, False])
    return list(entered["segment"].head(breakdown.top))


def segments_of(tallies: Tallies, funnel: Funnel, breakdown: Breakdown, kept: Sequence[str]) -> list[Segment]:
    """These segments of a breakdown, those without units left out, and the rest together as `(other)`, last."""
    other = SEPARATOR.join([OTHER] * len(breakdown.columns))
    totals = _groups(_folded(_of(tallies, breakdown.name), kept, other), funnel)
    return [
        Segment(dict(zip(breakdown.columns, values_of(name, breakdown), strict=True)), breakdown.value, totals[name])
        for name in _ordered([*kept, other], breakdown)
        if name in totals
    ]


def _of(tallies: Tallies, by: str) -> Tallies:
    """What belongs to one breakdown."""
    return tallies.each(lambda table: table.filter(pl.col("by") == by))


def _ordered(names: Sequence[str], breakdown: Breakdown) -> Iterable[str]:
    """The names as they come, but bins from the lowest to the highest."""
    if breakdown.bins is None:
        return dict.fromkeys(names)
    bins = [name for name in bin_labels(breakdown.bins) if name in names]
    return [*bins, *(name for name in dict.fromkeys(names) if name not in bins)]


def _folded(own: Tallies, kept: Sequence[str], other: str) -> Tallies:
    """The tallies of one breakdown with all segments but the `kept` ones as one.

    Their times are not added up: there are many, and percentiles of equal seconds in several rows are the same.
    """
    segment = pl.when(pl.col("segment").is_in(kept)).then("segment").otherwise(pl.lit(other))
    folded = own.each(lambda table: table.with_columns(segment.alias("segment")))
    return replace(
        folded, counts=add_up([folded.counts]), optional=add_up([folded.optional]), values=add_up([folded.values])
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What the segments of a breakdown did beside coming so far."""

    taken: Mapping[tuple[str, int], int]
    """Units that took an optional step, by segment and step."""
    times: Mapping[Key, Times]
    values: Mapping[tuple[str, int], int]
    """Millionths, by segment and step."""
    valued: Mapping[int, str | None]

    def value(self, segment: str, step: int) -> Decimal | None:
        return Decimal(self.values.get((segment, step), 0)) / MICROS if step in self.valued else None


def groups(tallies: Tallies, funnel: Funnel, by: str) -> dict[str, Totals]:
    """The steps of the funnel over each segment of the breakdown of this name."""
    return _groups(_of(tallies, by), funnel)


def _groups(own: Tallies, funnel: Funnel) -> dict[str, Totals]:
    """The steps of the funnel over each segment in the tallies of one breakdown."""
    found = _Found(_by_step(own.optional, "n"), _times(own.times), _by_step(own.values, "value"), own.valued)
    return {
        str(segment): _group_totals(str(segment), group, found, funnel)
        for (segment,), group in own.counts.partition_by("segment", as_dict=True, include_key=False).items()
    }


def _by_step(table: pl.DataFrame, column: str) -> dict[tuple[str, int], int]:
    return {
        (str(segment), int(step)): int(n) for segment, step, n in table.select("segment", "step", column).iter_rows()
    }


@dataclass(frozen=True, slots=True)
class _Depths:
    """Units by the required steps (1 for the first) they took, and what became of them."""

    rows: list[tuple[int, int, bool | None, int, int]]
    """First and depth, whether still open, why stopped, number of units."""

    def reached(self, step: int) -> int:
        return sum(n for first, depth, _, _, n in self.rows if first <= step <= depth)

    def entered_at(self, step: int) -> int:
        return sum(n for first, _, _, _, n in self.rows if first == step)

    def stopped_before(self, step: int) -> Counter[str]:
        """Units that took the step before and not this one, by reason."""
        reasons = Counter(dict.fromkeys([*STOPS[1:], IN_PROGRESS], 0))
        for _, depth, is_open, stop, n in self.rows:
            if depth == step - 1:
                reasons[IN_PROGRESS if is_open and stop != EXCLUDED else STOPS[stop]] += n
        return reasons


def _group_totals(segment: str, counts: pl.DataFrame, found: _Found, funnel: Funnel) -> Totals:
    depths = _Depths(list(counts.select("first", "depth", "open", "stop", "n").iter_rows()))
    entered = sum(n for *_, n in depths.rows)
    steps: list[Step] = []
    place, reached_before = 0, 0
    for index, step in enumerate(funnel.steps):
        place += not step.optional
        steps.append(
            Step(
                step=index + 1,
                goal=funnel.labels[index],
                reached=found.taken.get((segment, index), 0) if step.optional else depths.reached(place),
                previous=reached_before if index else None,
                entered=entered,
                times_from_previous=found.times.get((segment, index, "previous"), NO_TIMES) if index else None,
                times_from_first=found.times.get((segment, index, "first"), NO_TIMES) if index else None,
                optional=step.optional,
                entered_here=0 if step.optional else depths.entered_at(place),
                stopped=dict(depths.stopped_before(place)) if index and not step.optional else {},
                value=found.value(segment, index),
                currency=found.valued.get(index),
            )
        )
        reached_before = depths.reached(place)
    mature = [row for row in depths.rows if not row[2]]
    converted = sum(n for _, depth, _, _, n in mature if depth == place)
    return Totals(
        steps=tuple(steps),
        entered=entered,
        matured=Rate(converted, sum(n for *_, n in mature)) if funnel.closes else None,
        in_progress=sum(step.in_progress for step in steps) if funnel.closes else None,
    )


def _times(histogram: pl.DataFrame) -> dict[Key, Times]:
    """The times of each segment, step and start, from its units by whole second."""
    keys = ["segment", "step", "since"]
    return {
        (str(segment), int(step), str(since)): summary(group)
        for (segment, step, since), group in histogram.sort("seconds").partition_by(keys, as_dict=True).items()
    }


def summary(histogram: pl.DataFrame) -> Times:
    """Mean and percentiles of units (`n`, `total_us`) by whole `seconds`, in their order, at least one row."""
    total_us = int(histogram["total_us"].sum())
    return Times(int(histogram["n"].sum()), total_us, percentiles(histogram["seconds"], histogram["n"]))


def percentiles(values: pl.Series, counts: pl.Series) -> dict[str, float]:
    """The percentiles by their names in PERCENTILES, of values in order, each of them as often as `counts` says.

    They interpolate linearly between ranks (type 7 of Hyndman and Fan 1996).
    """
    n = int(counts.sum())
    ranks = [(n - 1) * share for share in PERCENTILES.values()]
    places = pl.Series([min(int(rank) + ahead, n - 1) for rank in ranks for ahead in (0, 1)])
    # One query for all: there are many segments, and a query takes longer than what it looks up.
    up_to = pl.lit(counts).cum_sum()
    found = pl.select(pl.lit(values).gather(up_to.search_sorted(places, side="right"))).to_series().to_list()
    return {
        name: below + (above - below) * (rank - int(rank))
        for name, rank, below, above in zip(PERCENTILES, ranks, found[::2], found[1::2], strict=True)
    }

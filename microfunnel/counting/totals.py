"""Tallies become the numbers that people read: steps, segments, periods, times."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import EXCLUDED, STOPS
from microfunnel.counting.segments import SEPARATOR, bin_labels, values_of
from microfunnel.counting.tallies import ALL, COUNTS, TREND, Tallies, add_up
from microfunnel.funnels import Breakdown, Funnel
from microfunnel.results import OTHER, PERCENTILES, PeriodOfEntry, Rate, Segment, Step, Times, Totals

Key = tuple[str, int, str]
NO_TIMES = Times(0, 0, {})
IN_PROGRESS = "in_progress"


def total(tallies: Tallies, funnel: Funnel) -> Totals:
    """The steps of the funnel over all units."""
    return _totals(tallies, funnel, ALL).get(ALL) or _group_totals(ALL, pl.DataFrame(schema=COUNTS), {}, {}, funnel)


def periods(tallies: Tallies, funnel: Funnel) -> list[PeriodOfEntry]:
    """The funnel for each period of entry, the earliest first; periods without an entry are left out."""
    return [PeriodOfEntry(day, totals) for day, totals in sorted(_totals(tallies, funnel, TREND).items())]


def segments(tallies: Tallies, funnel: Funnel) -> list[Segment]:
    """The segments of each breakdown: the top ones by units that entered, the rest together as `(other)`, last."""
    found = []
    for breakdown in funnel.by:
        own = _tallies(table.filter(pl.col("by") == breakdown.name) for table in _tables(tallies))
        entered = own.counts.group_by("segment").agg(pl.col("n").sum()).sort("n", "segment", descending=[True, False])
        kept = entered["segment"].head(breakdown.top).to_list()
        other = SEPARATOR.join([OTHER] * len(breakdown.columns))
        folded = _tallies(_folded(table, kept, other) for table in _tables(own))
        totals = _totals(folded, funnel, breakdown.name)
        found += [
            Segment(
                dict(zip(breakdown.columns, values_of(name, breakdown), strict=True)), breakdown.value, totals[name]
            )
            for name in _ordered([*kept, other], breakdown)
            if name in totals
        ]
    return found


def _tables(tallies: Tallies) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    return tallies.counts, tallies.optional, tallies.times


def _tallies(tables: Iterable[pl.DataFrame]) -> Tallies:
    counts, optional, times = tables
    return Tallies(counts, optional, times)


def _ordered(names: Sequence[str], breakdown: Breakdown) -> Iterable[str]:
    """The names as they come, but bins from the lowest to the highest."""
    if breakdown.bins is None:
        return dict.fromkeys(names)
    bins = [name for name in bin_labels(breakdown.bins) if name in names]
    return [*bins, *(name for name in dict.fromkeys(names) if name not in bins)]


def _folded(table: pl.DataFrame, kept: Sequence[str], other: str) -> pl.DataFrame:
    segment = pl.when(pl.col("segment").is_in(kept)).then("segment").otherwise(pl.lit(other))
    return add_up([table.with_columns(segment.alias("segment"))])


def _totals(tallies: Tallies, funnel: Funnel, by: str) -> dict[str, Totals]:
    counts, optional, times = (table.filter(pl.col("by") == by) for table in _tables(tallies))
    taken = {
        (str(segment), int(step)): int(n) for segment, step, n in optional.select("segment", "step", "n").iter_rows()
    }
    durations = _times(times)
    return {
        str(segment): _group_totals(str(segment), group, taken, durations, funnel)
        for (segment,), group in counts.partition_by("segment", as_dict=True, include_key=False).items()
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


def _group_totals(
    segment: str, counts: pl.DataFrame, taken: Mapping[tuple[str, int], int], times: Mapping[Key, Times], funnel: Funnel
) -> Totals:
    depths = _Depths(list(counts.select("first", "depth", "open", "stop", "n").iter_rows()))
    entered = sum(n for *_, n in depths.rows)
    steps: list[Step] = []
    place, reached_before = 0, 0
    for index, step in enumerate(funnel.steps):
        previous = times.get((segment, index, "previous"), NO_TIMES) if index else None
        first = times.get((segment, index, "first"), NO_TIMES) if index else None
        if step.optional:
            reached = taken.get((segment, index), 0)
            steps.append(Step(index + 1, step.label, reached, reached_before, entered, previous, first, optional=True))
            continue
        place += 1
        steps.append(
            Step(
                step=index + 1,
                goal=f"any {place} of {len(funnel.steps)}" if funnel.order == "any" else step.label,
                reached=depths.reached(place),
                previous=reached_before if index else None,
                entered=entered,
                times_from_previous=previous,
                times_from_first=first,
                entered_here=depths.entered_at(place),
                stopped=dict(depths.stopped_before(place)) if index else {},
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
        (str(segment), int(step), str(since)): _summary(group)
        for (segment, step, since), group in histogram.sort("seconds").partition_by(keys, as_dict=True).items()
    }


def _summary(histogram: pl.DataFrame) -> Times:
    total_us = int(histogram["total_us"].sum())
    return Times(int(histogram["n"].sum()), total_us, percentiles(histogram["seconds"], histogram["n"]))


def percentiles(values: pl.Series, counts: pl.Series) -> dict[str, float]:
    """The percentiles by their names in PERCENTILES, of different values in order and how often each occurs.

    They interpolate linearly between ranks (type 7 of Hyndman and Fan 1996).
    """
    up_to = counts.cum_sum()
    n = int(up_to[-1])
    ranks = [(n - 1) * share for share in PERCENTILES.values()]
    # All ranks in one search: there are many segments, and a call of polars takes longer than what it looks up.
    low, high = (
        values.gather(up_to.search_sorted(pl.Series([min(int(rank) + ahead, n - 1) for rank in ranks]), side="right"))
        for ahead in (0, 1)
    )
    return {
        name: below + (above - below) * (rank - int(rank))
        for name, rank, below, above in zip(PERCENTILES, ranks, low, high, strict=True)
    }

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
    return groups(tallies, funnel, ALL).get(ALL) or nobody(funnel)


def nobody(funnel: Funnel) -> Totals:
    """The steps of the funnel over no units."""
    return _group_totals(ALL, pl.DataFrame(schema=COUNTS), {}, {}, funnel)


def matured(tallies: Tallies) -> Tallies:
    """The tallies of the units whose window is closed, or that have none: the required steps alone, without times."""
    closed = tallies.counts.filter(~pl.col("open").fill_null(value=False))
    return Tallies(closed, tallies.optional.clear(), tallies.times.clear(), tallies.left_out)


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
    own = [table.filter(pl.col("by") == breakdown.name) for table in _tables(tallies)]
    other = SEPARATOR.join([OTHER] * len(breakdown.columns))
    totals = groups(_tallies(_folded(table, kept, other) for table in own), funnel, breakdown.name)
    return [
        Segment(dict(zip(breakdown.columns, values_of(name, breakdown), strict=True)), breakdown.value, totals[name])
        for name in _ordered([*kept, other], breakdown)
        if name in totals
    ]


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


def groups(tallies: Tallies, funnel: Funnel, by: str) -> dict[str, Totals]:
    """The steps of the funnel over each segment of the breakdown of this name."""
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
    """Mean and percentiles; the latter interpolate linearly between ranks (type 7 of Hyndman and Fan 1996)."""
    seconds, up_to = histogram["seconds"], histogram["n"].cum_sum()
    n = int(up_to[-1])
    ranks = [(n - 1) * share for share in PERCENTILES.values()]
    # All ranks in one search: there are many segments, and a call of polars takes longer than what it looks up.
    low, high = (
        seconds.gather(up_to.search_sorted(pl.Series([min(int(rank) + ahead, n - 1) for rank in ranks]), side="right"))
        for ahead in (0, 1)
    )
    percentiles = {
        name: below + (above - below) * (rank - int(rank))
        for name, rank, below, above in zip(PERCENTILES, ranks, low, high, strict=True)
    }
    return Times(n, int(histogram["total_us"].sum()), percentiles)

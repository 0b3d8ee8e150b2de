"""Tallies become the numbers that people read: steps, segments, times."""

from collections.abc import Mapping, Sequence

import polars as pl

from microfunnel.counting.tallies import ALL, COUNTS, Tallies, add_up
from microfunnel.goals import Funnel
from microfunnel.results import OTHER, PERCENTILES, Rate, Segment, Step, Times, Totals

Key = tuple[str, int, str]
NO_TIMES = Times(0, 0, {})


def total(tallies: Tallies, funnel: Funnel) -> Totals:
    """The steps of the funnel over all units."""
    return _totals(tallies, funnel, ALL).get(ALL) or _steps(ALL, pl.DataFrame(schema=COUNTS), funnel, {})


def segments(tallies: Tallies, funnel: Funnel) -> list[Segment]:
    """The segments of each breakdown: the top ones by units that entered, the rest together as `(other)`, last."""
    found = []
    for breakdown in funnel.by:
        by = breakdown.column
        entered = tallies.counts.filter(pl.col("by") == by).group_by("segment").agg(pl.col("n").sum())
        kept = entered.sort("n", "segment", descending=[True, False])["segment"].head(breakdown.top).to_list()
        totals = _totals(Tallies(_folded(tallies.counts, kept), _folded(tallies.times, kept)), funnel, by)
        found += [Segment({by: name}, totals[name]) for name in dict.fromkeys([*kept, OTHER]) if name in totals]
    return found


def _folded(table: pl.DataFrame, kept: Sequence[str]) -> pl.DataFrame:
    segment = pl.when(pl.col("segment").is_in(kept)).then("segment").otherwise(pl.lit(OTHER))
    return add_up([table.with_columns(segment.alias("segment"))])


def _totals(tallies: Tallies, funnel: Funnel, by: str) -> dict[str, Totals]:
    counts = tallies.counts.filter(pl.col("by") == by)
    times = _times(tallies.times.filter(pl.col("by") == by))
    return {
        str(segment): _steps(str(segment), group, funnel, times)
        for (segment,), group in counts.partition_by("segment", as_dict=True, include_key=False).items()
    }


def _steps(segment: str, counts: pl.DataFrame, funnel: Funnel, times: Mapping[Key, Times]) -> Totals:
    depths = list(counts.select("depth", "open", "n").iter_rows())
    reached = [sum(n for depth, _, n in depths if depth > step) for step in range(len(funnel.steps))]
    waiting = [sum(n for depth, open_, n in depths if open_ and depth == step) for step in range(len(funnel.steps))]
    converted = sum(n for depth, open_, n in depths if not open_ and depth == len(funnel.steps))
    steps = [
        Step(
            step=step + 1,
            goal=each.label,
            reached=reached[step],
            previous=reached[step - 1] if step else None,
            entered=reached[0],
            in_progress=waiting[step],
            times_from_previous=times.get((segment, step, "previous"), NO_TIMES) if step else None,
            times_from_first=times.get((segment, step, "first"), NO_TIMES) if step else None,
        )
        for step, each in enumerate(funnel.steps)
    ]
    return Totals(
        steps=tuple(steps),
        matured=Rate(converted, sum(n for _, open_, n in depths if not open_)) if funnel.closes else None,
        in_progress=sum(waiting) if funnel.closes else None,
    )


def _times(histogram: pl.DataFrame) -> dict[Key, Times]:
    """The times of each segment, step and start, from its units by whole second."""
    keys = ["segment", "step", "since"]
    return {
        (str(segment), int(step), str(since)): _summary(group.sort("seconds"))
        for (segment, step, since), group in histogram.partition_by(keys, as_dict=True).items()
    }


def _summary(histogram: pl.DataFrame) -> Times:
    """Mean and percentiles; the latter interpolate linearly between ranks (type 7 of Hyndman and Fan 1996)."""
    seconds, up_to = histogram["seconds"], histogram["n"].cum_sum()
    n = int(up_to[-1])
    percentiles = {}
    for name, share in PERCENTILES.items():
        rank = (n - 1) * share
        low, high = (seconds[int(up_to.search_sorted(int(at), side="right"))] for at in (rank, min(rank + 1, n - 1)))
        percentiles[name] = low + (high - low) * (rank - int(rank))
    return Times(n, int(histogram["total_us"].sum()), percentiles)

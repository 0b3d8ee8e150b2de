"""What if a step rose to the rate of its best segment, or by a tenth, and the steps after it kept their rates."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from microfunnel.levers import BestSegment, Gain, Lever
from microfunnel.results import NOT_SET, OTHER, FunnelResult, Rate, Report, Segment, Step
from microfunnel.significance import difference, difference_interval, product_interval

ENOUGH = 30
"""Units before a step below which the rate of a segment says too little."""
CONFIDENCE = 0.95
NO_GROUP = {NOT_SET, OTHER}
"""Segments that nobody can learn from."""


def with_levers(report: Report) -> Report:
    """The report with what would come of raising each step of its funnels."""
    return replace(report, funnels=tuple(replace(funnel, levers=_levers(funnel)) for funnel in report.funnels))


def _levers(funnel: FunnelResult) -> tuple[Lever, ...]:
    """The levers of a funnel, the biggest first: those beyond chance, by their conversions, then the others.

    None of them where the steps after a step have no rates to hold: in any order, and where units enter at any step.
    """
    steps, totals = funnel.totals.required, funnel.totals
    if funnel.order == "any" or any(step.entered_here for step in steps[1:]):
        return ()
    found = [
        _lever(_Rise(step, totals.converted, is_last=step is steps[-1], value=totals.value_per_converted), funnel)
        for step in steps[1:]
        if step.reached
    ]
    return tuple(sorted(found, key=_size))


def _size(lever: Lever) -> tuple[bool, float, float, int]:
    best = lever.best.gain.more if lever.best is not None else 0.0
    return not lever.is_sure, -best, -lever.by_a_tenth.more, lever.step


@dataclass(frozen=True, slots=True)
class _Rise:
    """A step that somebody reached, and what follows it."""

    step: Step
    converted: int
    is_last: bool
    value: Decimal | None

    @property
    def rate(self) -> Rate:
        return Rate(self.step.reached, self.step.previous or 0)

    def brought(self, rate: float, rise: float, ends: tuple[float, float], units: int, confidence: float) -> Gain:
        """The gain where the rate of so many units rises by so much, of which the interval is known."""
        onward = Rate(self.converted, self.step.reached)
        share, shares = onward.value or 0.0, onward.interval(confidence) or (0.0, 1.0)
        # All that reach the last step have converted: there is nothing after it that chance could change.
        low, high = ends if self.is_last else product_interval(rise, ends, share, shares)
        return Gain(rate, units * rise * share, units * low, units * high, self.value)


def _lever(rise: _Rise, funnel: FunnelResult) -> Lever:
    step, rate = rise.step, rise.rate
    return Lever(step.step, step.goal, rate.value or 0.0, _by_a_tenth(rise), _best(rise, funnel))


def _by_a_tenth(rise: _Rise) -> Gain:
    """A tenth more of the rate makes a tenth more conversions; the rate ends at 1."""
    reached, before = rise.rate.part, rise.rate.whole
    if 11 * reached <= 10 * before:
        now = Rate(rise.converted, before)
        low, high = now.interval(CONFIDENCE) or (0.0, 1.0)
        return Gain(
            11 * reached / (10 * before), rise.converted / 10, before * low / 10, before * high / 10, rise.value
        )
    missing = Rate(before - reached, before)
    return rise.brought(1.0, missing.value or 0.0, missing.interval(CONFIDENCE) or (0.0, 1.0), before, CONFIDENCE)


def _best(rise: _Rise, funnel: FunnelResult) -> BestSegment | None:
    """The best of the segments that do better than all together: of those beyond chance, if there are any.

    One of many segments is the best also by chance, so each interval is as wide as makes all of them hold at once with
    the confidence of one (Z. Sidak 1967): then it holds for whichever is chosen.
    """
    large = list(_large(rise, funnel))
    confidence = CONFIDENCE ** (1 / len(large)) if large else CONFIDENCE
    better = [
        BestSegment(segment.by, own.part, own.whole, len(large), _as_good(rise, own, confidence))
        for segment, own in large
        if own.part * rise.rate.whole > rise.rate.part * own.whole
    ]
    return max(better, key=lambda each: (each.beyond_chance, each.gain.rate, each.previous), default=None)


def _large(rise: _Rise, funnel: FunnelResult) -> Iterator[tuple[Segment, Rate]]:
    """The segments by the value at the entry that are large enough, and their rates.

    A value that is known only later divides units by their success.
    """
    for segment in funnel.segments:
        step = next(each for each in segment.totals.steps if each.step == rise.step.step)
        own = Rate(step.reached, step.previous or 0)
        if segment.value == "entry" and NO_GROUP.isdisjoint(segment.by.values()) and own.whole >= ENOUGH:
            yield segment, own


def _as_good(rise: _Rise, own: Rate, confidence: float) -> Gain:
    """What it brings if the other units get the rate of a segment."""
    others = Rate(rise.rate.part - own.part, rise.rate.whole - own.whole)
    more, ends = difference(own, others), difference_interval(own, others, confidence)
    return rise.brought(own.value or 0.0, more or 0.0, ends or (0.0, 0.0), others.whole, confidence)

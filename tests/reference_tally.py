"""The numbers of a group of journeys, in plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from reference_goals import SECOND
from reference_rule import EXCLUDED, IN_PROGRESS, REASONS, Journey, Rule

SHARES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95}


@dataclass(frozen=True)
class Times:
    """How long units took: their number, the exact sum, and percentiles of whole seconds."""

    n: int
    total_us: int
    percentiles: dict[str, float]


@dataclass(frozen=True)
class Tally:
    """The numbers of a funnel, or of one of its segments or periods; lists have one place for each step."""

    entered: int
    reached: list[int]
    entered_here: list[int]
    stopped: list[dict[str, int]]
    """Why the units that took the required step before did not take this one."""
    in_progress: int | None
    matured: tuple[int, int] | None
    times_from_previous: list[Times | None]
    times_from_first: list[Times | None]
    values: list[Decimal | None]
    """What the events are worth that took each step; None where no goal of it has a value."""

    @property
    def in_progress_by_step(self) -> list[int]:
        return [reasons[IN_PROGRESS] for reasons in self.stopped]


def tally(journeys: Sequence[Journey], rule: Rule, data_end: int) -> Tally:
    """Add up journeys."""
    places = range(len(rule.steps))
    mature = [journey for journey in journeys if journey.closes is not None and journey.closes <= data_end]
    reasons = [(rule.required[found.depth], why_stopped(found, data_end)) for found in journeys if found.missed]
    before = [max((other for other in rule.required if other < place), default=0) for place in places]
    return Tally(
        entered=len(journeys),
        reached=[sum(place in journey.taken for journey in journeys) for place in places],
        entered_here=[sum(rule.required[journey.start] == place for journey in journeys) for place in places],
        stopped=[{reason: reasons.count((place, reason)) for reason in REASONS} for place in places],
        in_progress=sum(reason == IN_PROGRESS for _, reason in reasons) if rule.ends else None,
        matured=(sum(journey.missed is None for journey in mature), len(mature)) if rule.ends else None,
        times_from_previous=[None, *(times_between(journeys, before[place], place) for place in places[1:])],
        times_from_first=[None, *(times_between(journeys, None, place) for place in places[1:])],
        values=[value_of(journeys, rule, place) for place in places],
    )


def value_of(journeys: Sequence[Journey], rule: Rule, place: int) -> Decimal | None:
    """Each journey adds the smallest amount of the events at the moment at which it took the step."""
    amounts = rule.steps[place].amounts
    if amounts is None or rule.order == "any":
        return None
    taken = [(journey.log, journey.taken[place]) for journey in journeys if place in journey.taken]
    found = [[amounts[row] for row, time in log.items() if time == moment and row in amounts] for log, moment in taken]
    return sum((min(those) for those in found if those), Decimal(0))


def why_stopped(journey: Journey, data_end: int) -> str:
    """A journey is in progress while its window, or its session, reaches past the end of the data."""
    assert journey.missed is not None
    may_go_on = journey.missed != EXCLUDED and journey.closes is not None and journey.closes > data_end
    return IN_PROGRESS if may_go_on else journey.missed


def times_between(journeys: Sequence[Journey], start: int | None, end: int) -> Times:
    """Waits from one step (None: the entry, wherever it was) to another, over the units that took both."""
    waits = []
    for journey in journeys:
        begun = journey.times[0] if start is None else journey.taken.get(start)
        if begun is not None and end in journey.taken:
            waits.append(journey.taken[end] - begun)
    seconds = sorted(wait // SECOND for wait in waits)
    shares = {name: percentile(seconds, share) for name, share in SHARES.items()} if seconds else {}
    return Times(len(waits), sum(waits), shares)


def percentile(ordered: Sequence[int], share: int) -> float:
    """The value below which so many of a hundred lie, on the line between the two neighbours of that place."""
    whole, rest = divmod((len(ordered) - 1) * share, 100)
    above = ordered[min(whole + 1, len(ordered) - 1)]
    return float(ordered[whole] + Fraction(rest, 100) * (above - ordered[whole]))

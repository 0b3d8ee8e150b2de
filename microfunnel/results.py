"""What a run found: counts are stored, rates are properties, and 0/0 is None."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt
from statistics import NormalDist

from microfunnel.accounts import EventsResult
from microfunnel.levers import Lever

NOT_SET = "(not set)"
"""The segment of the units whose entry has no value."""
NOT_REACHED = "(did not reach)"
"""The segment of the units without the step whose value is asked for."""
OTHER = "(other)"
"""The segment of all units beyond the top ones."""
PERCENTILES = {"p10": 0.10, "p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95}


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of a whole, both counts known."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """0 to 1; None where there is nothing to take a share of."""
        return self.part / self.whole if self.whole else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """The Wilson score interval (E. B. Wilson 1927, without continuity correction)."""
        if not self.whole:
            return None
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        n, p = self.whole, self.part / self.whole
        centre = p + z * z / (2 * n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        # At the ends the formula is exact and only rounding errs.
        low = 0.0 if self.part == 0 else (centre - half) / scale
        high = 1.0 if self.part == n else (centre + half) / scale
        return low, high


def each(value: Decimal | None, n: int) -> Decimal | None:
    """The mean of a sum over so many; None where there is no sum, or nothing to share it out to."""
    return None if value is None or not n else value / n


@dataclass(frozen=True, slots=True)
class Times:
    """How long units took between two steps, over those that reached the later one."""

    n: int
    total_us: int
    percentiles: Mapping[str, float]
    """Seconds by the names in PERCENTILES; empty where n is 0."""

    @property
    def mean(self) -> float | None:
        """Seconds, from the exact sum of microseconds."""
        return self.total_us / self.n / 1_000_000 if self.n else None

    @property
    def median(self) -> float | None:
        """Seconds."""
        return self.percentiles.get("median")


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the units of a funnel, or of one segment, went through it."""

    step: int
    """1 for the first."""
    goal: str
    reached: int
    previous: int | None
    """Units that reached the required step before; None for the first step."""
    entered: int
    times_from_previous: Times | None
    times_from_first: Times | None
    optional: bool = False
    entered_here: int = 0
    """Units whose first step it is: all of them in the first step, in others only where a funnel is open."""
    stopped: Mapping[str, int] = field(default_factory=dict)
    """The dropped by what stopped them: `no_event`, `too_late`, `interrupted`, `excluded`, or else `in_progress`."""
    value: Decimal | None = None
    """Sum of what the events are worth that took it; None where its goal has no value."""
    currency: str | None = None
    """Of the value; None where nothing names it."""

    @property
    def value_per_unit(self) -> Decimal | None:
        """Of those that reached it."""
        return each(self.value, self.reached)

    @property
    def came_on(self) -> int:
        """Units that came from the step before."""
        return self.reached - self.entered_here

    @property
    def in_progress(self) -> int:
        """Of the dropped: those whose window was still open where the data ends."""
        return self.stopped.get("in_progress", 0)

    @property
    def excluded(self) -> int:
        """Of the dropped: those whose journey an exclusion ended."""
        return self.stopped.get("excluded", 0)

    @property
    def from_previous(self) -> Rate | None:
        return None if self.previous is None else Rate(self.came_on, self.previous)

    @property
    def from_first(self) -> Rate:
        return Rate(self.reached, self.entered)

    @property
    def dropped(self) -> int | None:
        """Units that reached the step before and not this one; None for a step that nobody has to take."""
        return None if self.previous is None or self.optional else self.previous - self.came_on

    @property
    def drop_off(self) -> Rate | None:
        return None if self.dropped is None or self.previous is None else Rate(self.dropped, self.previous)


@dataclass(frozen=True, slots=True)
class Totals:
    """The steps of a funnel over a group of units, and how many of them are mature."""

    steps: tuple[Step, ...]
    entered: int
    matured: Rate | None
    """Converted among the units whose window is closed; None without a window."""
    in_progress: int | None
    """Units that have not converted and whose window is still open; None without a window."""

    @property
    def required(self) -> list[Step]:
        """The steps that a unit has to take to convert."""
        return [step for step in self.steps if not step.optional]

    @property
    def converted(self) -> int:
        return self.required[-1].reached

    @property
    def conversion(self) -> Rate:
        return Rate(self.converted, self.entered)

    @property
    def worst_step(self) -> Step | None:
        """The step before which most units stopped; the first of equals; None where all went on."""
        losing = [step for step in self.steps if step.dropped]
        return max(losing, key=lambda step: step.dropped or 0, default=None)

    @property
    def value(self) -> Decimal | None:
        """What the last step is worth to all that converted; None where its goal has no value."""
        return self.required[-1].value

    @property
    def currency(self) -> str | None:
        return self.required[-1].currency

    @property
    def value_per_converted(self) -> Decimal | None:
        return each(self.value, self.converted)

    @property
    def value_at_risk(self) -> Decimal | None:
        """The units that did not convert, each at the mean value of those that did."""
        return self.worth_of(self.entered - self.converted)

    def at_risk(self, step: Step) -> Decimal | None:
        """The same of the units that dropped before this step."""
        return None if step.dropped is None else self.worth_of(step.dropped)

    def worth_of(self, units: int) -> Decimal | None:
        """So many units at the mean value of those that converted."""
        return each(None if self.value is None else units * self.value, self.converted)

    def before(self, step: Step) -> Step:
        """The required step before this one, which is not the first."""
        return [each for each in self.required if each.step < step.step][-1]


@dataclass(frozen=True, slots=True)
class Segment:
    """The units of a funnel that share a value, such as a device."""

    by: Mapping[str, str]
    """Column to value."""
    value: str
    """Where the value is read: `entry`, `first`, `last`, `step:GOAL` or `all_steps`."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class PeriodOfEntry:
    """The units that entered a funnel in one period."""

    period: str
    """Its first day, ISO 8601."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class FunnelResult:
    """One funnel, counted."""

    funnel: str
    order: str
    count: str
    entry: str
    window_seconds: float | None
    totals: Totals
    segments: tuple[Segment, ...]
    """Grouped by the columns of `by`, in their order; in each, the largest entered first, `(other)` last."""
    trend: tuple[PeriodOfEntry, ...] = ()
    left_out: int = 0
    """Events of its steps that belong to no unit, because a part of it is missing."""
    levers: tuple[Lever, ...] | None = None
    """What if a step rose, the biggest first; empty where no later rates can be held, None where nobody asks."""


@dataclass(frozen=True, slots=True)
class GoalResult:
    """One line of the scorecard."""

    goal: str
    kind: str
    completions: int
    users: int
    all_users: int | None
    """None where nobody asked for them."""
    value: Decimal | None
    """Sum over the completions; None where the goal has no value."""
    currency: str | None = None
    """Of the value; None where nothing names it."""

    @property
    def value_per_completion(self) -> Decimal | None:
        return each(self.value, self.completions)

    @property
    def value_per_user(self) -> Decimal | None:
        """Of those with a completion."""
        return each(self.value, self.users)

    @property
    def rate(self) -> Rate:
        return Rate(self.users, self.all_users or 0)


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run found; every rendering shows this and computes nothing."""

    events: EventsResult
    goals: tuple[GoalResult, ...]
    funnels: tuple[FunnelResult, ...]

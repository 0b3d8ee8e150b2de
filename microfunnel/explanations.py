"""Why a user was counted as it was, as values: its events with their verdicts, and the journeys they made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one event meant for the journey of its unit."""

    verdict: str
    """A short code for programs, such as `too_late`; `rendering.verdicts` has them all in words."""
    step: int | None = None
    """1 for the first step of the funnel."""
    goal: str | None = None
    """The label of that step, or of the step that it waited for."""
    seconds: float | None = None
    """How much too late, or how long it had to wait at least."""


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """One event of the user, and what became of it."""

    time: int | None
    """Microseconds since 1970 UTC; None where it can't be read."""
    event: str | None
    goals: tuple[str, ...]
    """The goals that it completes."""
    steps: tuple[int, ...]
    """The steps of the funnel that it fits, 1 for the first."""
    verdicts: tuple[Verdict, ...]
    """One; several where it serves several steps, all but one of them optional."""
    own: bool = True
    """False for an event of another user in a unit that both share."""


@dataclass(frozen=True, slots=True)
class TakenStep:
    """A step that a journey took, and when."""

    step: int
    """1 for the first step of the funnel."""
    goal: str
    time: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ExplainedJourney:
    """A journey as it was counted."""

    taken: tuple[TakenStep, ...]
    """In order of time."""
    first: int
    """The required step (1 for the first) at which it came in."""
    depth: int
    """The last required step that it took; in any order, the number of different ones."""
    required: int
    outcome: str
    """`converted`, `in_progress`, `no_event`, `too_late`, `interrupted` or `excluded`."""
    stopped_before: str | None
    """The required step that it did not take; None where it converted, or where the order is any."""
    closes: int | None
    """When its window ends; None without one."""

    @property
    def reached(self) -> int:
        """The number of required steps that it took."""
        return self.depth - self.first + 1


@dataclass(frozen=True, slots=True)
class ExplainedUnit:
    """The events of one unit, in order of time, and the journeys that were counted of them."""

    unit: str | None
    """What tells it from the other units of the user, such as `session 2`; None where the unit is the user."""
    events: tuple[ExplainedEvent, ...]
    journeys: tuple[ExplainedJourney, ...]
    absent: str | None
    """Why no journey was counted: `no_entry`, `outside_period`, `dropped`, or of no unit `no_unit` or `unused`."""


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step of a funnel, before anything is counted."""

    goal: str
    optional: bool


@dataclass(frozen=True, slots=True)
class ExplainedFunnel:
    """One funnel, as one user went through it."""

    funnel: str
    order: str
    count: str
    entry: str
    window_seconds: float | None
    steps: tuple[NamedStep, ...]
    units: tuple[ExplainedUnit, ...]
    enters_anywhere: bool = False
    """Whether a unit may come in at other steps than the first."""

    def before(self, step: int) -> str | None:
        """The label of the required step before this one (1 for the first)."""
        return next((each.goal for each in self.steps[: step - 1][::-1] if not each.optional), None)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one user was counted as it was, for each funnel."""

    user: str
    timezone: str
    """For the times that people read; the JSON is UTC."""
    data_end: int
    """The last moment that the log knows of."""
    funnels: tuple[ExplainedFunnel, ...]

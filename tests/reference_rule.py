"""The words of the counting rule in plain Python: limits, steps, rule, attempt, journey."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

EXCLUDED, IN_PROGRESS, INTERRUPTED, TOO_LATE, NO_EVENT = REASONS = (
    "excluded",
    "in_progress",
    "interrupted",
    "too_late",
    "no_event",
)

Times = Mapping[int, int]
"""A unit, to the rule: the times of its rows, by the index of the row in the log."""


@dataclass(frozen=True)
class Limits:
    """The times of a run: entries from `since` on and before `until`, and the log as it was at `as_of`."""

    since: int | None = None
    until: int | None = None
    as_of: int | None = None

    def may_enter(self, time: int) -> bool:
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


@dataclass(frozen=True)
class Step:
    """A step of a funnel with all the rows that complete it."""

    label: str
    rows: frozenset[int]
    within: int | None
    after: int
    optional: bool
    amounts: Mapping[int, Decimal] | None = None
    """What the rows are worth that have an amount, where one of the goals has a value."""


@dataclass(frozen=True)
class Exclusion:
    """Rows that end an attempt on its way from the step at place `first` to the one at place `last`."""

    rows: frozenset[int]
    first: int
    last: int


@dataclass(frozen=True)
class Rule:
    """All that decides how far the rows of a unit carry it."""

    steps: list[Step]
    order: Literal["ordered", "strict", "any"]
    window: int | None
    first_entry_only: bool
    increasing: bool
    limits: Limits
    count: str | tuple[str, ...]
    open: bool
    exclusions: list[Exclusion]
    drop: bool
    ignored: frozenset[int]

    @property
    def required(self) -> list[int]:
        """The places of the steps that an attempt has to take."""
        return [place for place, step in enumerate(self.steps) if not step.optional]

    @property
    def ends(self) -> bool:
        return self.window is not None or self.count == "sessions"


@dataclass(frozen=True)
class Attempt:
    """The required steps that were taken from one entry."""

    start: int
    """The first of them, as an index of `Rule.required`; only in an open funnel it is not 0."""
    path: tuple[int, ...]
    """The rows that served them; in any order, the entry alone."""
    times: tuple[int, ...]
    ended: tuple[int, str] | None = None
    """When an exclusion or an interruption ended it, and which."""

    @property
    def depth(self) -> int:
        return self.start + len(self.times)

    @property
    def is_excluded(self) -> bool:
        return self.ended is not None and self.ended[1] == EXCLUDED


@dataclass(frozen=True)
class Journey:
    """How far a unit got, and when it took each step."""

    start: int
    times: tuple[int, ...]
    """Of the required steps."""
    taken: dict[int, int]
    """The place of each step that was taken, optional ones too, and when. In any order, 0 is the first that it took."""
    entries: frozenset[int]
    """The rows from which it got there just so."""
    log: Times
    missed: str | None
    """Why it did not take its next step; None where it converted."""
    closes: int | None = None
    """The last moment at which it could have gone on."""

    @property
    def depth(self) -> int:
        return self.start + len(self.times)


def rank(attempt: Attempt) -> tuple[int, int, int, int, tuple[int, ...]]:
    """Deepest, from the earliest step, there first, started last, and then as early as possible on the way."""
    return -attempt.depth, attempt.start, attempt.times[-1], -attempt.times[0], attempt.times

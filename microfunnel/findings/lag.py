"""How long users take to a goal, and how many of them convert by which age."""

from collections.abc import Mapping
from dataclasses import dataclass

from microfunnel.accounts import EventsResult
from microfunnel.results import Rate, Times

DAY = 86_400
A_WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Bucket:
    """Users by how many days, sessions or events they took."""

    low: int
    high: int | None
    """The highest number in it; None where it has no end."""
    users: int


@dataclass(frozen=True, slots=True)
class Steps:
    """How many sessions or events users took."""

    n: int
    total: int
    percentiles: Mapping[str, float]
    """By the names in PERCENTILES; empty where n is 0."""
    buckets: tuple[Bucket, ...]

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Age:
    """How many users have converted before they are so old, counted from their start."""

    seconds: int
    users: int
    """All of them."""
    converted: int
    """Who did so before this age."""
    watched: int
    """Who had not, and were looked at for at least so long."""
    share: float
    """The estimate of Kaplan and Meier, 0 to 1."""
    interval: tuple[float, float] | None
    """Where it lies, at 95 %; None where it is 0 or 1."""

    @property
    def naive(self) -> Rate:
        """As if all users had been looked at for so long."""
        return Rate(self.converted, self.users)

    @property
    def too_recent(self) -> int:
        """Users who have not converted, and whose log ends before they are so old."""
        return self.users - self.converted - self.watched


@dataclass(frozen=True, slots=True)
class LagFinding:
    """The way from the start to the first completion of a goal."""

    events: EventsResult
    goal: str
    start: str | None
    """The goal from whose first completion on is counted; None for the first event."""
    users: int
    """Whose start lies in the period."""
    converted: int
    seconds: Times
    """Of the users who converted, as in all that follows but the curve."""
    days: tuple[Bucket, ...]
    sessions: Steps
    acts: Steps
    """Their events."""
    curve: tuple[Age, ...]
    """After an hour and each whole day, as long as anybody was looked at."""

    @property
    def rate(self) -> Rate:
        return Rate(self.converted, self.users)

    @property
    def telling(self) -> Age | None:
        """The age to speak of: a week, or the last where nobody is that old or that quick; None without a curve."""
        a_week = (age for age in self.curve if age.seconds == A_WEEK and age.converted)
        return next(a_week, self.curve[-1] if self.curve else None)

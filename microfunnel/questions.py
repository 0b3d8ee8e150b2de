"""A question to the events: which rows it is about, what is counted in those of whole users, and how that adds up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.events import REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.goals import Goal, Goals
from microfunnel.matching import conditions, fields_of, match_expr

PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Period:
    """Which entries and completions count, in microseconds since 1970 UTC; None is open."""

    since: int | None = None
    """Inclusive."""
    until: int | None = None
    """Exclusive."""
    as_of: int | None = None
    """Later events are not looked at, and windows that reach past this moment are open."""
    trend: str | None = None
    """`day`, `week` or `month`: also each period of entry on its own."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked of the events that goals and funnels look at, and of others."""

    goals: Goals
    count: Callable[[pl.DataFrame, Limits], T]
    """What it finds in the rows of whole users, prepared as `counts.prepare` does."""
    add: Callable[[Sequence[T]], T]
    """The same of all users together."""
    fields: frozenset[str] = frozenset()
    """Fields of the export that it looks at, beside those that goals and funnels do."""
    labels: frozenset[str] = frozenset()
    """Fields of which only few different values are expected: kept as Categorical."""
    all_events: bool = False
    """Whether events that no goal names matter, too."""
    sessions: bool = False
    """Whether it matters in which session an event is, even if no goal and no funnel asks for that."""
    firsts: tuple[str, ...] | None = None
    """Of those, and of those in the period, at least the first of each user for each value of these fields; None for
    none of them."""

    @property
    def needs_all_events(self) -> bool:
        return self.all_events or self.needs_sessions or self.goals.need_all_events

    @property
    def needs_sessions(self) -> bool:
        return self.sessions or self.goals.need_sessions

    @property
    def kept_fields(self) -> frozenset[str]:
        """The fields that are looked at after the reading."""
        return _split_by(self.goals) | _looked_into(self.goals) | self.fields | self.labels | set(self.firsts or ())

    @property
    def fields_needed(self) -> set[str]:
        """The fields of the export that the reading has to find, and the ids of users, to name a strange one."""
        where = self.goals.events.where
        filtered_by = where.field_names() if where is not None else set()
        return {"event", "user"} | filtered_by | self.kept_fields | fields_of(conditions(self.goals).values())

    @property
    def categories(self) -> list[str]:
        """The columns that are only split by, and kept as Categorical."""
        names = (_split_by(self.goals) | self.labels | set(self.firsts or ())) - _looked_into(self.goals) - self.fields
        return [field_column(name) for name in sorted(names)]

    def columns(self, events: EventTable, named: Mapping[str, Goal]) -> list[str]:
        """The columns that the counting looks at, in the order in which rows are sorted by them."""
        fields = [field_column(name) for name in sorted(self.kept_fields)]
        session = [SESSION] if SESSION in events.frame.collect_schema() else []
        return [USER, TIME, *session, *named, *fields]


def limits_of(goals: Goals, period: Period, known_until: int | None) -> Limits:
    """What bounds the attempts in this period, of a log that ends at `known_until`."""
    data_end = period.as_of if period.as_of is not None else known_until
    return Limits(
        period.since,
        period.until,
        data_end or 0,
        goals.events.session_timeout,
        trend=PERIODS[period.trend] if period.trend else None,
        timezone=goals.events.timezone,
    )


def used_expr(goals: Goals, period: Period) -> pl.Expr:
    """Whether a row is looked at: not rejected, not filtered, not after `as_of`; never null."""
    used = pl.col(REJECTED) == 0
    if goals.events.where is not None:
        used &= match_expr(goals.events.where)
    if period.as_of is not None:
        used &= pl.col(TIME) <= period.as_of
    return used


def _split_by(goals: Goals) -> frozenset[str]:
    return frozenset(name for funnel in goals.funnels.values() for each in funnel.by for name in each.columns)


def _looked_into(goals: Goals) -> frozenset[str]:
    """The fields that make units, different values or money."""
    units = {name for funnel in goals.funnels.values() for name in funnel.unit_columns}
    valued = {field for goal in goals.goals.values() for field in (goal.distinct, *goal.value_fields) if field}
    return frozenset(units | valued)

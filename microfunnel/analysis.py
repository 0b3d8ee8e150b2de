"""From events and goals to a report, with one reading of the events."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import polars as pl

from microfunnel.counting.counts import count
from microfunnel.counting.funnels import Limits
from microfunnel.counting.scorecard import MICROS
from microfunnel.counting.tallies import Tallies
from microfunnel.counting.totals import periods, segments, total
from microfunnel.errors import InputError, reading_errors
from microfunnel.events import REASONS, REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.funnels import Funnel
from microfunnel.goals import Goal, Goals
from microfunnel.interrupts import interruptible
from microfunnel.matching import conditions, fields_of, match_expr, match_goals
from microfunnel.results import EventsResult, FunnelResult, GoalResult, Report, ReportWarning
from microfunnel.trust import event_names, unmatched_warnings, unread_warnings

USED = "used"
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}
NO_EVENTS = ReportWarning("no_events", "there is no event to count")


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


def fields_needed(goals: Goals) -> set[str]:
    """The fields of the export that a run of these goals looks at."""
    where = goals.events.where.field_names() if goals.events.where is not None else set()
    return {"event"} | where | _kept_fields(goals) | fields_of(conditions(goals).values())


def analyse(events: EventTable, goals: Goals, period: Period) -> Report:
    """The report of all goals and funnels over these events."""
    named = conditions(goals)
    marked = mark(events.frame, goals, period, named)
    overview, rows = collect(events, overview_of(marked, period), _matched(marked, goals, named))
    facts = overview.row(0, named=True)
    counts = count(rows, goals, named, limits_of(goals, period, facts["known_until"]))
    return Report(
        events=EventsResult(
            files=len(events.paths),
            rows_read=facts["rows_read"],
            rows_used=facts["rows_used"],
            rows_filtered=facts["rows_read"] - facts["rows_used"] - sum(facts[reason] for reason in REASONS[1:]),
            rejected={reason: facts[reason] for reason in REASONS[1:] if facts[reason]},
            users=facts["users"],
            sessions=counts.sessions,
            first_time=facts["first_time"],
            last_time=facts["last_time"],
            timezone=goals.events.timezone,
            joined_ids=events.joined_ids,
            warnings=(
                *(ReportWarning(code, message) for code, message in events.warnings),
                *(_silence(events, goals, named, marked, rows) if facts["rows_used"] else [NO_EVENTS]),
                *unread_warnings(goals, dict(counts.goals.select("goal", "unread").iter_rows())),
            ),
        ),
        goals=tuple(_goal_result(name, goal, counts.goals, facts["users"]) for name, goal in goals.goals.items()),
        funnels=tuple(_funnel_result(name, funnel, counts.funnels[name]) for name, funnel in goals.funnels.items()),
    )


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


def _silence(
    events: EventTable, goals: Goals, named: Mapping[str, Goal], marked: pl.LazyFrame, rows: pl.DataFrame
) -> list[ReportWarning]:
    """Warnings of goals and steps that no event matches; only where there are any are the event names read."""
    unmatched = [column for column in named if not rows[column].any()]
    names = dict(collect(events, event_names(marked.filter(USED)))[0].iter_rows()) if unmatched else {}
    return unmatched_warnings(goals, unmatched, names)


def collect(events: EventTable, *frames: pl.LazyFrame) -> list[pl.DataFrame]:
    """The frames, from one reading; an InputError that names the file where one can't be read."""
    try:
        with reading_errors():
            return interruptible(partial(pl.collect_all, frames, engine="streaming"))
    except InputError:
        # Errors of polars do not say which of many files is meant.
        for name, part in events.parts:
            with reading_errors(f"{name}: "):
                interruptible(partial(part.select(pl.all().null_count()).collect, engine="streaming"))
        raise


def mark(frame: pl.LazyFrame, goals: Goals, period: Period, named: Mapping[str, Goal]) -> pl.LazyFrame:
    """The events with `used` and a Boolean column for each condition."""
    used = pl.col(REJECTED) == 0
    if goals.events.where is not None:
        used &= match_expr(goals.events.where)
    if period.as_of is not None:
        used &= pl.col(TIME) <= period.as_of
    return frame.with_columns(used.alias(USED), *match_goals(named))


def overview_of(marked: pl.LazyFrame, period: Period) -> pl.LazyFrame:
    """One row: what became of the rows, how many users the period has, and which time its events cover."""
    used, inside = pl.col(USED), pl.col(USED)
    if period.since is not None:
        inside &= pl.col(TIME) >= period.since
    if period.until is not None:
        inside &= pl.col(TIME) < period.until
    return marked.select(
        pl.len().alias("rows_read"),
        used.sum().alias("rows_used"),
        *((pl.col(REJECTED) == number).sum().alias(reason) for number, reason in enumerate(REASONS) if number),
        pl.col(USER).filter(inside).n_unique().alias("users"),
        pl.col(TIME).filter(inside).min().alias("first_time"),
        pl.col(TIME).filter(inside).max().alias("last_time"),
        pl.col(TIME).filter(pl.col(REJECTED) == 0).max().alias("known_until"),
    ).cast(pl.Int64)


def _matched(marked: pl.LazyFrame, goals: Goals, named: Mapping[str, Goal]) -> pl.LazyFrame:
    """The used rows that some goal needs, with what the counting looks at; all of them where sessions matter."""
    wanted = pl.col(USED) if goals.need_all_events else pl.col(USED) & pl.any_horizontal(*named)
    return marked.filter(wanted).select(columns_counted(marked, goals, named))


def columns_counted(marked: pl.LazyFrame, goals: Goals, named: Mapping[str, Goal]) -> list[str]:
    """The columns that the counting looks at, in the order in which rows are sorted by them."""
    fields = [field_column(name) for name in sorted(_kept_fields(goals))]
    session = [SESSION] if SESSION in marked.collect_schema() else []
    return [USER, TIME, *session, *named, *fields]


def _kept_fields(goals: Goals) -> set[str]:
    """The fields that are looked at after the reading: breakdowns, distinct values, money."""
    by = {name for funnel in goals.funnels.values() for each in funnel.by for name in each.columns}
    units = {name for funnel in goals.funnels.values() for name in funnel.unit_columns}
    of_goals = {field for goal in goals.goals.values() for field in (goal.distinct, goal.value_column) if field}
    return by | units | of_goals


def _goal_result(name: str, goal: Goal, tallied: pl.DataFrame, all_users: int) -> GoalResult:
    score = tallied.row(by_predicate=pl.col("goal") == name, named=True)
    value = None if goal.value is None else Decimal(score["value"]) / MICROS
    return GoalResult(name, goal.kind, score["completions"], score["users"], all_users, value)


def _funnel_result(name: str, funnel: Funnel, tallies: Tallies) -> FunnelResult:
    return FunnelResult(
        funnel=name,
        order=funnel.order,
        count=", ".join(funnel.unit_columns) or str(funnel.count),
        entry=funnel.entry,
        window_seconds=None if funnel.window is None else funnel.window / 1_000_000,
        totals=total(tallies, funnel),
        segments=tuple(segments(tallies, funnel)),
        trend=tuple(periods(tallies, funnel)),
        left_out=tallies.left_out,
    )

"""From events and goals to a report, with one reading of the events."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from microfunnel.counting.completions import complete_goals
from microfunnel.counting.funnels import Period, tally_funnel
from microfunnel.counting.scorecard import MICROS, tally_goals
from microfunnel.counting.sessions import add_sessions
from microfunnel.counting.totals import segments, total
from microfunnel.errors import polars_errors
from microfunnel.events import REASONS, REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.goals import Goal, Goals
from microfunnel.matching import condition_column, conditions, fields_of, goal_column, match_expr, match_goals
from microfunnel.results import EventsResult, FunnelResult, GoalResult, Report, Warning
from microfunnel.trust import event_names, unmatched_warnings

USED = "used"


def fields_needed(goals: Goals) -> set[str]:
    """The fields of the export that a run of these goals looks at."""
    where = goals.events.where.field_names() if goals.events.where is not None else set()
    return {"event"} | where | _kept_fields(goals) | fields_of(conditions(goals).values())


def sessions_needed(goals: Goals) -> bool:
    """Whether anything in these goals depends on sessions."""
    funnels = any(funnel.count == "sessions" for funnel in goals.funnels.values())
    return funnels or any(goal.needs_sessions for goal in goals.goals.values())


def analyse(events: EventTable, goals: Goals, period: Period) -> Report:
    """The report of all goals and funnels over these events."""
    named = conditions(goals)
    marked = _mark(events.frame, goals, period, named)
    with_sessions = sessions_needed(goals)
    overview, rows = _collect(_overview(marked, period), _matched(marked, goals, named, keep_all=with_sessions))
    facts = overview.row(0, named=True)
    unmatched = [column for column in named if not rows[column].any()]
    names = dict(_collect(event_names(marked.filter(USED)))[0].iter_rows()) if unmatched else {}
    # Which of several events of one instant fills a count must not depend on the order of the rows.
    order = rows.columns if any(goal.counted for goal in named.values()) else [USER, TIME]
    rows = rows.sort(order)
    if with_sessions:
        rows = add_sessions(rows, goals.events.session_timeout)
    rows = complete_goals(rows, named)
    scores = tally_goals(rows, {goal_column(name): goal for name, goal in goals.goals.items()}, period)
    warnings = [Warning(code, message) for code, message in events.warnings]
    warnings += unmatched_warnings(goals, unmatched, names)
    warnings += _unread_values(goals, scores)
    data_end = period.as_of if period.as_of is not None else facts["known_until"]
    return Report(
        events=EventsResult(
            files=events.files,
            rows_read=facts["rows_read"],
            rows_used=facts["rows_used"],
            rows_filtered=facts["rows_read"] - facts["rows_used"] - sum(facts[reason] for reason in REASONS[1:]),
            rejected={reason: facts[reason] for reason in REASONS[1:] if facts[reason]},
            users=facts["users"],
            sessions=rows[SESSION].drop_nulls().n_unique() if with_sessions else None,
            first_time=facts["first_time"],
            last_time=facts["last_time"],
            timezone=goals.events.timezone,
            warnings=tuple(warnings),
        ),
        goals=tuple(_goal_result(name, goal, scores, facts["period_users"]) for name, goal in goals.goals.items()),
        funnels=tuple(_funnel_result(name, goals, rows, period, data_end or 0) for name in goals.funnels),
    )


def _collect(*frames: pl.LazyFrame) -> list[pl.DataFrame]:
    with polars_errors():
        return pl.collect_all(frames, engine="streaming")


def _mark(frame: pl.LazyFrame, goals: Goals, period: Period, named: Mapping[str, Goal]) -> pl.LazyFrame:
    """The events with `used` and a Boolean column for each condition."""
    used = pl.col(REJECTED) == 0
    if goals.events.where is not None:
        used &= match_expr(goals.events.where)
    if period.since is not None:
        used &= pl.col(TIME) >= period.since
    if period.as_of is not None:
        used &= pl.col(TIME) <= period.as_of
    return frame.with_columns(used.alias(USED), *match_goals(named))


def _overview(marked: pl.LazyFrame, period: Period) -> pl.LazyFrame:
    """One row: what became of the rows, how many users there are and which time they cover."""
    used = pl.col(USED)
    users = pl.col(USER).filter(used).n_unique()
    in_period = users if period.until is None else pl.col(USER).filter(used & (pl.col(TIME) < period.until)).n_unique()
    return marked.select(
        pl.len().alias("rows_read"),
        used.sum().alias("rows_used"),
        *((pl.col(REJECTED) == number).sum().alias(reason) for number, reason in enumerate(REASONS) if number),
        users.alias("users"),
        in_period.alias("period_users"),
        pl.col(TIME).filter(used).min().alias("first_time"),
        pl.col(TIME).filter(used).max().alias("last_time"),
        pl.col(TIME).filter(pl.col(REJECTED) == 0).max().alias("known_until"),
    ).cast(pl.Int64)


def _matched(marked: pl.LazyFrame, goals: Goals, named: Mapping[str, Goal], *, keep_all: bool) -> pl.LazyFrame:
    """The used rows that some goal needs, with what the counting looks at; all of them where sessions matter."""
    wanted = pl.col(USED) if keep_all else pl.col(USED) & pl.any_horizontal(*named)
    fields = [field_column(name) for name in sorted(_kept_fields(goals))]
    session = [SESSION] if SESSION in marked.collect_schema() else []
    return marked.filter(wanted).select(USER, TIME, *session, *named, *fields)


def _kept_fields(goals: Goals) -> set[str]:
    """The fields that are looked at after the reading: breakdowns, distinct values, money."""
    by = {breakdown.column for funnel in goals.funnels.values() for breakdown in funnel.by}
    of_goals = {field for goal in goals.goals.values() for field in (goal.distinct, goal.value_column) if field}
    return by | of_goals


def _unread_values(goals: Goals, scores: pl.DataFrame) -> list[Warning]:
    unread = dict(scores.filter(pl.col("unread") > 0).select("goal", "unread").iter_rows())
    return [
        Warning("unread_value", f"{unread[goal_column(name)]:,} completions of {name!r} have no number in {goal.value_column!r}", (name,))
        for name, goal in goals.goals.items()
        if goal_column(name) in unread
    ]


def _goal_result(name: str, goal: Goal, scores: pl.DataFrame, all_users: int) -> GoalResult:
    score: dict[str, Any] = scores.row(by_predicate=pl.col("goal") == goal_column(name), named=True)
    value = None if goal.value is None else Decimal(score["value"]) / MICROS
    return GoalResult(name, goal.kind, score["completions"], score["users"], all_users, value)


def _funnel_result(name: str, goals: Goals, rows: pl.DataFrame, period: Period, data_end: int) -> FunnelResult:
    funnel = goals.funnels[name]
    steps = [condition_column(name, index, goals) for index in range(len(funnel.steps))]
    tallies = tally_funnel(rows, funnel, steps, period, data_end, goals.events.session_timeout)
    return FunnelResult(
        funnel=name,
        order=funnel.order,
        count=funnel.count,
        entry=funnel.entry,
        window_seconds=None if funnel.window is None else funnel.window / 1_000_000,
        totals=total(tallies, funnel),
        segments=tuple(segments(tallies, funnel)),
    )

"""Every funnel and every goal, counted: from tallies to a report."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.counts import tally_funnels
from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import MICROS
from microfunnel.counting.tallies import Tallies
from microfunnel.counting.totals import periods, segments, total
from microfunnel.events import EventTable
from microfunnel.funnels import Funnel
from microfunnel.goals import Goal, Goals
from microfunnel.questions import Period, Question
from microfunnel.results import FunnelResult, GoalResult, Report


def question_of(goals: Goals) -> Question[Mapping[str, Tallies]]:
    """What a report asks of the events: each funnel of the goals file, and its goals."""

    def tally(rows: pl.DataFrame, limits: Limits) -> Mapping[str, Tallies]:
        return tally_funnels(rows, goals.funnels, limits)

    return Question(goals, tally, _added)


def _added(parts: Sequence[Mapping[str, Tallies]]) -> Mapping[str, Tallies]:
    return {name: Tallies.added([part[name] for part in parts]) for name in parts[0]}


def analyse(events: EventTable, goals: Goals, period: Period, options: Options = DEFAULTS) -> Report:
    """The report of all goals and funnels over these events."""
    found = answer(events, question_of(goals), period, options)
    return Report(
        events=found.events,
        goals=tuple(_goal_result(name, goal, found.goals, found.events.users) for name, goal in goals.goals.items()),
        funnels=tuple(funnel_result(name, funnel, found.found[name]) for name, funnel in goals.funnels.items()),
    )


def _goal_result(name: str, goal: Goal, tallied: pl.DataFrame, all_users: int | None) -> GoalResult:
    score = tallied.row(by_predicate=pl.col("goal") == name, named=True)
    value = None if goal.value is None else Decimal(score["value"]) / MICROS
    return GoalResult(name, goal.kind, score["completions"], score["users"], all_users, value)


def funnel_result(name: str, funnel: Funnel, tallies: Tallies) -> FunnelResult:
    """The funnel of that name, from its tallies."""
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

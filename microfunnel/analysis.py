"""Every funnel and every goal, counted: from tallies to a report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import polars as pl

from microfunnel.answering import DEFAULTS, Answer, Options, answer
from microfunnel.counting.counts import tally_funnels
from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import MICROS
from microfunnel.counting.paths import valued_goals
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
        return tally_funnels(rows, goals.funnels, limits, goals.goals)

    return Question(goals, tally, _added)


def _added(parts: Sequence[Mapping[str, Tallies]]) -> Mapping[str, Tallies]:
    return {name: Tallies.added([part[name] for part in parts]) for name in parts[0]}


def analyse(events: EventTable, goals: Goals, period: Period, options: Options = DEFAULTS) -> Report:
    """The report of all goals and funnels over these events."""
    found = answer(events, question_of(goals), period, options)
    return Report(
        events=found.events,
        goals=tuple(_goal_result(name, goal, found) for name, goal in goals.goals.items()),
        funnels=tuple(
            funnel_result(name, funnel, with_currencies(found.found[name], funnel, goals, found.currencies))
            for name, funnel in goals.funnels.items()
        ),
    )


def _goal_result(name: str, goal: Goal, found: Answer[Mapping[str, Tallies]]) -> GoalResult:
    score = found.goals.row(by_predicate=pl.col("goal") == name, named=True)
    value = None if goal.value is None else Decimal(score["value"]) / MICROS
    users, currency = found.events.users, found.currencies.get(name)
    return GoalResult(name, goal.kind, score["completions"], score["users"], users, value, currency)


def with_currencies(tallies: Tallies, funnel: Funnel, goals: Goals, currencies: Mapping[str, str]) -> Tallies:
    """The tallies of a funnel, in which values have their currencies."""
    valued = valued_goals(funnel, goals.goals)
    return replace(tallies, valued={step: currencies.get(goal) for step, goal in valued.items()})


def funnel_result(name: str, funnel: Funnel, tallies: Tallies) -> FunnelResult:
    """The numbers of one funnel."""
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

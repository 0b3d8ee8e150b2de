"""The report for spreadsheets: one table, a line for each step of each funnel, for each goal, and for each what if."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from microfunnel.levers import Gain, Lever
from microfunnel.rendering import Screen
from microfunnel.rendering.findings import Scalar, as_csv
from microfunnel.rendering.to_json import json_number
from microfunnel.results import FunnelResult, GoalResult, Rate, Report, Step, Totals

Record = Mapping[str, Scalar]

COLUMNS = (
    "table",
    "funnel",
    "by",
    "segment",
    "read_at",
    "period",
    "step",
    "goal",
    "kind",
    "optional",
    "completions",
    "users",
    "rate",
    "entered",
    "reached",
    "from_previous",
    "from_first",
    "dropped",
    "drop_off",
    "entered_here",
    "excluded",
    "in_progress",
    "mean_seconds",
    "median_seconds",
    "value",
    "value_per_unit",
    "value_per_completion",
    "value_at_risk",
    "currency",
)
WHAT_IF = (
    "what_if",
    "new_rate",
    "more_conversions",
    "more_conversions_low",
    "more_conversions_high",
    "more_value",
    "more_value_low",
    "more_value_high",
)
"""Columns that are there where somebody asks for them."""


def render(report: Report, _screen: Screen) -> str:
    """CSV, the same bytes for the same report on every screen."""
    asked = any(funnel.levers is not None for funnel in report.funnels)
    columns = (*COLUMNS, *WHAT_IF) if asked else COLUMNS
    return as_csv([{column: record.get(column) for column in columns} for record in _records(report)])


def _records(report: Report) -> Iterator[Record]:
    for funnel in report.funnels:
        whole = {"table": "step", "funnel": funnel.funnel}
        yield from _steps(whole, funnel.totals)
        for segment in funnel.segments:
            by = {**_named(segment.by), "read_at": segment.value}
            yield from _steps({**whole, **by}, segment.totals)
        for period in funnel.trend:
            yield from _steps({**whole, "period": period.period}, period.totals)
    for funnel in report.funnels:
        for lever in funnel.levers or ():
            yield from _lever(lever, funnel)
    for goal in report.goals:
        yield _goal(goal)


def _named(by: Mapping[str, str]) -> Record:
    return {"by": ", ".join(by), "segment": ", ".join(by.values())}


def _steps(whole: Record, totals: Totals) -> Iterator[Record]:
    for step in totals.steps:
        yield {**whole, **_step(step), "value_at_risk": _float(totals.at_risk(step))}


def _step(step: Step) -> Record:
    times = step.times_from_previous
    return {
        "step": step.step,
        "goal": step.goal,
        "optional": step.optional,
        "entered": step.entered,
        "reached": step.reached,
        "from_previous": _rate(step.from_previous),
        "from_first": _rate(step.from_first),
        "dropped": step.dropped,
        "drop_off": _rate(step.drop_off),
        "entered_here": step.entered_here,
        "excluded": step.excluded,
        "in_progress": step.in_progress,
        "mean_seconds": None if times is None else times.mean,
        "median_seconds": None if times is None else times.median,
        "value": step.value,
        "value_per_unit": _float(step.value_per_unit),
        "currency": step.currency,
    }


def _lever(lever: Lever, funnel: FunnelResult) -> Iterator[Record]:
    whole: Record = {"table": "what_if", "funnel": funnel.funnel, "step": lever.step, "goal": lever.goal}
    now: Record = {**whole, "from_previous": lever.rate, "currency": funnel.totals.currency}
    yield {**now, "what_if": "by_a_tenth", **_gain(lever.by_a_tenth)}
    if lever.best is not None:
        yield {**now, **_named(lever.best.by), "what_if": "to_best_segment", **_gain(lever.best.gain)}


def _gain(gain: Gain) -> Record:
    return {
        "new_rate": gain.rate,
        "more_conversions": gain.more,
        "more_conversions_low": gain.low,
        "more_conversions_high": gain.high,
        "more_value": gain.value,
        "more_value_low": gain.value_low,
        "more_value_high": gain.value_high,
    }


def _goal(goal: GoalResult) -> Record:
    return {
        "table": "goal",
        "goal": goal.goal,
        "kind": goal.kind,
        "completions": goal.completions,
        "users": goal.users,
        "rate": _rate(goal.rate),
        "value": goal.value,
        "value_per_unit": _float(goal.value_per_user),
        "value_per_completion": _float(goal.value_per_completion),
        "currency": goal.currency,
    }


def _rate(rate: Rate | None) -> float | None:
    return None if rate is None else rate.value


def _float(amount: Decimal | None) -> float | None:
    """A mean, as JSON has it; sums are written as they are."""
    return None if amount is None else json_number(amount)

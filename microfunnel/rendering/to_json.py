"""The report for programs: the contract that schemas/report.schema.json describes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from microfunnel.accounts import EventsResult, ReportWarning
from microfunnel.levers import BestSegment, Gain, Lever
from microfunnel.rendering import Screen
from microfunnel.rendering.text import STOPPED
from microfunnel.results import PERCENTILES, FunnelResult, GoalResult, Rate, Report, Step, Times, Totals

SCHEMA = "microfunnel.report/1"
MOST_RAW = 500
"""Characters of a rejected row."""


def render(report: Report, _screen: Screen) -> str:
    """JSON, the same bytes for the same report on every screen."""
    contents = {
        "schema": SCHEMA,
        "events": events_contents(report.events),
        "goals": [_goal(goal) for goal in report.goals],
        "funnels": [_funnel(funnel) for funnel in report.funnels],
    }
    return json.dumps(contents, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def events_contents(events: EventsResult) -> dict[str, object]:
    return {
        "files": events.files,
        "rows_read": events.rows_read,
        "rows_used": events.rows_used,
        "rows_filtered": events.rows_filtered,
        "rejected": dict(events.rejected),
        "rejected_samples": [
            {
                "file": row.file,
                "line": row.line,
                "reason": row.reason,
                "raw": None if row.raw is None else row.raw[:MOST_RAW],
            }
            for row in events.samples
        ],
        "layouts": list(events.layouts),
        "users": events.users,
        "sessions": events.sessions,
        "joined_ids": events.joined_ids,
        "duplicates": events.duplicates,
        "ties": events.ties,
        "first_time": iso_time(events.first_time),
        "last_time": iso_time(events.last_time),
        "warnings": [_warning(warning) for warning in events.warnings],
    }


def _warning(warning: ReportWarning) -> dict[str, object]:
    return {
        "warning": warning.warning,
        "message": warning.message,
        "goals": list(warning.goals),
        "steps": [{"funnel": funnel, "step": step} for funnel, step in warning.steps],
    }


def _goal(goal: GoalResult) -> dict[str, object]:
    return {
        "goal": goal.goal,
        "kind": goal.kind,
        "completions": goal.completions,
        "users": goal.users,
        "rate": _rate(goal.rate),
        "value": _money(goal.value),
        "value_per_completion": _money(goal.value_per_completion),
        "value_per_user": _money(goal.value_per_user),
        "currency": goal.currency,
    }


def how_counted(funnel: FunnelResult) -> dict[str, object]:
    """Which funnel it is, and how it was counted."""
    window = funnel.window_seconds
    return {
        "funnel": funnel.funnel,
        "order": funnel.order,
        "count": funnel.count,
        "entry": funnel.entry,
        "window_seconds": None if window is None else json_number(window),
    }


def _funnel(funnel: FunnelResult) -> dict[str, object]:
    return {
        **how_counted(funnel),
        **_totals(funnel.totals),
        "left_out": funnel.left_out,
        "segments": [
            {"by": dict(segment.by), "value": segment.value, **_totals(segment.totals)} for segment in funnel.segments
        ],
        "trend": [{"period": period.period, **_totals(period.totals)} for period in funnel.trend],
        "what_if": None if funnel.levers is None else [_lever(lever) for lever in funnel.levers],
    }


def _totals(totals: Totals) -> dict[str, object]:
    low, high = totals.conversion.interval() or (None, None)
    return {
        "entered": totals.entered,
        "converted": totals.converted,
        "conversion_rate": _rate(totals.conversion),
        "conversion_rate_low": low,
        "conversion_rate_high": high,
        "in_progress": totals.in_progress,
        "matured_rate": _rate(totals.matured),
        "matured_entered": None if totals.matured is None else totals.matured.whole,
        "matured_converted": None if totals.matured is None else totals.matured.part,
        "converted_value": _money(totals.value),
        "value_per_converted": _money(totals.value_per_converted),
        "value_at_risk": _money(totals.value_at_risk),
        "currency": totals.currency,
        "steps": [_step(step, totals) for step in totals.steps],
    }


def _step(step: Step, totals: Totals) -> dict[str, object]:
    return {
        "step": step.step,
        "goal": step.goal,
        "optional": step.optional,
        "reached": step.reached,
        "from_previous": _rate(step.from_previous),
        "from_first": _rate(step.from_first),
        "dropped": step.dropped,
        "drop_off": _rate(step.drop_off),
        "entered_here": step.entered_here,
        "excluded": step.excluded,
        "in_progress": step.in_progress,
        "stopped": None if step.dropped is None else {reason: step.stopped.get(reason, 0) for reason in STOPPED},
        "seconds_from_previous": seconds(step.times_from_previous),
        "seconds_from_first": seconds(step.times_from_first),
        "value": _money(step.value),
        "value_per_unit": _money(step.value_per_unit),
        "value_at_risk": _money(totals.at_risk(step)),
        "currency": step.currency,
    }


def _lever(lever: Lever) -> dict[str, object]:
    return {
        "step": lever.step,
        "goal": lever.goal,
        "rate": lever.rate,
        "by_a_tenth": _gain(lever.by_a_tenth),
        "to_best_segment": None if lever.best is None else _best_segment(lever.best),
    }


def _best_segment(best: BestSegment) -> dict[str, object]:
    return {
        "by": dict(best.by),
        "previous": best.previous,
        "reached": best.reached,
        "compared": best.compared,
        "beyond_chance": best.beyond_chance,
        "gain": _gain(best.gain),
    }


def _gain(gain: Gain) -> dict[str, object]:
    return {
        "rate": gain.rate,
        "more_conversions": gain.more,
        "more_conversions_low": gain.low,
        "more_conversions_high": gain.high,
        "more_value": gain.value,
        "more_value_low": gain.value_low,
        "more_value_high": gain.value_high,
    }


def seconds(times: Times | None) -> dict[str, float | None] | None:
    """Number, mean and percentiles; nothing where there are no times to tell of."""
    if times is None:
        return None
    names = ("median", *(name for name in PERCENTILES if name != "median"))
    return {"n": times.n, "mean": times.mean, **{name: times.percentiles.get(name) for name in names}}


def _rate(rate: Rate | None) -> float | None:
    return None if rate is None else rate.value


def _money(value: Decimal | None) -> float | None:
    return None if value is None else json_number(value)


def json_number(value: Decimal | float) -> float:
    """An int where it is whole, however large; otherwise the float that is written with the same digits."""
    return int(value) if value == int(value) else float(value)


def iso_time(time: int | None) -> str | None:
    """ISO 8601 in UTC, with microseconds only where there are any."""
    if time is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    return moment.isoformat().removesuffix("+00:00") + "Z"

"""Why one user was counted as it was, for programs."""

import json
from dataclasses import asdict

from microfunnel.explanations import ExplainedEvent, ExplainedFunnel, ExplainedJourney, ExplainedUnit, Explanation
from microfunnel.rendering import Screen
from microfunnel.rendering.to_json import iso_time, json_number

SCHEMA = "microfunnel.explanation/1"


def render(explanation: Explanation, _screen: Screen) -> str:
    """JSON, the same bytes for the same explanation on every screen; times are UTC."""
    contents = {
        "schema": SCHEMA,
        "user": explanation.user,
        "data_end": iso_time(explanation.data_end),
        "funnels": [_funnel(funnel) for funnel in explanation.funnels],
    }
    return json.dumps(contents, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _funnel(funnel: ExplainedFunnel) -> dict[str, object]:
    return {
        "funnel": funnel.funnel,
        "order": funnel.order,
        "count": funnel.count,
        "entry": funnel.entry,
        "window_seconds": None if funnel.window_seconds is None else json_number(funnel.window_seconds),
        "steps": [
            {"step": place, "goal": step.goal, "optional": step.optional}
            for place, step in enumerate(funnel.steps, start=1)
        ],
        "units": [_unit(unit) for unit in funnel.units],
    }


def _unit(unit: ExplainedUnit) -> dict[str, object]:
    return {
        "unit": unit.unit,
        "absent": unit.absent,
        "journeys": [_journey(journey) for journey in unit.journeys],
        "events": [_event(event) for event in unit.events],
    }


def _journey(journey: ExplainedJourney) -> dict[str, object]:
    return {
        "reached": journey.reached,
        "first": journey.first,
        "depth": journey.depth,
        "required": journey.required,
        "outcome": journey.outcome,
        "stopped_before": journey.stopped_before,
        "closes": iso_time(journey.closes),
        "taken": [
            {"step": step.step, "goal": step.goal, "optional": step.optional, "time": iso_time(step.time)}
            for step in journey.taken
        ],
    }


def _event(event: ExplainedEvent) -> dict[str, object]:
    return {
        "time": iso_time(event.time),
        "event": event.event,
        "goals": list(event.goals),
        "steps": list(event.steps),
        "verdicts": [asdict(verdict) for verdict in event.verdicts],
        "own": event.own,
    }

"""What is explained of each user adds up to the numbers of `run`."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from bridge import report_of
from hypothesis import given
from strategies import Case, counted_cases, examples, whole_cases
from user_logs import table_of

from microfunnel.explaining import explain
from microfunnel.explanations import ExplainedFunnel, ExplainedJourney, Explanation
from microfunnel.goals import Goals
from microfunnel.questions import Period
from microfunnel.rendering import Screen, explanation, explanation_json
from microfunnel.results import FunnelResult

SAMPLE = Path(__file__).parents[1] / "sample_data" / "events.csv"
EXAMPLE = Path(__file__).parents[1] / "goals.example.yaml"
SAMPLE_USERS = 200


def summed(journeys: Sequence[ExplainedJourney], funnel: ExplainedFunnel) -> dict[str, Any]:
    """The numbers of a report from the journeys of all units."""
    any_order = funnel.order == "any"
    required = [place for place, step in enumerate(funnel.steps) if not step.optional]
    reached: list[int] = []
    stopped: list[dict[str, int]] = []
    for place, step in enumerate(funnel.steps):
        if step.optional:
            reached.append(sum(place + 1 in [taken.step for taken in journey.taken] for journey in journeys))
            stopped.append({})
            continue
        number = required.index(place) + 1
        reached.append(sum(journey.first <= number <= journey.depth for journey in journeys))
        before = [journey.outcome for journey in journeys if journey.depth == number - 1]
        stopped.append(dict(Counter(before)) if place else {})
    whole = [
        [taken.time for taken in journey.taken if not taken.optional]
        for journey in journeys
        if journey.outcome == "converted"
    ]
    return {
        "entered": len(journeys),
        "reached": reached,
        "stopped": stopped,
        "waits": None if any_order else sum(times[-1] - times[0] for times in whole),
    }


def reported(funnel: FunnelResult, explained_funnel: ExplainedFunnel) -> dict[str, Any]:
    steps = funnel.totals.steps
    last = funnel.totals.required[-1].times_from_first
    return {
        "entered": funnel.totals.entered,
        "reached": [step.reached for step in steps],
        "stopped": [{reason: n for reason, n in step.stopped.items() if n} for step in steps],
        "waits": None if explained_funnel.order == "any" else last.total_us if last is not None else 0,
    }


def journeys_of(found: Sequence[Explanation], place: int) -> list[ExplainedJourney]:
    """The journeys of all users, those of a shared unit once."""
    shared: dict[object, Sequence[ExplainedJourney]] = {}
    for each in found:
        funnel = each.funnels[place]
        by_columns = funnel.count not in {"users", "sessions", "attempts"}
        for unit in funnel.units:
            shared[unit.unit if by_columns else (each.user, unit.unit)] = unit.journeys
    return [journey for journeys in shared.values() for journey in journeys]


def check_against_run(case: Case) -> None:
    # What segments a unit is in has no part in where it stopped.
    file = {**case.file, "funnels": {"f": {**case.file["funnels"]["f"], "by": []}}}
    goals = Goals.model_validate(file)
    limits = case.limits
    period = Period(limits.since, limits.until, limits.as_of)
    users = sorted({str(row["user"]) for row in case.rows})
    found = [explain(user, table_of(case.rows, goals), goals, period) for user in users]
    report = report_of(case.rows, file, limits.since, limits.until, limits.as_of)
    (funnel,) = report.funnels
    shape = found[0].funnels[0]
    assert summed(journeys_of(found, 0), shape) == reported(funnel, shape)
    for each in found:
        check_the_whole(each)


def check_the_whole(found: Explanation) -> None:
    """What holds for every explanation: each step that was taken has an event, and everything can be said."""
    for funnel in found.funnels:
        for unit in funnel.units:
            taken = Counter(step.step for journey in unit.journeys for step in journey.taken)
            counted = {"entry", "taken", "optional_taken"}
            said = Counter(each.step for event in unit.events for each in event.verdicts if each.verdict in counted)
            assert said == taken
            assert (unit.absent is None) == bool(unit.journeys)
    for width in (60, None):
        shown = explanation.render(found, Screen(width, colour=False, unicode=False))
        assert shown.isascii()
        assert "None" not in shown
    json.loads(explanation_json.render(found, Screen(None, colour=False, unicode=True)))


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_the_journeys_are_those_of_run(order: str) -> None:
    examples(60)(given(whole_cases(order))(check_against_run))()


@examples(40)
@given(counted_cases())
def test_they_are_where_steps_are_counted_goals(case: Case) -> None:
    check_against_run(case)


def test_users_of_the_sample_add_up_to_the_report() -> None:
    frame = pl.read_csv(SAMPLE, infer_schema=False)
    users = sorted(frame["user_id"].unique())[:: frame["user_id"].n_unique() // SAMPLE_USERS][:SAMPLE_USERS]
    few = frame.filter(pl.col("user_id").is_in(users)).rename({"user_id": "user", "session_id": "session"})
    times = few.select(pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC").dt.timestamp("us"))
    rows = few.drop("timestamp").with_columns(times.to_series().alias("time")).to_dicts()
    file = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    goals = Goals.model_validate(file)
    table = table_of(rows, goals)
    found = [explain(user, table, goals, Period()) for user in users]
    report = report_of(rows, file)
    for place, funnel in enumerate(report.funnels):
        assert summed(journeys_of(found, place), found[0].funnels[place]) == reported(funnel, found[0].funnels[place])

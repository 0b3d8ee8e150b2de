"""The fast counting against the reference, on thousands of small logs, and what must hold whatever the log.

`HYPOTHESIS_PROFILE=long` looks at ten times as many logs, and at others in each run.
"""

from math import inf
from typing import Any

import pytest
from bridge import report_of
from hypothesis import example, given
from hypothesis import strategies as st
from reference import Counted, count_funnel
from reference_goals import completions, micros
from reference_rule import REASONS, Limits
from reference_tally import Tally
from reference_tally import Times as ReferenceTimes
from strategies import (
    COUNTED_GOALS,
    PLAIN_GOALS,
    START,
    TICK,
    TICKS,
    Case,
    Log,
    PeerCase,
    all_peer_cases,
    cases,
    cases_of_days,
    counted_cases,
    examples,
    funnels,
    goals_file,
    logs,
    whole_cases,
)

from microfunnel.results import FunnelResult, Segment, Times, Totals

LATEST = START + 2 * TICKS * TICK
NEGATIVE = {"not_a", "every"}  # goals that any foreign event completes


def fast(case: Case) -> FunnelResult:
    limits = case.limits
    report = report_of(case.rows, case.file, limits.since, limits.until, limits.as_of, case.trend)
    (funnel,) = report.funnels
    return funnel


def shown_times(times: Times | ReferenceTimes | None) -> Any:
    """Percentiles are the only floats; the last bit of an interpolation is nobody's business."""
    if times is None:
        return None
    return times.n, times.total_us, {name: round(value, 6) for name, value in times.percentiles.items()}


def shown(totals: Totals) -> dict[str, Any]:
    """The numbers of a result, side by side with `shown_reference`."""
    steps = totals.steps
    return {
        "entered": totals.entered,
        "reached": [step.reached for step in steps],
        "entered_here": [step.entered_here for step in steps],
        "stopped": [{reason: step.stopped.get(reason, 0) for reason in REASONS} for step in steps],
        "in_progress": totals.in_progress,
        "matured": totals.matured and (totals.matured.part, totals.matured.whole),
        "from_previous": [shown_times(step.times_from_previous) for step in steps],
        "from_first": [shown_times(step.times_from_first) for step in steps],
        "values": [step.value for step in steps],
    }


def shown_reference(tally: Tally) -> dict[str, Any]:
    return {
        "entered": tally.entered,
        "reached": tally.reached,
        "entered_here": tally.entered_here,
        "stopped": tally.stopped,
        "in_progress": tally.in_progress,
        "matured": tally.matured,
        "from_previous": [shown_times(times) for times in tally.times_from_previous],
        "from_first": [shown_times(times) for times in tally.times_from_first],
        "values": tally.values,
    }


def whole(funnel: FunnelResult) -> dict[Any, Any]:
    """The funnel and its segments, by column and value."""
    segments = {label_of(segment): shown(segment.totals) for segment in funnel.segments}
    assert len(segments) == len(funnel.segments)
    trend = {period.period: shown(period.totals) for period in funnel.trend if period.totals.entered}
    return {"all": shown(funnel.totals)} | segments | trend


def label_of(segment: Segment) -> tuple[str, str]:
    """The breakdown and the value, as the reference has them."""
    read = "" if segment.value == "entry" else f" {segment.value}"
    return ", ".join(segment.by) + read, ", ".join(segment.by.values())


def whole_reference(counted: Counted) -> dict[Any, Any]:
    segments = {(by, value): tally for by, tallies in counted.segments.items() for value, tally in tallies.items()}
    return (
        {"all": shown_reference(counted.total)}
        | {key: shown_reference(tally) for key, tally in segments.items()}
        | {period: shown_reference(tally) for period, tally in counted.trend.items()}
    )


def whole_reference_of(case: Case) -> dict[Any, Any]:
    return whole_reference(count_funnel(case.rows, case.file, "f", case.limits, case.trend))


def reached(case: Case) -> list[int]:
    return [step.reached for step in fast(case).totals.steps]


# The b at the instant of the entry is too early for c; who leaves it aside takes the later b, and c just after it.
LEFT_ASIDE = Case(
    [
        {"user": "u", "time": START + ticks * TICK, "event": event}
        for ticks, event in [(0, "a"), (0, "b"), (4, "b"), (6, "c")]
    ],
    goals_file({"steps": ["a", "b", {"goal": "c", "within": "1s"}]}, {name: PLAIN_GOALS[name] for name in "abc"}),
    Limits(),
)

# Step 2 may take the b or the other a of its instant; only the a leaves the b for step 3.
WHICH_OF_THREE = Case(
    [{"user": "u", "time": START, "event": event} for event in "baa"],
    goals_file({"steps": ["a", "a_or_b", "b"]}, {name: PLAIN_GOALS[name] for name in ("a", "b", "a_or_b")}),
    Limits(),
)


# --- the same numbers -------------------------------------------------------------------------------------------------


@examples(900)
@given(cases())
@example(LEFT_ASIDE)
@example(WHICH_OF_THREE)
def test_the_fast_code_agrees_with_the_reference(case: Case) -> None:
    assert whole(fast(case)) == whole_reference_of(case)


@examples(350)
@given(counted_cases())
def test_it_agrees_where_steps_are_counted_goals(case: Case) -> None:
    assert whole(fast(case)) == whole_reference_of(case)


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_it_agrees_under_all_options(order: str) -> None:
    @examples(400)
    @given(whole_cases(order))
    def agrees(case: Case) -> None:
        assert whole(fast(case)) == whole_reference_of(case)

    agrees()


@examples(300)
@given(cases_of_days())
def test_it_agrees_in_each_period(case: Case) -> None:
    assert whole(fast(case)) == whole_reference_of(case)


@examples(250)
@given(logs())
def test_goals_are_completed_as_often_as_in_the_reference(rows: Log) -> None:
    goals = PLAIN_GOALS | COUNTED_GOALS
    file = goals_file({"steps": ["a"]}, goals)
    timeout = micros(file["events"]["session_timeout"])
    completed = {name: completions(goal, rows, timeout) for name, goal in goals.items()}
    expected = {name: (len(found), len({rows[index]["user"] for index in found})) for name, found in completed.items()}
    report = report_of(rows, file)
    assert {goal.goal: (goal.completions, goal.users) for goal in report.goals} == expected
    assert {goal.all_users for goal in report.goals} == {len({row["user"] for row in rows})}


@pytest.mark.parametrize("peer", all_peer_cases(), ids=lambda peer: peer.id)
def test_peers_agree(peer: PeerCase) -> None:
    found = fast(peer.case)
    groups = [(found.totals, peer.expected)]
    groups += [(part.totals, peer.expected["segments"][label_of(part)[1]]) for part in found.segments]
    assert len(groups) == 1 + len(peer.expected.get("segments", {}))
    for totals, expected in groups:
        assert "reached" not in expected or [step.reached for step in totals.steps] == expected["reached"]
        times = [step.times_from_previous for step in totals.steps]
        for time, mean in zip(times, expected.get("mean_seconds", []), strict=False):
            assert mean is None or (time and time.mean == mean)
        for time, median in zip(times, expected.get("median_seconds", []), strict=False):
            assert median is None or (time and time.median == median)
    periods = {
        each.period: {"entered": each.totals.entered, "converted": each.totals.converted} for each in found.trend
    }
    nobody = {"entered": 0, "converted": 0}
    for period in periods.keys() | peer.expected.get("trend", {}).keys():
        assert periods.get(period, nobody) == peer.expected["trend"].get(period, nobody)
    if conversions := peer.expected.get("conversions"):
        assert found.totals.converted == sum(conversions.values())


# --- what must hold whatever the log ----------------------------------------------------------------------------------


@examples(100)
@given(cases())
def test_counts_never_rise_along_a_funnel(case: Case) -> None:
    found = fast(case)
    for totals in [found.totals, *(segment.totals for segment in found.segments)]:
        counts = [step.reached for step in totals.steps]
        assert counts == sorted(counts, reverse=True)
        assert sum(step.in_progress for step in totals.steps) == (totals.in_progress or 0)


@examples(100)
@given(cases(limited=False), st.sampled_from(["0s", "0.5s", "2s", "5s", "none"]))
def test_a_wider_window_never_lowers_a_count(case: Case, window: str) -> None:
    funnel = case.file["funnels"]["f"]
    windows = sorted([funnel["window"], window], key=lambda size: inf if size == "none" else micros(size))
    narrow, wide = (reached(Case(case.rows, goals_file(funnel | {"window": size}), case.limits)) for size in windows)
    assert all(less <= more for less, more in zip(narrow, wide, strict=True))


@examples(100)
@given(logs(), st.data())
def test_the_order_of_rows_changes_nothing(rows: Log, data: st.DataObject) -> None:
    goals = PLAIN_GOALS | COUNTED_GOALS
    file = goals_file(data.draw(funnels(list(goals))), goals)
    shuffled = data.draw(st.permutations(rows))
    assert report_of(shuffled, file) == report_of(rows, file)


@examples(100)
@given(logs(sessions=True).filter(bool), funnels([goal for goal in PLAIN_GOALS if goal not in NEGATIVE]), st.data())
def test_an_event_that_matches_nothing_changes_nothing(rows: Log, funnel: dict[str, Any], data: st.DataObject) -> None:
    file = goals_file(funnel)
    others: Log = [row | {"event": "other"} for row in data.draw(st.lists(st.sampled_from(rows), max_size=4))]
    assert report_of(rows + others, file, as_of=LATEST).funnels == report_of(rows, file, as_of=LATEST).funnels


@examples(100)
@given(cases())
def test_segments_add_up_to_the_total(case: Case) -> None:
    found = fast(case)
    for column in {column for segment in found.segments for column in segment.by}:
        named = {segment.by[column]: segment.totals for segment in found.segments if column in segment.by}
        parts = list(named.values())
        for step, total in enumerate(found.totals.steps):
            assert sum(part.steps[step].reached for part in parts) == total.reached
            assert sum(part.steps[step].in_progress for part in parts) == total.in_progress
            if total.value is not None:
                assert sum(part.steps[step].value or 0 for part in parts) == total.value
            waits = [part.steps[step].times_from_first for part in parts]
            if total.times_from_first:
                assert sum(wait.total_us for wait in waits if wait) == total.times_from_first.total_us
        entered = [part.entered for value, part in named.items() if value != "(other)"]
        assert entered == sorted(entered, reverse=True)

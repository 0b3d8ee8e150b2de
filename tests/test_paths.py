"""The ledger of the lost agrees with a slow one in plain Python, and with the numbers of `run`."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_paths import Key, Waits, before, ledger
from strategies import COUNTED_GOALS, PLAIN_GOALS, START, Case, Log, counted_cases, examples, whole_cases
from test_partitions import limits as small
from user_logs import SECOND, log, table_of

from microfunnel.analysis import analyse
from microfunnel.answering import Options
from microfunnel.contracts import schema_of
from microfunnel.findings.paths import Line, PathsResult, StepPaths
from microfunnel.goals import Goals
from microfunnel.insights.paths import Wish, find_paths
from microfunnel.questions import Period
from microfunnel.rendering import Screen, findings, paths_records
from microfunnel.rendering.paths import render as table
from microfunnel.results import Report, Times

ALL = 1_000
NO_MORE = Options(with_users=False, with_doubts=False)
VALUED: dict[str, Any] = {
    **PLAIN_GOALS,
    "c": PLAIN_GOALS["c"] | {"value": "2.50"},
    "d": PLAIN_GOALS["d"] | {"value": {"column": "price"}},
    "b_or_c": PLAIN_GOALS["b_or_c"] | {"value": {"column": "price"}},
}


def paths_of(case: Case, wish: Wish) -> PathsResult:
    goals = Goals.model_validate(case.file)
    return find_paths(table_of(case.rows, goals), goals, wish, period_of(case), NO_MORE)


def report_of(case: Case) -> Report:
    goals = Goals.model_validate(case.file)
    return analyse(table_of(case.rows, goals), goals, period_of(case), NO_MORE)


def period_of(case: Case) -> Period:
    return Period(case.limits.since, case.limits.until, case.limits.as_of)


def shown(times: Times, units: int) -> tuple[int, int, int, float | None]:
    return units, times.n, times.total_us, times.median


def summaries(told: Mapping[Key, Waits]) -> dict[Key, Any]:
    return {key: waits.summary() for key, waits in told.items()}


def lines(step: StepPaths, *, lost: bool) -> dict[Key, Any]:
    def units(line: Line) -> int:
        return line.lost if lost else line.went_on

    return {
        (line.outcome, line.path): shown(line.lost_times if lost else line.went_on_times, units(line))
        for line in step.lines
        if units(line)
    }


def check(case: Case, depth: int, label: str = "event") -> None:
    goals = {**VALUED, **{name: goal for name, goal in case.file["goals"].items() if name in COUNTED_GOALS}}
    case = Case(case.rows, {**case.file, "goals": goals}, case.limits)
    found = paths_of(case, Wish(depth=depth, top=ALL, label=label))
    (funnel,) = found.funnels
    told, _ = ledger(case.rows, case.file, case.limits, depth, label)
    assert [lines(step, lost=True) for step in funnel.steps] == list(map(summaries, told.lost))
    assert [lines(step, lost=False) for step in funnel.steps] == list(map(summaries, told.went_on))
    check_against_run(case, found)


def check_against_run(case: Case, found: PathsResult) -> None:
    """Each unit that `run` counts as dropped stands in one line, and so does each that went on."""
    report = report_of(case)
    (counted,), (funnel,) = report.funnels, found.funnels
    assert funnel.result.totals == counted.totals
    assert funnel.result.left_out == counted.left_out
    required = counted.totals.required[1:]
    assert [(step.step, step.goal) for step in funnel.steps] == [(step.step, step.goal) for step in required]
    assert [step.dropped for step in funnel.steps] == [step.dropped for step in required]
    assert [step.went_on for step in funnel.steps] == [step.came_on for step in required]
    for step, by in zip(required, funnel.steps, strict=True):
        named = {line.outcome: line.lost for line in by.lines}
        stopped = {reason: n for reason, n in step.stopped.items() if n}
        for reason in ("too_late", "excluded", "in_progress"):
            assert named.get(reason, 0) == stopped.get(reason, 0)


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_ledger_is_that_of_the_oracle(order: str, depth: int) -> None:
    examples(30)(given(whole_cases(order))(lambda case: check(case, depth)))()


@examples(25)
@given(counted_cases(), st.integers(1, 5))
def test_it_is_where_steps_are_counted_goals(case: Case, depth: int) -> None:
    check(case, depth)


@examples(25)
@given(whole_cases(), st.integers(1, 2))
def test_it_is_where_events_are_called_by_a_column(case: Case, depth: int) -> None:
    check(case, depth, "device")


def check_before(case: Case, goal: str, depth: int) -> None:
    found = paths_of(case, Wish(before=goal, depth=depth, top=ALL)).before
    assert found is not None
    told = before(case.rows, case.file, goal, case.limits, depth)
    assert {way.path: shown(way.times, way.users) for way in found.ways} == {
        path: waits.summary() for path, waits in told.items()
    }
    report = report_of(case)
    assert found.users == next(each.users for each in report.goals if each.goal == goal)


@examples(40)
@given(whole_cases(), st.sampled_from(sorted(PLAIN_GOALS)), st.integers(1, 5))
def test_what_came_before_is_that_of_the_oracle(case: Case, goal: str, depth: int) -> None:
    check_before(case, goal, depth)


@examples(30)
@given(counted_cases(), st.sampled_from(sorted(COUNTED_GOALS)), st.integers(1, 3))
def test_it_is_before_counted_goals(case: Case, goal: str, depth: int) -> None:
    check_before(case, goal, depth)


@examples(30)
@given(whole_cases(), st.randoms(use_true_random=False), st.integers(1, 3), st.integers(1, 3))
def test_neither_partitions_nor_the_order_of_rows_change_anything(
    case: Case, chance: Any, depth: int, top: int
) -> None:
    wish = Wish(before="d", depth=depth, top=top)
    whole = paths_of(case, wish)
    shuffled = Case(chance.sample(case.rows, len(case.rows)), case.file, case.limits)
    with small(divided=2, counted=10**8):
        parts = paths_of(shuffled, wish)
    assert (parts.funnels, parts.before) == (whole.funnels, whole.before)


SCHEMA = schema_of("paths")
SCREENS = [Screen(width, colour=False, unicode=False) for width in (40, 60, 120, None)]


@examples(15)
@given(whole_cases(), st.integers(1, 5))
def test_everything_can_be_shown(case: Case, depth: int) -> None:
    found = paths_of(case, Wish(before="a", depth=depth, top=2))
    shown = findings.formats("paths", table, paths_records.contents, paths_records.rows)
    contents = json.loads(shown["json"](found, SCREENS[0]))
    jsonschema.Draft202012Validator(SCHEMA).validate(contents)
    for step in (step for funnel in contents["funnels"] for step in funnel["steps"]):
        assert sum(line["lost"] for line in step["lines"]) == step["dropped"]
        assert sum(line["went_on"] for line in step["lines"]) == step["went_on"]
    assert sum(way["users"] for way in contents["before"]["paths"]) == contents["before"]["users"]
    lines = shown["csv"](found, SCREENS[0]).splitlines()
    assert len({line.count(",") for line in lines}) <= 1
    for screen in SCREENS:
        text = shown["table"](found, screen)
        assert text.isascii()
        assert "None" not in text
        assert screen.width is None or max(map(len, text.splitlines())) <= screen.width


def test_names_from_files_are_harmless() -> None:
    rows: Log = [*log("a"), {"user": "u", "time": START + SECOND, "event": "\x1b[2J=x"}]
    found = told(rows, ["a", "b"], Wish(before="a"))
    for screen in SCREENS:
        assert "\x1b" not in table(found, screen)


# --- by hand ----------------------------------------------------------------------------------------------------------


def told(rows: Log, steps: list[Any], wish: Wish | None = None, **funnel: Any) -> PathsResult:
    file = {"version": 1, "goals": VALUED, "funnels": {"f": {"steps": steps, "window": "none", **funnel}}}
    goals = Goals.model_validate(file)
    return find_paths(table_of(rows, goals), goals, wish or Wish(), Period())


def the_lines(found: PathsResult, place: int = 0) -> list[tuple[str, tuple[str, ...], int, int]]:
    return [(line.outcome, line.path, line.lost, line.went_on) for line in found.funnels[0].steps[place].lines]


EXCLUDING = {"exclude": [{"match": {"event": "x"}}]}
CASES: list[tuple[str, dict[str, Any], int, tuple[str, tuple[str, ...]]]] = [
    ("a", {}, 0, ("left", ())),
    ("aaa", {}, 0, ("left", ())),
    ("a.d", {}, 0, ("went_to", ("d",))),
    ("aad", {}, 0, ("went_to", ("d",))),
    ("aba", {}, 1, ("looped_back", ("a",))),
    ("abbda", {}, 1, ("went_to", ("d",))),
    ("a...b", {"window": "2s"}, 0, ("too_late", ())),
    ("ax", EXCLUDING, 0, ("excluded", ())),
    ("ad", {"window": "5s"}, 0, ("in_progress", ())),
    # What shares the instant of the step is no next event, and of two that share theirs the first name counts.
    ("(ad)c", {}, 0, ("went_to", ("c",))),
    ("a(ed)", {}, 0, ("went_to", ("d",))),
    # An event too soon for the next step is one like any other.
    ("ab", {"steps": ["a", {"goal": "b", "after": "5s"}, "c"]}, 0, ("went_to", ("b",))),
    ("adb", {"order": "strict"}, 0, ("went_to", ("d",))),
    ("ba", {"steps": ["a", "b", "c"], "order": "any"}, 1, ("left", ())),
    ("baa", {"steps": ["a", "b", "c"], "order": "any"}, 1, ("left", ())),
    ("bab", {"steps": ["a", "b", "c"], "order": "any"}, 1, ("looped_back", ("b",))),
    ("bad", {"steps": ["a", "b", "c"], "order": "any"}, 1, ("went_to", ("d",))),
    # Another event that completes the same step is no repeat of it.
    ("ab", {"steps": ["a_or_b", "c"]}, 0, ("looped_back", ("b",))),
]


@pytest.mark.parametrize(("drawing", "funnel", "place", "expected"), CASES)
def test_a_unit_stands_in_one_line(
    drawing: str, funnel: dict[str, Any], place: int, expected: tuple[str, tuple[str, ...]]
) -> None:
    options = dict(funnel)
    steps = options.pop("steps", ["a", "b", "c"])
    assert the_lines(told(log(drawing), steps, **options), place) == [(*expected, 1, 0)]


def test_who_went_on_stands_beside() -> None:
    rows = [*log("a..b", "u1"), *log("adb", "u2"), *log("ad", "u3"), *log("aab", "u4"), *log("(ab)", "u5")]
    found = told(rows, ["a", "b"])
    assert the_lines(found) == [("went_to", ("d",), 1, 1), ("next_step", (), 0, 3)]
    (step,) = found.funnels[0].steps
    assert [line.went_on_times.median for line in step.lines] == [1.0, 1.0]


def test_paths_are_collapsed_and_end() -> None:
    rows = [*log("addeef", "u1"), *log("ade", "u2"), *log("aadddd", "u3")]
    found = told(rows, ["a", "b"], Wish(depth=3))
    assert the_lines(found) == [
        ("went_to", ("d", "(left)"), 1, 0),
        ("went_to", ("d", "e", "(left)"), 1, 0),
        ("went_to", ("d", "e", "f"), 1, 0),
    ]


def test_the_rest_is_other() -> None:
    rows = [row for number, drawing in enumerate(["ad", "ad", "ae", "af", "aba"]) for row in log(drawing, f"u{number}")]
    found = told(rows, ["a", "b", "c"], Wish(top=1))
    assert the_lines(found) == [
        ("went_to", ("d",), 2, 0),
        ("went_to", ("(other)",), 2, 0),
        ("next_step", (), 0, 1),
    ]
    assert the_lines(found, 1) == [("looped_back", ("a",), 1, 0)]


def test_what_is_at_risk_is_the_mean_value() -> None:
    rows = [*log("ad", "u1", price="10"), *log("ad", "u2", price="5.50"), *log("ad", "u3", price="x"), *log("a", "u4")]
    found = told([*rows, *log("ae", "u5")], ["a", "d"])
    totals = found.funnels[0].result.totals
    assert (totals.value, totals.converted, totals.worth_of(6)) == (Decimal("15.5"), 3, Decimal(31))
    assert told(rows, ["d", "a"]).funnels[0].result.totals.value is None
    assert told(rows, ["a", "d"], order="any").funnels[0].result.totals.value is None


def test_a_funnel_of_one_step_loses_nobody() -> None:
    assert told(log("ab"), ["a"]).funnels[0].steps == ()


def test_what_came_before_a_goal() -> None:
    rows = [*log("aabbd", "u1"), *log("cbd", "u2"), *log("d", "u3"), *log("a", "u4"), *log("(bd)", "u5")]
    found = told(rows, ["a", "b"], Wish(before="d", depth=2)).before
    assert found is not None
    assert [(way.path, way.users, way.times.median) for way in found.ways] == [
        (("(began)",), 2, None),
        (("a", "b"), 1, 3.0),
        (("c", "b"), 1, 2.0),
    ]
    assert found.users == 4


def test_only_the_first_completion_in_the_period_counts() -> None:
    rows = log("ad.bd")
    file = {"version": 1, "goals": VALUED}
    goals = Goals.model_validate(file)
    found = find_paths(table_of(rows, goals), goals, Wish(before="d"), Period(since=START + 2 * SECOND)).before
    assert found is not None
    assert [way.path for way in found.ways] == [("b",)]

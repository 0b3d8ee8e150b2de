"""The members are those that `run` counts, with the times of their journeys."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import amounts_of, count_funnel, rule_of
from reference_goals import completions, micros, time_of
from reference_tally import why_stopped
from strategies import PLAIN_GOALS, START, Case, Log, counted_cases, examples, whole_cases
from test_partitions import limits as small
from user_logs import SECOND, log, table_of

from microfunnel.analysis import analyse
from microfunnel.answering import Options
from microfunnel.counting.members import AtStep
from microfunnel.events import SPREAD, USER, field_column
from microfunnel.exporting import TABLES
from microfunnel.goals import Goals
from microfunnel.insights.members import Wish, find
from microfunnel.questions import Period
from microfunnel.results import Report

NO_MORE = Options(with_users=False, with_doubts=False)
VALUED = PLAIN_GOALS | {"d": PLAIN_GOALS["d"] | {"value": {"column": "price"}}}


def period_of(case: Case) -> Period:
    return Period(case.limits.since, case.limits.until, case.limits.as_of)


def members(case: Case, which: AtStep | str, properties: Sequence[str] = ()) -> pl.DataFrame:
    goals = Goals.model_validate(case.file)
    return find(table_of(case.rows, goals), goals, Wish(which, tuple(properties)), period_of(case), NO_MORE).table


def split_by_last_device(case: Case) -> Case:
    funnel = {**case.file["funnels"]["f"], "by": [{"column": "device", "value": "last", "top": 99}]}
    return replace(case, file={**case.file, "funnels": {"f": funnel}})


def report_of(case: Case) -> Report:
    goals = Goals.model_validate(case.file)
    return analyse(table_of(case.rows, goals), goals, period_of(case), NO_MORE)


def at(step: int, *, dropped: bool, settled: bool = False) -> AtStep:
    return AtStep("f", step, dropped=dropped, settled=settled)


def micros_in(column: pl.Series) -> list[Any]:
    return column.dt.timestamp("us").to_list()


def check_against_run(case: Case) -> None:
    """As many as the report says, of each segment and still in progress, too."""
    case = split_by_last_device(case)
    (funnel,) = report_of(case).funnels
    for index, step in enumerate(funnel.totals.steps):
        reached = members(case, at(index, dropped=False), ["device"])
        assert reached.height == step.reached
        there = {segment.by["device"]: segment.totals.steps[index].reached for segment in funnel.segments}
        assert Counter(reached["device"].fill_null("(not set)")) == Counter({k: n for k, n in there.items() if n})
        if step.dropped is None:
            continue
        dropped = members(case, at(index, dropped=True), ["device"])
        assert dropped.height == step.dropped
        assert Counter(dropped["stopped"]) == Counter({reason: n for reason, n in step.stopped.items() if n})
        lost = {segment.by["device"]: segment.totals.steps[index].dropped or 0 for segment in funnel.segments}
        assert Counter(dropped["device"].fill_null("(not set)")) == Counter({k: n for k, n in lost.items() if n})
        settled = members(case, at(index, dropped=True, settled=True), ["device"])
        assert settled.height == step.dropped - step.in_progress
        assert settled.rows() == [row for row in dropped.rows() if "in_progress" not in row]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_there_are_as_many_as_the_report_says(order: str) -> None:
    examples(10)(given(whole_cases(order))(check_against_run))()


@examples(10)
@given(counted_cases())
def test_there_are_where_steps_are_counted_goals(case: Case) -> None:
    check_against_run(case)


def check_each(case: Case) -> None:
    """Who they are, and when they took which step, agrees with the slow count."""
    rows = [row for row in case.rows if case.limits.as_of is None or time_of(row) <= case.limits.as_of]
    funnel = case.file["funnels"]["f"]
    rule = rule_of(funnel, case.file["goals"], rows, micros(case.file["events"]["session_timeout"]), case.limits)
    data_end = case.limits.as_of if case.limits.as_of is not None else max(map(time_of, rows), default=0)
    labels = Goals.model_validate(case.file).funnels["f"].labels
    for place in rule.required:
        expected = Counter(
            (
                min(str(rows[row]["user"]) for row in journey.log) if isinstance(rule.count, str) else unit,
                journey.times[0],
                tuple(journey.taken.get(step) for step in range(len(rule.steps))),
                labels[rule.required[journey.depth - 1]],
                "converted" if journey.missed is None else why_stopped(journey, data_end),
            )
            for unit, journeys in count_funnel(rows, case.file, "f", case.limits).journeys.items()
            for journey in journeys
            if place in journey.taken
        )
        found = members(case, at(place, dropped=False))
        names = found.columns
        first = names.index("entered")
        ids = found[names[0]].to_list() if isinstance(rule.count, str) else found.select(names[:first]).rows()
        took = zip(*(micros_in(found[name]) for name in names[first + 1 : first + 1 + len(labels)]), strict=True)
        shown = zip(ids, micros_in(found["entered"]), took, found["reached"], found["stopped"], strict=True)
        assert Counter(shown) == expected


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_they_are_those_of_the_oracle(order: str) -> None:
    examples(15)(given(whole_cases(order))(check_each))()


@examples(20)
@given(whole_cases(), st.sampled_from(sorted(PLAIN_GOALS)))
def test_users_with_a_goal_are_those_of_the_oracle(case: Case, goal: str) -> None:
    case = replace(case, file={**case.file, "goals": VALUED})
    rows = [row for row in case.rows if case.limits.as_of is None or time_of(row) <= case.limits.as_of]
    done = [rows[row] for row in completions(VALUED[goal], rows) if case.limits.may_enter(time_of(rows[row]))]
    expected = []
    for user in sorted({str(row["user"]) for row in done}):
        own = [row for row in done if row["user"] == user]
        times = [time_of(row) for row in own]
        known = amounts_of([VALUED[goal]] if "value" in VALUED[goal] else [], own, micros("30m"))
        valued = [] if known is None else [float(sum(known.values()))]
        device = max(((time_of(row), row["device"]) for row in own if row["device"]), default=(0, None))[0]
        last = min((str(row["device"]) for row in own if row["device"] and time_of(row) == device), default=None)
        expected.append((user, min(times), max(times), len(own), *valued, last))
    found = members(case, goal, ["device"])
    shown = found.with_columns(pl.col("first", "last").dt.timestamp("us"))
    assert shown.rows() == expected
    assert len(expected) == next(each.users for each in report_of(case).goals if each.goal == goal)


@examples(8)
@given(whole_cases(), st.randoms(use_true_random=False))
def test_neither_partitions_nor_the_order_of_rows_change_a_byte(case: Case, chance: Any) -> None:
    shuffled = Case(chance.sample(case.rows, len(case.rows)), case.file, case.limits)
    for which in (at(0, dropped=False), "b"):
        whole = {name: write(members(case, which, ["device", "price"])) for name, write in TABLES.items()}
        with small(divided=2, counted=10**8):
            parts = {name: write(members(shuffled, which, ["device", "price"])) for name, write in TABLES.items()}
        assert parts == whole


# --- by hand ----------------------------------------------------------------------------------------------------------


def listed(rows: Log, which: AtStep | str, *properties: str, **funnel: Any) -> pl.DataFrame:
    options = {"steps": ["a", "b"], "window": "none", **funnel}
    file = {"version": 1, "events": {"session_timeout": "3s"}, "goals": VALUED, "funnels": {"f": options}}
    goals = Goals.model_validate(file)
    return find(table_of(rows, goals), goals, Wish(which, properties), Period()).table


def test_the_last_value_is_the_last_that_a_step_has() -> None:
    rows = [*log("a", device="phone"), *log(".b", device=None), *log("..c", device="watch")]
    assert listed(rows, at(1, dropped=False), "device")["device"].to_list() == ["phone"]


def test_a_session_without_an_id_is_named_by_its_beginning() -> None:
    found = listed(log("xab......ab"), at(1, dropped=False), count="sessions")
    assert found.columns[:3] == ["user", "session_start", "entered"]
    assert micros_in(found["session_start"]) == [START, START + 9 * SECOND]


def test_a_session_is_named_as_the_export_does() -> None:
    found = listed([*log("ab", session="s1"), *log("..a", session="s2")], at(0, dropped=False), count="sessions")
    assert found.select("user", "session").rows() == [("u", "s1"), ("u", "s2")]


def test_units_of_columns_are_named_by_these() -> None:
    found = listed([*log("ab", order="1"), *log("..a", order="2")], at(1, dropped=True), count=["order", "user"])
    assert found.select("order", "user").rows() == [("2", "u")]


def test_columns_of_the_same_name_have_numbers() -> None:
    found = listed(log("aa", entered="x"), at(1, dropped=False), "user", "entered", steps=["a", "a"])
    assert found.columns == ["user", "entered", "a_at", "a_at_2", "reached", "stopped", "user_2", "entered_2"]


def test_ids_that_are_whole_numbers_are_told_by_their_keys() -> None:
    numbers = [0, 7, -7, 2**63 - 1, -(2**63)]
    goals = Goals.model_validate({"version": 1, "goals": VALUED})
    rows = [row for number in numbers for row in log("a", str(number))]
    table = table_of(rows, goals)
    keys = pl.Series(USER, [number * SPREAD % 2**64 for number in numbers], dtype=pl.UInt64)
    whole = replace(table, frame=table.frame.with_columns(keys).drop(field_column("user")), whole_ids=True)
    found = find(whole, goals, Wish("a"), Period(), NO_MORE).table
    assert found["user"].to_list() == sorted(map(str, numbers))


# --- as files ---------------------------------------------------------------------------------------------------------

TABLE = pl.DataFrame(
    {
        "user": ["=1+1", "+49", "-1", "@x", "\tx", "\rx", "\nx", 'say "hi", now', "", None, "u=1"],
        "n": range(11),
        "first": pl.Series([START] * 10 + [START + 5]).cast(pl.Datetime("us", "UTC")),
        "value": [0.5] * 11,
    }
)


def test_formulas_are_guarded_in_csv_alone() -> None:
    plain = TABLE["user"].to_list()
    found = csv.DictReader(io.StringIO(TABLES["csv"](TABLE).decode(), newline=""))
    guarded = [f"'{text}" for text in plain[:7]] + [text or "" for text in plain[7:]]
    assert [row["user"] for row in found] == guarded
    assert [json.loads(line)["user"] for line in TABLES["ndjson"](TABLE).splitlines()] == plain
    assert pl.read_parquet(io.BytesIO(TABLES["parquet"](TABLE)))["user"].to_list() == plain
    assert TABLES["csv"](pl.DataFrame({"=x": [1]})) == b"'=x\n1\n"


def test_times_are_those_of_json_and_numbers_are_numbers() -> None:
    first, *_, last = map(json.loads, TABLES["ndjson"](TABLE).splitlines())
    assert (first["first"], last["first"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000005Z")
    assert (first["n"], first["value"]) == (0, 0.5)
    assert pl.read_parquet(io.BytesIO(TABLES["parquet"](TABLE))).schema == TABLE.schema


def test_nobody_is_a_header_alone() -> None:
    nobody = listed(log("ab"), at(1, dropped=True))
    assert TABLES["csv"](nobody) == b"user,entered,a_at,b_at,reached,stopped\n"
    assert TABLES["ndjson"](nobody) == b""

import json
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
import reports
from jsonschema import Draft202012Validator
from reports import KINDS

from microfunnel.rendering import FORMATS, Screen
from microfunnel.results import Report, Times

SCHEMA = json.loads((files("microfunnel") / "schemas" / "report.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
STOPPED = SCHEMA["$defs"]["stopped"]["required"]
SCREEN = Screen(None, colour=False, unicode=True)


def rendered(report: Report) -> Any:
    return json.loads(FORMATS["json"](report, SCREEN))


def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@pytest.mark.parametrize("name", KINDS)
def test_reports_keep_the_schema(name: str) -> None:
    VALIDATOR.validate(rendered(KINDS[name]))


@pytest.mark.parametrize("text", reports.HOSTILE)
def test_hostile_names_come_back_as_they_were(text: str) -> None:
    printed = FORMATS["json"](reports.hostile(text), SCREEN)
    assert printed.isascii()
    assert json.loads(printed)["funnels"][0]["funnel"] == text
    VALIDATOR.validate(json.loads(printed))


def test_the_schema_describes_every_field_and_admits_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    described = [SCHEMA, *(part for part in SCHEMA["$defs"].values())]
    for part in described:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
        assert all("description" in field or "$ref" in field for field in part["properties"].values())


@pytest.mark.parametrize("name", KINDS)
def test_fields_come_in_the_order_of_the_schema(name: str) -> None:
    report = rendered(KINDS[name])
    parts = SCHEMA["$defs"]
    assert list(report) == SCHEMA["required"]
    assert list(report["events"]) == parts["events"]["required"]
    assert all(list(goal) == parts["goal"]["required"] for goal in report["goals"])
    for funnel in report["funnels"]:
        assert list(funnel) == parts["funnel"]["required"]
        assert all(list(segment) == parts["segment"]["required"] for segment in funnel["segments"])
        assert all(list(period) == parts["period"]["required"] for period in funnel["trend"])
        assert all(list(step) == parts["step"]["required"] for step in funnel["steps"])
        assert all(list(step["stopped"] or STOPPED) == STOPPED for step in funnel["steps"])
        assert all(list(step["seconds_from_first"]) == parts["seconds"]["required"] for step in funnel["steps"][1:])


@pytest.mark.parametrize("name", KINDS)
def test_every_rate_is_the_ratio_of_two_printed_counts(name: str) -> None:
    report = rendered(KINDS[name])
    for funnel in report["funnels"]:
        for totals in (funnel, *funnel["segments"], *funnel["trend"]):
            required = [step for step in totals["steps"] if not step["optional"]]
            assert totals["conversion_rate"] == ratio(totals["converted"], totals["entered"])
            assert totals["matured_rate"] == ratio(totals["matured_converted"] or 0, totals["matured_entered"] or 0)
            assert totals["converted"] == required[-1]["reached"]
            assert totals["entered"] == sum(step["entered_here"] for step in required)
            for before, step in pairwise(required):
                came_on = step["reached"] - step["entered_here"]
                assert step["from_first"] == ratio(step["reached"], totals["entered"])
                assert step["from_previous"] == ratio(came_on, before["reached"])
                assert step["dropped"] == before["reached"] - came_on
                assert step["drop_off"] == ratio(step["dropped"], before["reached"])


@pytest.mark.parametrize("name", KINDS)
def test_what_stopped_units_adds_up_to_the_dropped(name: str) -> None:
    for funnel in rendered(KINDS[name])["funnels"]:
        for step in funnel["steps"]:
            stopped = step["stopped"]
            if stopped is None:
                assert step["dropped"] is step["drop_off"] is None
                assert step["excluded"] == step["in_progress"] == 0
                continue
            assert sum(stopped.values()) == step["dropped"]
            assert [stopped["excluded"], stopped["in_progress"]] == [step["excluded"], step["in_progress"]]


def test_the_first_step_comes_from_nowhere_and_an_optional_one_loses_nobody() -> None:
    first, _, coupon, *_ = rendered(reports.COUPON)["funnels"][0]["steps"]
    assert first["from_previous"] is first["dropped"] is first["seconds_from_previous"] is None
    assert coupon["optional"]
    assert coupon["from_previous"] == 402 / 1893
    assert coupon["dropped"] is coupon["drop_off"] is coupon["stopped"] is None


def test_segments_say_where_their_value_is_read() -> None:
    segments = rendered(reports.BROKEN_DOWN)["funnels"][0]["segments"]
    assert segments[0]["by"] == {"device": "mobile", "channel": "organic search"}
    assert list(dict.fromkeys(each["value"] for each in segments)) == ["entry", "last", "step:checkout", "all_steps"]


def test_a_period_has_what_the_funnel_has() -> None:
    funnel = rendered(reports.TREND)["funnels"][0]
    apart = {"funnel", "order", "count", "entry", "window_seconds", "left_out", "segments", "trend", "what_if"}
    assert [*funnel["trend"][0]][1:] == [key for key in funnel if key not in apart]
    assert [period["period"] for period in funnel["trend"]][-1] == "2026-10-31"


def test_the_rate_of_a_goal_is_the_ratio_of_two_printed_counts() -> None:
    report = rendered(reports.SHOP)
    for goal in report["goals"]:
        assert goal["rate"] == ratio(goal["users"], report["events"]["users"])


def test_without_the_users_of_the_log_no_goal_has_a_rate() -> None:
    report, whole = rendered(reports.WITHOUT_USERS), rendered(reports.SHOP)
    assert report["events"] == whole["events"] | {"users": None}
    assert report["goals"] == [goal | {"rate": None} for goal in whole["goals"]]
    assert report["funnels"] == whole["funnels"]


def test_every_row_is_accounted_for() -> None:
    events = rendered(reports.SHOP)["events"]
    assert events["rows_read"] == events["rows_used"] + events["rows_filtered"] + sum(events["rejected"].values())


def test_the_interval_holds_the_rate() -> None:
    funnel = rendered(reports.SHOP)["funnels"][0]
    assert funnel["conversion_rate_low"] < funnel["conversion_rate"] < funnel["conversion_rate_high"]
    assert rendered(reports.NOBODY)["funnels"][0]["conversion_rate_low"] is None


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (reports.micros("2026-10-01T00:00:00"), "2026-10-01T00:00:00Z"),
        (reports.micros("2026-10-01T00:00:00") + 50, "2026-10-01T00:00:00.000050Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (None, None),
    ],
)
def test_times_are_utc_to_the_microsecond(micros: int | None, shown: str | None) -> None:
    report = replace(reports.SHOP, events=replace(reports.EVENTS, first_time=micros))
    assert rendered(report)["events"]["first_time"] == shown
    VALIDATOR.validate(rendered(report))


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Decimal("1234.50"), "1234.5"),
        (Decimal("0.10"), "0.1"),
        (Decimal("1280.00"), "1280"),
        (Decimal("-2.50"), "-2.5"),
        (Decimal(123456789012345678901234567890), "123456789012345678901234567890"),
        (None, "null"),
    ],
)
def test_values_are_numbers_without_noise(value: Decimal | None, printed: str) -> None:
    report = replace(reports.SHOP, goals=(replace(reports.SCORECARD[0], value=value),))
    assert f'"value": {printed},\n      "value_per_completion"' in FORMATS["json"](report, SCREEN)


@pytest.mark.parametrize(("seconds", "printed"), [(604_800.0, "604800"), (0.5, "0.5"), (None, "null")])
def test_a_whole_window_is_an_integer(seconds: float | None, printed: str) -> None:
    report = replace(reports.SHOP, funnels=(replace(reports.SHOP.funnels[0], window_seconds=seconds),))
    assert f'"window_seconds": {printed},' in FORMATS["json"](report, SCREEN)


def test_times_of_nobody_are_null() -> None:
    seconds = rendered(reports.NOBODY)["funnels"][0]["steps"][1]["seconds_from_previous"]
    assert seconds.pop("n") == 0
    assert set(seconds.values()) == {None}


def test_nan_is_never_written() -> None:
    step = reports.SHOP.funnels[0].totals.steps[1]
    broken = replace(step, times_from_first=Times(1, 1, {"median": float("nan")}))
    totals = replace(reports.SHOP.funnels[0].totals, steps=(step, broken))
    with pytest.raises(ValueError, match="Out of range float"):
        rendered(replace(reports.SHOP, funnels=(reports.funnel(totals),)))


def test_the_screen_changes_nothing() -> None:
    assert FORMATS["json"](reports.SHOP, Screen(40, colour=True, unicode=False)) == FORMATS["json"](
        reports.SHOP, SCREEN
    )

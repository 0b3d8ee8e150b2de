"""Comparisons for programs: the schema, and counts and sums that any reader can check."""

import csv
import io
import json
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import program
import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((files("microfunnel") / "schemas" / "compare.schema.json").read_text("utf-8"))
REPORT = json.loads((files("microfunnel") / "schemas" / "report.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
WAYS = {
    "variants": ("--variant", "variant", "--control", "A"),
    "sessions": ("--variant", "variant", "--control", "A", "--funnel", "cart_session"),
    "periods": ("--since", "2026-10-12", "--until", "2026-10-25", "--against", "..2026-10-12", "--by", "device"),
    "several": ("--since", "2026-10-12", "--against", "..2026-10-12", "--by", "device,channel", "--top", "3"),
    "whole": ("--until", "2026-10-12", "--against", "2026-10-12..2026-10-31"),
    "files": ("--baseline", "sample_data/events.ndjson", "--by", "channel", "--top", "2"),
    "segments": ("--by", "channel:last", "--top", "3"),
    "nobody": ("--since", "2030-01-01", "--by", "device"),
    "nobody_before": ("--since", "2026-10-01", "--against", "..2026-10-01", "--by", "device"),
}


def shown(way: str, how: str) -> str:
    funnel = () if "--funnel" in WAYS[way] else ("--funnel", "checkout")
    events = ("compare", "sample_data/events.csv", "--goals", "goals.example.yaml")
    done = program.run(ROOT, *events, *funnel, *WAYS[way], "--format", how, timeout=200)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


@cache
def found(way: str) -> Any:
    return json.loads(shown(way, "json"))


@cache
def table(way: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown(way, "csv"))))


def test_the_schema_describes_every_field_and_admits_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["events"] == REPORT["$defs"]["events"]
    for part in [SCHEMA, *SCHEMA["$defs"].values()]:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
        assert all("description" in field or "$ref" in field for field in part["properties"].values())


@pytest.mark.parametrize("way", WAYS)
def test_comparisons_keep_the_schema(way: str) -> None:
    VALIDATOR.validate(found(way))
    kind = {"sessions": "variants", "segments": "segments", "nobody": "segments"}.get(way, "change")
    kind = "variants" if way == "variants" else kind
    assert [name for name in ("variants", "change", "segments") if found(way)[name] is not None] == [kind]
    assert list(found(way)) == SCHEMA["required"]
    assert (found(way)["baseline_events"] is None) == (way != "files")


def rates(part: Any) -> list[dict[str, Any]]:
    """All rates in some JSON."""
    if isinstance(part, list):
        return [rate for each in part for rate in rates(each)]
    if not isinstance(part, dict):
        return []
    return [*([part] if {"entered", "reached", "rate"} <= set(part) else []), *rates(list(part.values()))]


@pytest.mark.parametrize("way", WAYS)
def test_every_rate_is_the_ratio_of_two_printed_counts_and_every_difference_that_of_two_rates(way: str) -> None:
    for rate in rates(found(way)):
        assert rate["rate"] == (rate["reached"] / rate["entered"] if rate["entered"] else None)
        if "other" not in rate:
            continue
        if rate["rate"] is None or rate["other"]["rate"] is None:
            assert rate["difference"] is rate["difference_low"] is rate["lift"] is rate["p"] is None
            continue
        assert rate["difference"] == rate["rate"] - rate["other"]["rate"]
        assert rate["difference_low"] <= rate["difference"] <= rate["difference_high"]


@pytest.mark.parametrize("way", ["variants", "sessions"])
def test_units_of_variants_several_and_none_are_all_that_entered(way: str) -> None:
    test, funnel = found(way)["variants"], found(way)["funnel"]
    groups = [*test["variants"], test["several"], test["without"]]
    for count in ("entered", "converted", "in_progress", "matured_entered", "matured_converted"):
        assert sum(group[count] for group in groups) == funnel[count]
    of_first = [row for row in table(way) if row["step"] == "1"]
    assert sum(int(row["reached"]) for row in of_first) == funnel["entered"]


@pytest.mark.parametrize("way", ["periods", "several", "files"])
def test_mix_and_rate_are_the_change_of_the_rate(way: str) -> None:
    change = found(way)["change"]
    before, after = change["before"]["compared"], change["after"]["compared"]
    for side, name in ((before, "before"), (after, "after")):
        assert sum(each[name]["entered"] for each in change["segments"]) == side["entered"]
        assert sum(each[name]["reached"] for each in change["segments"]) == side["reached"]
    whole = Fraction(after["reached"], after["entered"]) - Fraction(before["reached"], before["entered"])
    assert change["mix"] + change["rate"] == pytest.approx(float(whole), abs=1e-15)
    assert sum(each["mix"] for each in change["segments"]) == pytest.approx(change["mix"], abs=1e-15)
    assert sum(each["rate"] for each in change["segments"]) == pytest.approx(change["rate"], abs=1e-15)
    for side in ("before", "after"):
        assert change[side]["entered"] == change[side]["still_open"] + change[side]["compared"]["entered"]
    assert change["steps"][-1]["reached"] == after["reached"]
    assert sum(row["row"] == "segment" for row in table(way)) == len(change["segments"])


def test_files_compared_with_themselves_have_not_changed() -> None:
    change = found("files")["change"]
    assert change["before"] == change["after"]
    assert {change["mix"], change["rate"], change["steps"][-1]["difference"]} == {0.0}
    assert found("files")["baseline_events"]["rows_read"] == found("files")["events"]["rows_read"]


def test_periods_the_other_way_round_change_the_other_way() -> None:
    change = found("whole")["change"]
    assert change["after"]["until"] == change["before"]["since"] == "2026-10-12T00:00:00Z"
    assert (change["by"], change["segments"], change["mix"]) == ([], [], None)


def test_nothing_is_split_where_one_side_has_nobody() -> None:
    change = found("nobody_before")["change"]
    assert change["before"]["entered"] == 0
    assert (change["segments"], change["mix"], change["rate"]) == ([], None, None)
    assert "There is nothing to compare" in shown("nobody_before", "table")


def test_sessions_are_warned_of() -> None:
    codes = {each["warning"] for each in found("sessions")["events"]["warnings"]}
    assert "dependent_units" in codes
    assert "value_after_entry" in {each["warning"] for each in found("segments")["events"]["warnings"]}


def test_a_file_that_was_compared_with_is_not_written_to(tmp_path: Path) -> None:
    program.lay_out(tmp_path)
    (tmp_path / "old.csv").write_bytes((tmp_path / "events.csv").read_bytes())
    arguments = ("compare", "events.csv", "--goals", "goals.yaml", "--baseline", "old.csv")
    done = program.run(tmp_path, *arguments, "-o", "old.csv")
    assert done.returncode == 4
    assert b"was read for this report" in done.stderr
    (tmp_path / "old.csv").write_text("user_id,timestamp,event\n,2026-10-01,view\n", encoding="utf-8")
    done = program.run(tmp_path, *arguments)
    assert done.returncode == 3
    assert done.stdout == b""

"""The report as one table for spreadsheets: the same numbers as its JSON, and harmless."""

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import reports
from reports import KINDS

from microfunnel.rendering import FORMATS, Screen
from microfunnel.results import Report

SCREEN = Screen(None, colour=False, unicode=True)
TIMES = {"mean_seconds": "mean", "median_seconds": "median"}
PER_UNIT = {"value_per_unit": "value_per_user"}


def lines_of(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(FORMATS["csv"](report, SCREEN).splitlines()))


def json_of(report: Report) -> Any:
    return json.loads(FORMATS["json"](report, SCREEN))


def shown(value: object) -> str:
    """A value of the JSON as it stands in a cell."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def steps_of(report: Any) -> Iterator[tuple[dict[str, str], Mapping[str, Any]]]:
    """Each step with what its line says beside it, in the order of the lines."""
    for funnel in report["funnels"]:
        named = {"table": "step", "funnel": funnel["funnel"], "by": "", "segment": "", "read_at": "", "period": ""}
        groups = [(named, funnel)]
        for part in funnel["segments"]:
            by = {"by": ", ".join(part["by"]), "segment": ", ".join(part["by"].values()), "read_at": part["value"]}
            groups.append((named | by, part))
        groups += [(named | {"period": part["period"]}, part) for part in funnel["trend"]]
        for said, part in groups:
            for step in part["steps"]:
                yield said | {"entered": str(part["entered"])}, step


@pytest.mark.parametrize("name", KINDS)
def test_the_lines_of_steps_say_what_the_json_says(name: str) -> None:
    lines = [line for line in lines_of(KINDS[name]) if line["table"] == "step"]
    for line, (said, step) in zip(lines, steps_of(json_of(KINDS[name])), strict=True):
        assert {key: line[key] for key in said} == said
        same = set(line) & set(step)
        assert {"reached", "dropped", "from_previous", "value", "value_at_risk", "currency"} <= same
        for key in same:
            assert line[key] == shown(step[key]), key
        for key, inner in TIMES.items():
            assert line[key] == shown((step["seconds_from_previous"] or {}).get(inner))


@pytest.mark.parametrize("name", KINDS)
def test_the_lines_of_goals_say_what_the_json_says(name: str) -> None:
    lines = [line for line in lines_of(KINDS[name]) if line["table"] == "goal"]
    for line, goal in zip(lines, json_of(KINDS[name])["goals"], strict=True):
        for key in ("goal", "kind", "completions", "users", "rate", "value_per_completion", "currency"):
            assert line[key] == shown(goal[key]), key
        assert line["value_per_unit"] == shown(goal["value_per_user"])
        assert (line["value"] == "") is (goal["value"] is None)
        assert float(line["value"] or 0) == (goal["value"] or 0)


def test_the_lines_of_what_ifs_say_what_the_json_says() -> None:
    report = reports.MONEY
    lines = iter(line for line in lines_of(report) if line["table"] == "what_if")
    for funnel in json_of(report)["funnels"]:
        for lever in funnel["what_if"]:
            best = lever["to_best_segment"]
            gains: list[tuple[str, dict[str, str], dict[str, Any]]] = [("by_a_tenth", {}, lever["by_a_tenth"])]
            gains += [("to_best_segment", best["by"], best["gain"])] if best else []
            for kind, by, gain in gains:
                line = next(lines)
                said = {"funnel": funnel["funnel"], "step": lever["step"], "goal": lever["goal"], "what_if": kind}
                said |= {"from_previous": lever["rate"], "new_rate": gain["rate"], "segment": ", ".join(by.values())}
                said |= {key: value for key, value in gain.items() if key != "rate"}
                assert {key: line[key] for key in said} == {key: shown(value) for key, value in said.items()}
    assert next(lines, None) is None


def test_only_who_asks_what_if_gets_its_columns() -> None:
    assert "more_conversions" in FORMATS["csv"](reports.MONEY, SCREEN).splitlines()[0]
    assert "more_conversions" not in FORMATS["csv"](reports.SHOP, SCREEN).splitlines()[0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    lines = lines_of(reports.hostile(text))
    assert {line["goal"] for line in lines if line["goal"] != "plain"} == {f"'{text}"}
    assert all(not cell.startswith(("=", "+", "@", "\t")) for line in lines for cell in line.values())

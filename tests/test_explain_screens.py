"""What people and programs see of an explanation, and what the command says."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from reports import HOSTILE
from rich.cells import cell_len
from user_logs import explained, log

from microfunnel.explanations import Explanation, NamedStep, Verdict
from microfunnel.rendering import Screen, explanation, explanation_json

SAMPLE = Path(__file__).parents[1] / "sample_data" / "events.csv"
EXAMPLE = Path(__file__).parents[1] / "goals.example.yaml"

# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(found: Explanation, width: int | None = 80, *, colour: bool = False, unicode: bool = True) -> str:
    return explanation.render(found, Screen(width, colour=colour, unicode=unicode))


def test_a_journey_in_one_line() -> None:
    found = explained(log("ab"), ["a", "b", "c"])
    assert "reached 2 of 3 steps: a 14 Nov 22:13, b 14 Nov 22:13; stopped before c: never did it" in shown(found, None)
    found = explained(log("a"), ["a", "b"], window="3s")
    assert "reached 1 of 2 steps: a 14 Nov 22:13; in progress until 14 Nov 22:13" in shown(found, None)
    assert "attempt 2: reached 1 of 2 steps" in shown(explained(log("aba"), ["a", "b"], count="attempts"), None)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_neither_act_nor_overflow(text: str, width: int) -> None:
    found = explained(log("ab"), ["a", "b"])
    (funnel,) = found.funnels
    (unit,) = funnel.units
    events = tuple(
        replace(event, event=text, steps=(1, 2), goals=(text,), verdicts=(Verdict(verdict, 2, text, 5.0),))
        for event, verdict in zip(unit.events, ("taken", "missing"), strict=True)
    )
    journey = replace(unit.journeys[0], stopped_before=text, outcome="no_event")
    unit = replace(unit, unit=text, events=events, journeys=(journey,))
    steps = (NamedStep(text, optional=False), NamedStep(text, optional=True))
    hostile = replace(funnel, funnel=text, count=text, steps=steps, units=(unit,))
    found = replace(found, user=text, funnels=(hostile,))
    for unicode in (True, False):
        screen = shown(found, width, unicode=unicode)
        assert not re.search(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", screen
        )
        assert all(cell_len(line) <= width for line in screen.split("\n"))
        assert unicode or screen.isascii()


def test_colours_only_where_they_are_wanted() -> None:
    found = explained(log("ab"), ["a", "b"])
    assert "\x1b" not in shown(found)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown(found, colour=True)) == shown(found)


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = log("a" * 1_200)
    found = explained(rows, ["a", "b"])
    assert shown(found).splitlines()[-1] == "... and 200 more events; --json has all"
    contents = json.loads(explanation_json.render(found, Screen(None, colour=False, unicode=True)))
    assert len(contents["funnels"][0]["units"][0]["events"]) == 1_200


# --- the command ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "microfunnel", "explain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_json(tmp_path: Path) -> None:
    output = tmp_path / "why.json"
    done = run("u1563", str(SAMPLE), "-g", str(EXAMPLE), "--funnel", "checkout", "--json", "-o", str(output))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    contents = json.loads(output.read_text(encoding="utf-8"))
    assert contents["schema"] == "microfunnel.explanation/1"
    (funnel,) = contents["funnels"]
    assert funnel["units"][0]["journeys"][0]["outcome"] == "converted"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nobody", str(SAMPLE), "-g", str(EXAMPLE)], 3, "no event of user `nobody`"),
        (["u1563", str(SAMPLE), "-g", str(EXAMPLE), "--funnel", "chekout"], 2, "did you mean `checkout`?"),
        (["u1563", str(SAMPLE), "-g", str(EXAMPLE), "--since", "soon"], 2, "is no date or time"),
        (["u1563", "none.csv", "-g", str(EXAMPLE)], 3, "none.csv: no such file"),
        (["u1563", "-g", str(EXAMPLE)], 2, "EVENTS"),
    ],
)
def test_wrong_input(arguments: list[str], code: int, message: str) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stdout == ""

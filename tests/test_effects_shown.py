"""How effects are shown: screens of any width, the contract of the JSON, rows of CSV, and goals that can be pasted."""

import csv
import json
from dataclasses import replace
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import reports
from jsonschema import Draft202012Validator

from microfunnel.findings.effects import Candidate, Candidates, Effect, Effects, GoalEffect, MacroEffects
from microfunnel.reading.goals_file import read_goals
from microfunnel.rendering import Screen
from microfunnel.rendering import effects as table
from microfunnel.rendering import effects_records as records
from microfunnel.rendering.effects_yaml import yaml_lines
from microfunnel.rendering.findings import formats
from microfunnel.rendering.grid import size
from microfunnel.results import Rate

SCHEMA = json.loads((files("microfunnel") / "schemas" / "effects.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
FORMATS = formats("effects", table.render, records.contents, records.rows)
SCREEN = Screen(None, colour=False, unicode=True)
# Text of events is never empty, and always of whole characters.
FROM_EVENTS = [text for text in reports.HOSTILE if text.encode(errors="ignore")]
NASTY = [*FROM_EVENTS, *("any", "NULL", "1e5", "2026-01-01", "a: b # c", "'", '"', "{x}", "- a", "&a", "*a", "!t", "%")]


def effect(part: int, whole: int, other: int, others: int, q: float | None = None) -> Effect:
    return Effect(whole + 3, Rate(part, whole), Rate(other, others), 1_000_000 * (part + other), q, q)


LIKED = GoalEffect("liked_it", "secondary", effect(20, 50, 20, 150, 0.0003))
SEEN = GoalEffect("seen", "milestone", effect(40, 180, 0, 20))
NEVER = GoalEffect("never", "secondary", effect(0, 0, 40, 200))
CANDIDATES = Candidates(
    (
        Candidate("event", "review", effect(30, 60, 10, 140, 0.00001)),
        Candidate("device", "tv", effect(1, 100, 39, 100, 0.02)),
        Candidate("device", "phone", effect(10, 50, 30, 150, 0.9)),
    ),
    tested=7,
    untested=(Candidate("event", "cart", effect(40, 50, 0, 150)),),
    least=20,
)
BOUGHT = MacroEffects("bought", Rate(40, 200), 3, 0, 40_000_000, (SEEN, NEVER, LIKED), CANDIDATES)
NOBODY = MacroEffects("nobody", Rate(0, 0), 0, 9, None, (GoalEffect("seen", "milestone", effect(0, 0, 0, 0)),), None)
FOUND = Effects(reports.SHOP.events, None, ("device",), (BOUGHT,), ("bought", "seen", "never", "liked_it", "review"))
AGED = replace(FOUND, landmark=129_600_000_000, columns=None, macros=(replace(BOUGHT, candidates=None), NOBODY))


def rendered(found: Effects, screen: Screen = SCREEN) -> str:
    return FORMATS["table"](found, screen)


def as_json(found: Effects) -> Any:
    return json.loads(FORMATS["json"](found, SCREEN))


def test_the_sentence_says_what_was_found_with_its_numbers() -> None:
    text = rendered(FOUND)
    assert (
        "Of 50 users who did liked it before bought 40.0 % reached it, of 150 others 13.3 %: 26.7 points more "
        "(12.7 to 41.2), q 0.0003. They go together; that one makes the other is not said.\n"
    ) in text
    assert "40 of 200 users reached bought (20.0 %); 1.00 each.\n" in text
    assert "--landmark 1d compares all at the same age. 3 who reached it with their first event are left out.\n" in text
    assert "* structural: all 40 who reached bought had done it, so its difference is no finding\n" in text
    assert "Not tested, as all who reached bought had done it, or all who did not: cart\n" in text
    aged = rendered(AGED)
    assert "effects on bought   users at the age of 36 hours" in aged
    assert "Of 50 users who did liked it by the age of 36 hours 40.0 % reached bought, of 150 others" in aged
    assert "3 who had are left out, and 0 not observed so long." in aged
    assert "Nobody reached nobody, so nothing can be compared.\n" in aged


def test_what_is_no_finding_is_said_plainly() -> None:
    unsure = replace(BOUGHT, goals=(replace(LIKED, effect=replace(LIKED.effect, q=0.2)),), candidates=None)
    assert "No goal goes with bought, or without it, by more than chance could make" in rendered(
        replace(FOUND, macros=(unsure,))
    )
    untested = replace(BOUGHT, goals=(SEEN, NEVER), candidates=None)
    assert "No goal can be compared: nobody had done it before, or all who converted had." in rendered(
        replace(FOUND, macros=(untested,))
    )
    assert "No candidate goes with a macro goal beyond chance" in rendered(replace(FOUND, macros=(untested,)))


def test_less_is_said_as_less() -> None:
    fewer = GoalEffect("rare", "secondary", effect(1, 100, 39, 100, 0.00000001))
    text = rendered(replace(FOUND, macros=(replace(BOUGHT, goals=(fewer,), candidates=None),)))
    assert "38.0 points less (28.0 to 47.8), q <0.0001." in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("found", [FOUND, AGED], ids=["plain", "aged"])
def test_tables_fit_the_screen(found: Effects, width: int) -> None:
    lines = rendered(found, Screen(width, colour=False, unicode=True)).splitlines()
    too_wide = [line for line in lines if size(line) > width and not line.startswith(("  # ", "  ", "# "))]
    assert too_wide == []
    header = next(line for line in lines if line.startswith("goal"))
    assert {"with", "without", "q"} <= set(header.split())
    assert ("points" in header) == (width > 40)


def test_columns_go_in_a_fixed_order() -> None:
    def columns(width: int) -> int:
        lines = rendered(AGED, Screen(width, colour=False, unicode=True)).splitlines()
        return len(next(line for line in lines if line.startswith("goal")).split("  "))

    counts = [columns(width) for width in (60, 80, 100, 120)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("found", [FOUND, AGED], ids=["plain", "aged"])
def test_the_json_keeps_its_schema(found: Effects) -> None:
    VALIDATOR.validate(as_json(found))


def test_the_schema_describes_every_field_and_admits_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])


def test_json_and_csv_say_the_same() -> None:
    rows = list(csv.DictReader(StringIO(FORMATS["csv"](FOUND, SCREEN))))
    assert [(row["macro"], row["goal"], row["kind"], row["field"], row["value"]) for row in rows] == [
        ("bought", "seen", "milestone", "", ""),
        ("bought", "never", "secondary", "", ""),
        ("bought", "liked_it", "secondary", "", ""),
        ("bought", "", "candidate", "event", "review"),
        ("bought", "", "candidate", "device", "tv"),
        ("bought", "", "candidate", "device", "phone"),
    ]
    (macro,) = as_json(FOUND)["macros"]
    entries = [*macro["goals"], *macro["candidates"]["best"]]
    for row, entry in zip(rows, entries, strict=True):
        for key, value in entry.items():
            if key not in {"goal", "kind", "field", "value"}:
                assert row[key] == ("" if value is None else json.dumps(value))


@pytest.mark.parametrize("text", NASTY)
def test_hostile_names_do_no_harm(text: str, tmp_path: Path) -> None:
    """On the screen, in CSV, and as goals that mean what they say."""
    best = (
        Candidate("event", text, effect(30, 60, 10, 140, 0.00001)),
        Candidate("device", text, effect(30, 60, 10, 140, 0.00001)),
        Candidate(text if text not in {"any", "all", "not"} else "x", "tv", effect(30, 60, 10, 140, 0.00001)),
    )
    macro = replace(BOUGHT, macro="a\x1b[31mb", candidates=replace(CANDIDATES, shown=best))
    found = replace(FOUND, macros=(macro,), goal_names=("event", "goal", "review"))
    for screen in (SCREEN, Screen(60, colour=False, unicode=False)):
        shown = rendered(found, screen)
        assert "\x1b" not in shown
        assert all(char == "\n" or char.isprintable() for char in shown)
        assert screen.unicode or shown.isascii()
    assert not any(row.startswith(("=", "+", "-", "@")) for row in FORMATS["csv"](found, SCREEN).splitlines())
    VALIDATOR.validate(as_json(found))
    for unicode in (True, False):
        path = tmp_path / "goals.yaml"
        lines = yaml_lines(found, unicode=unicode)
        path.write_text("\n".join(["version: 1", "goals:", *lines, ""]), encoding="utf-8")
        goals = list(read_goals(path).goals.values())
        tests = [goal.match.model_extra for goal in goals if not isinstance(goal.match, str) and goal.match is not None]
        assert tests == [{each.field: each.value} for each in best]
        assert {goal.kind for goal in goals} == {"secondary"}


def test_names_of_new_goals_are_not_taken_yet() -> None:
    lines = yaml_lines(FOUND, unicode=True)
    assert lines == [
        "# To paste below `goals:` in the goals file; rename them as you like.",
        "  # bought: 30 of 60 (50.0 %), of others 10 of 140 (7.1 %)",
        "  review_2: {kind: secondary, match: {event: review}}",
    ]
    twice = replace(FOUND, macros=(BOUGHT, replace(BOUGHT, macro="again")))
    assert yaml_lines(twice, unicode=True) == lines

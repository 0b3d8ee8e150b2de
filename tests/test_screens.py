"""What people see: golden screens, which `ACCEPT=1 pytest` rewrites, and what must hold on every screen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from microfunnel.rendering import FORMATS, Screen
from microfunnel.results import Report

SCREENS = Path(__file__).parent / "screens"
REPORTS = {
    "shop": reports.SHOP,
    "long": reports.LONG,
    "nobody": reports.NOBODY,
    "no_funnels": reports.NO_FUNNELS,
}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
table = FORMATS["table"]


def accept(name: str, actual: str) -> None:
    golden = SCREENS / f"{name}.txt"
    rejected = golden.with_suffix(".actual")
    if os.environ.get("ACCEPT"):
        SCREENS.mkdir(exist_ok=True)
        golden.write_bytes(actual.encode())
    if golden.exists() and golden.read_bytes() == actual.encode():
        rejected.unlink(missing_ok=True)
        return
    SCREENS.mkdir(exist_ok=True)
    rejected.write_bytes(actual.encode())
    pytest.fail(f"{golden} is not {rejected}: compare them, and accept with ACCEPT=1")


@pytest.mark.parametrize("unicode", [True, False], ids=["utf8", "ascii"])
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "plain"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_shop_looks_as_accepted(width: int, *, colour: bool, unicode: bool) -> None:
    name = f"shop-{width}-{'colour' if colour else 'plain'}-{'utf8' if unicode else 'ascii'}"
    accept(name, table(reports.SHOP, Screen(width, colour, unicode)))


@pytest.mark.parametrize("report", ["long", "nobody", "no_funnels"])
@pytest.mark.parametrize("width", [40, 80, None])
def test_the_unusual_looks_as_accepted(report: str, width: int | None) -> None:
    accept(f"{report}-{width or 'file'}", table(REPORTS[report], Screen(width, colour=False, unicode=True)))


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_screen(name: str, *, unicode: bool) -> None:
    for width in range(40, 141):
        for line in table(REPORTS[name], Screen(width, colour=False, unicode=unicode)).splitlines():
            assert cell_len(line) <= width
            assert line == line.rstrip()


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_bars_stay(width: int) -> None:
    assert "█" * 8 in table(reports.SHOP, Screen(width, colour=False, unicode=True))


def test_nothing_is_cut_where_there_is_no_terminal() -> None:
    shown = table(reports.LONG, Screen(None, colour=False, unicode=True))
    assert "…" not in shown
    assert "a" * 200 in shown
    assert all(goal.replace("_", " ") in shown for goal in reports.LONG_GOALS)


def test_columns_go_before_text_is_cut() -> None:
    shown = table(reports.SHOP, Screen(40, colour=False, unicode=True))
    assert "…" not in shown
    assert "median wait" not in shown


@pytest.mark.parametrize("name", REPORTS)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    plain = table(REPORTS[name], Screen(80, colour=False, unicode=True))
    coloured = table(REPORTS[name], Screen(80, colour=True, unicode=True))
    assert "\x1b" not in plain
    assert COLOUR.sub("", coloured) == plain
    assert coloured != plain


@pytest.mark.parametrize("name", REPORTS)
def test_ascii_is_ascii(name: str) -> None:
    assert table(REPORTS[name], Screen(80, colour=False, unicode=False)).isascii()


def holds(report: Report, width: int, *, unicode: bool) -> str:
    """The screen, where nothing acts and every line fits."""
    shown = table(report, Screen(width, colour=False, unicode=unicode))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", shown)
    assert shown.encode()
    assert all(cell_len(line) <= width for line in shown.split("\n"))
    assert all(line == line.rstrip() for line in shown.split("\n"))
    return shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("text", reports.HOSTILE)
def test_hostile_names_neither_act_nor_break_the_alignment(text: str, width: int) -> None:
    shown = holds(reports.hostile(text), width, unicode=True)
    lines = shown.split("\n")
    header = next(place for place, line in enumerate(lines) if line.startswith("  step"))
    starts = {cell_len(re.split("[█▏▎▍▌▋▊▉]", line)[0]) for line in lines[header + 1 : header + 4]}
    assert len(starts) == 1
    assert holds(reports.hostile(text), width, unicode=False).isascii()


def test_markup_and_emoji_codes_are_shown_as_they_are() -> None:
    for text in ("[red]x", "[/]", ":smile:"):
        assert text in table(reports.hostile(text), Screen(80, colour=True, unicode=True))


@given(text=st.text(st.characters(), max_size=60), width=st.integers(40, 140), unicode=st.booleans())
def test_any_name_can_be_shown(text: str, width: int, *, unicode: bool) -> None:
    holds(reports.hostile(text), width, unicode=unicode)


@pytest.mark.parametrize("colour", [True, False])
def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, *, colour: bool) -> None:
    screen = Screen(80, colour=colour, unicode=True)
    before = table(reports.SHOP, screen)
    variables = {
        "COLUMNS": "20",
        "LINES": "3",
        "NO_COLOR": "1",
        "FORCE_COLOR": "1",
        "TERM": "dumb",
        "COLORTERM": "truecolor",
        "TTY_COMPATIBLE": "1",
        "TTY_INTERACTIVE": "1",
        "UNICODE_VERSION": "4.1.0",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert table(reports.SHOP, screen) == before


def test_a_renderer_is_imported_when_it_is_used() -> None:
    code = "import sys, microfunnel.rendering; sys.exit(bool({'rich', 'polars'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_segment_is_called_lowest_only_where_chance_would_not_do() -> None:
    shown = table(reports.SHOP, Screen(80, colour=False, unicode=True))
    assert re.search("^mobile .* lowest$", shown, re.MULTILINE)
    assert re.search("^desktop .* highest$", shown, re.MULTILINE)
    assert shown.count("lowest") == shown.count("highest") == 1

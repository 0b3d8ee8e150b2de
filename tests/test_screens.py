"""What people see: golden screens, which `ACCEPT=1 pytest` rewrites, and what must hold on every screen."""

import os
import re
import subprocess
import sys
from dataclasses import replace
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
    "coupon": reports.COUPON,
    "any_order": reports.ANY_ORDER,
    "open": reports.OPEN,
    "strict": reports.STRICT,
    "broken_down": reports.BROKEN_DOWN,
    "trend": reports.TREND,
    "long_trend": reports.LONG_TREND,
    "money": reports.MONEY,
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


@pytest.mark.parametrize(
    "report", ["coupon", "any_order", "open", "strict", "broken_down", "trend", "long_trend", "money"]
)
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_kind_of_funnel_looks_as_accepted(report: str, width: int) -> None:
    accept(f"{report}-{width}", table(REPORTS[report], Screen(width, colour=False, unicode=True)))


@pytest.mark.parametrize("report", ["broken_down", "open", "trend", "money"])
def test_every_kind_looks_as_accepted_in_colour_and_in_ascii(report: str) -> None:
    accept(f"{report}-80-colour-utf8", table(REPORTS[report], Screen(80, colour=True, unicode=True)))
    accept(f"{report}-80-plain-ascii", table(REPORTS[report], Screen(80, colour=False, unicode=False)))


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


def shown_at(report: Report, width: int | None) -> str:
    return table(report, Screen(width, colour=False, unicode=True))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_an_optional_step_is_told_apart_and_loses_nobody(width: int) -> None:
    shown = shown_at(reports.COUPON, width)
    row = re.search(r"^3   coupon \(opt.*$", shown, re.MULTILINE)
    assert row
    assert "░" not in row[0]
    assert not re.search("^before (coupon|gift)", shown, re.MULTILINE)


def test_in_any_order_most_are_lost_after_so_many_steps() -> None:
    shown = shown_at(reports.ANY_ORDER, 80)
    assert "users, in any order, within 7 days" in shown
    assert "Most are lost after any 1 of 4 steps: 1,622 of 3,120 (52.0 %)" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120, None])
def test_who_entered_later_is_said_once(width: int | None) -> None:
    shown = shown_at(reports.OPEN, width)
    assert "open" in shown
    assert shown.count("1,234") == 1
    assert ("entered here" in shown) != ("Entered later" in shown)


def test_the_bar_and_its_loss_are_never_longer_than_the_funnel() -> None:
    rows = [line for line in shown_at(reports.OPEN, 120).splitlines() if re.match("[1-4] ", line)]
    first, *others = (cell_len(re.sub("[^█▏▎▍▌▋▊▉▒░]", "", row)) for row in rows)
    assert max(others) <= first + 7


def test_excluded_units_are_named_where_there_are_any() -> None:
    assert "Excluded on the way: 34 (12 before checkout, 22 before purchase)\n" in shown_at(reports.STRICT, 80)
    assert "Excluded" not in shown_at(reports.SHOP, 80)
    one = {**reports.STOPPED, "excluded": (0, 0, 0, 22)}
    only = reports.alone(reports.funnel(reports.totals((4812, 1893, 653, 412), in_progress=96, known=one)))
    assert "Excluded on the way: 22 before purchase\n" in shown_at(only, 80)


def test_reasons_are_shown_whole_or_not_at_all() -> None:
    words = ("never did it", "too late", "interrupted", "excluded", "in progress")
    for width in range(40, 121):
        shown = shown_at(reports.STRICT, width)
        header = next((line for line in shown.splitlines() if line.startswith("why they stopped")), None)
        assert (header is not None) == (width >= 76)
        assert header is None or all(word in header for word in words)
    assert "why they stopped" not in shown_at(reports.BROKEN_DOWN, 120)
    assert "why they stopped" not in shown_at(reports.SHOP, 59)


def test_events_that_belong_to_no_unit_are_counted_out_loud() -> None:
    assert "! 1,234 events have no user_id or order_id and are left out\n" in shown_at(reports.STRICT, 80)
    visits = replace(reports.SHOP.funnels[1], left_out=1)
    assert "! 1 event has no session and is left out\n" in shown_at(reports.alone(visits), 80)


def test_nobody_acts_on_a_segment_that_did_not_reach() -> None:
    segments = (
        reports.by("variant", "A", reports.totals((500, 400, 300, 200)), "step:checkout"),
        reports.by("variant", "(did not reach)", reports.totals((500, 400, 0, 0)), "step:checkout"),
    )
    shown = shown_at(reports.alone(reports.funnel(reports.totals((1000, 800, 300, 200)), segments=segments)), 80)
    assert "(did not reach)" in shown
    assert "lowest" not in shown


def test_the_table_of_a_trend_ends_with_the_last_31_periods() -> None:
    shown = shown_at(reports.LONG_TREND, 80)
    rows = re.findall(r"^2026-\d\d-\d\d(?=\*? +\d)", shown, re.MULTILINE)
    assert (len(rows), rows[0], rows[-1]) == (31, "2026-10-01", "2026-10-31")
    assert "61 earlier periods are not in this table." in shown
    assert "the last 57 of 92" in shown
    assert "earlier periods" not in shown_at(reports.TREND, 80)
    assert re.search(r"^2026-08-01 [▁-█]{92} 2026-10-31\*$", shown_at(reports.LONG_TREND, None), re.MULTILINE)


def test_periods_that_are_not_over_are_marked() -> None:
    shown = shown_at(reports.TREND, 80)
    assert len(re.findall(r"^2026-10-\d\d\* ", shown, re.MULTILINE)) == 6
    assert "* not over yet: some windows are still open\n" in shown
    over = replace(reports.TREND.funnels[0], trend=reports.TREND.funnels[0].trend[:8])
    assert "not over yet" not in shown_at(reports.alone(over), 80)
    assert "*" not in shown_at(reports.alone(over), 80)


def test_only_attempts_are_sure_to_add_up_over_periods() -> None:
    assert "Users count once per period, so periods need not add up" in shown_at(reports.TREND, 80)
    attempts = replace(reports.TREND.funnels[0], count="attempts")
    assert "add up" not in shown_at(reports.alone(attempts), 80)

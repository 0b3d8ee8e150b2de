"""The trend of a funnel: how its conversion went from one period of entry to the next."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.rendering import Screen, bars
from microfunnel.rendering.cells import CAUTION, GOOD, HEADER, QUIET, figures, name, share, unit
from microfunnel.rendering.grid import Bars, Column, cut, grid, room, size, wrap
from microfunnel.rendering.text import number, percent
from microfunnel.results import FunnelResult, PeriodOfEntry

MOST_PERIODS = 31
"""Rows of the table; the line above it goes back farther."""
NOT_OVER = "*"


def trend(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """A line of all periods that the screen can hold, and a table of the last ones."""
    periods = funnel.trend
    if not periods:
        return []
    shown = periods[-MOST_PERIODS:]
    return [*_line(periods, screen), Text(), *_table(shown, screen), *_notes(funnel, shown, screen)]


def _line(periods: Sequence[PeriodOfEntry], screen: Screen) -> list[Text]:
    """A title, and the conversion of each period as a block between the names of the first and the last period."""
    around = size(_label(periods[0], screen).plain) + size(_label(periods[-1], screen).plain) + 2
    kept = periods if screen.width is None else periods[-max(room(screen) - around, 1) :]
    highest = max((_conversion(period) or 0.0 for period in kept), default=0.0)
    of_all = "" if len(kept) == len(periods) else f", the last {number(len(kept))} of {number(len(periods))}"
    scale = f", from 0 to {percent(highest)}" if highest else ""
    title = Text.assemble(("conversion by period of entry", "bold"), (of_all + scale, HEADER))
    line = _label(kept[0], screen)
    line.append(" ")
    for period in kept:
        block = bars.block(_conversion(period), highest, unicode=screen.unicode)
        line.append(block, style=QUIET if _is_open(period) else GOOD)
    if len(kept) > 1:
        line.append(" ").append_text(_label(kept[-1], screen))
    return [*wrap(title, screen), line]


def _label(period: PeriodOfEntry, screen: Screen) -> Text:
    mark = (NOT_OVER, CAUTION) if _is_open(period) else ""
    return Text.assemble(cut(name(period.period, screen), len("2026-10-31"), screen), mark)


def _is_open(period: PeriodOfEntry) -> bool:
    """Whether units of the period may still convert."""
    return bool(period.totals.in_progress)


def _conversion(period: PeriodOfEntry) -> float | None:
    return period.totals.conversion.value


def _table(shown: Sequence[PeriodOfEntry], screen: Screen) -> list[Text]:
    totals = [period.totals for period in shown]
    highest = max((_conversion(period) or 0.0 for period in shown), default=0.0) or 1.0
    columns = [
        Column(Text("entry", style=HEADER), [_label(period, screen) for period in shown], right=False, least=10),
        figures("entered", [number(each.entered) for each in totals], goes=3),
        figures("converted", [number(each.converted) for each in totals], goes=2),
        figures("rate", [share(each.conversion) for each in totals]),
    ]
    if waiting := [each.in_progress or 0 for each in totals if any(map(_is_open, shown))]:
        styles = ["" if n else QUIET for n in waiting]
        columns.append(figures("in progress", [number(n) for n in waiting], styles, goes=1))

    def draw(width: int) -> list[Text]:
        return [
            Text(
                bars.bar((_conversion(period) or 0.0) / highest, width, unicode=screen.unicode),
                style=QUIET if _is_open(period) else GOOD,
            )
            for period in shown
        ]

    return grid(columns, screen, Bars(draw, 5, 24, [""] * len(shown)))


def _notes(funnel: FunnelResult, shown: Sequence[PeriodOfEntry], screen: Screen) -> list[Text]:
    notes = []
    if any(map(_is_open, funnel.trend)):
        notes.append(f"{NOT_OVER} not over yet: some windows are still open")
    if earlier := len(funnel.trend) - len(shown):
        notes.append(f"{number(earlier)} earlier periods are not in this table.")
    if funnel.count != "attempts":
        notes.append(f"{unit(funnel).capitalize()} count once per period, so periods need not add up to the total.")
    return [line for note in notes for line in wrap(Text(note, style=HEADER), screen)]

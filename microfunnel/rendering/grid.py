"""Columns that fit the screen: first columns go, in their own order, and only then is text cut."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from microfunnel.rendering import Screen

GAP = 2
NARROWEST = 40
WIDEST = 120
"""Farther apart, the eye loses the row."""
NO_TERMINAL = 100


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and what becomes of it where there is too little room."""

    header: Text
    cells: Sequence[Text]
    right: bool = True
    goes: int = 0
    """The column with 1 goes first; 0 stays."""
    least: int | None = None
    """Cells that it may be cut to; None where it is never cut."""

    @property
    def width(self) -> int:
        return max(size(text.plain) for text in (self.header, *self.cells))


@dataclass(frozen=True, slots=True)
class Bars:
    """The last column, which takes the room that the others leave."""

    draw: Callable[[int], Sequence[Text]]
    """The bars at a width."""
    least: int
    most: int
    remarks: Sequence[str]
    """A word after each bar, or none."""

    @property
    def reserved(self) -> int:
        """Cells that it needs beside its bars."""
        longest = max(map(size, self.remarks), default=0)
        return GAP + (longest + GAP if longest else 0)


def size(text: str) -> int:
    """Cells that text takes, in whatever environment."""
    return cell_len(text, "latest")


def room(screen: Screen) -> int:
    """Cells that a line is laid out for."""
    return NO_TERMINAL if screen.width is None else min(max(screen.width, NARROWEST), WIDEST)


def grid(columns: Sequence[Column], screen: Screen, bars: Bars | None = None) -> list[Text]:
    """The lines of a table, its header first."""
    kept = keep(columns, screen, bars)
    widths = _widths(kept, None if screen.width is None else _for_columns(screen, bars))
    rows = zip(*([column.header, *column.cells] for column in kept), strict=True)
    lines = [_line(cells, kept, widths, screen) for cells in rows]
    if bars:
        left = room(screen) - bars.reserved - _total(widths)
        _add_bars(lines[1:], bars, min(max(left, bars.least), bars.most))
    return lines


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _for_columns(screen: Screen, bars: Bars | None) -> int:
    return room(screen) - (bars.reserved + bars.least if bars else 0)


def needed(columns: Sequence[Column]) -> int:
    """Cells that the columns take where all of them stay and are cut as far as they may be."""
    return _total([column.width if column.least is None else min(column.width, column.least) for column in columns])


def keep(columns: Sequence[Column], screen: Screen, bars: Bars | None = None) -> list[Column]:
    """The columns for which there is room."""
    kept = list(columns)
    if screen.width is None:
        return kept
    for going in sorted((column for column in columns if column.goes), key=lambda column: column.goes):
        if _total([column.width for column in kept]) <= _for_columns(screen, bars):
            break
        kept = [column for column in kept if column is not going]
    return kept


def _widths(columns: Sequence[Column], space: int | None) -> list[int]:
    widths = [column.width for column in columns]
    for place, column in enumerate(columns):
        excess = 0 if space is None else _total(widths) - space
        if excess > 0 and column.least is not None:
            widths[place] = min(column.width, max(column.width - excess, column.least))
    return widths


def _line(cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int], screen: Screen) -> Text:
    line = Text()
    for cell, column, width in zip(cells, columns, widths, strict=True):
        fitting = cut(cell, width, screen)
        padding = " " * (width - size(fitting.plain))
        line.append(" " * GAP if line else "")
        line.append_text(Text.assemble(padding, fitting) if column.right else Text.assemble(fitting, padding))
    return line


def _add_bars(lines: Sequence[Text], bars: Bars, width: int) -> None:
    for line, bar, remark in zip(lines, bars.draw(width), bars.remarks, strict=True):
        line.append(" " * GAP).append_text(bar)
        if remark:
            line.append(" " * (width - size(bar.plain) + GAP)).append(remark)


def fitting_length(text: str, width: int) -> int:
    """Characters of the text that fit into so many cells."""
    return bisect_right(range(1, len(text) + 1), width, key=lambda length: size(text[:length]))


def cut(text: Text, width: int, screen: Screen) -> Text:
    """The text, its end cut off where it is too wide."""
    if size(text.plain) <= width:
        return text
    kept = text.plain[: fitting_length(text.plain, width - 1)].rstrip()
    return Text(kept + ("…" if screen.unicode else "~"), style=text.style)


def wrap(text: Text, screen: Screen, indent: int = 0) -> list[Text]:
    """The text in lines that leave room for an indent, broken between words where there are any."""
    if screen.width is None:
        return [text]
    # A number and its % stay together.
    plain, width, start = text.plain.replace(" %", "\u00a0%"), room(screen) - indent, 0
    breaks = []
    while (fitting := fitting_length(plain[start:], width)) < len(plain) - start:
        space = plain.rfind(" ", start + 1, start + fitting + 1)
        start = space + 1 if space > 0 else start + max(fitting, 1)
        breaks.append(start)
    return list(text.divide(breaks))


def flow(phrases: Sequence[Text], screen: Screen, separator: str = "; ") -> list[Text]:
    """The phrases in as few lines as hold them whole; one that is too long by itself is wrapped."""
    lines: list[Text] = []
    for phrase in phrases:
        joined = Text(separator).join([lines[-1], phrase]) if lines else phrase
        if lines and (screen.width is None or size(joined.plain) <= room(screen)):
            lines[-1] = joined
        else:
            lines.append(phrase)
    return [part for line in lines for part in wrap(line, screen)]

"""What all tables of the terminal are made of: names, figures, shares and their styles."""

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from microfunnel.rendering import Screen
from microfunnel.rendering.grid import Column, wrap
from microfunnel.rendering.text import amounts, percent
from microfunnel.results import FunnelResult, Rate
from microfunnel.wording import clean

HEADER = "dim"
GOOD = "cyan"
WORST = "bold red"
QUIET = "dim"
CAUTION = "bold yellow"

UNITS = ("users", "sessions", "attempts")
LONGEST_VALUE = 32
"""Cells of a value such as an URL, which should not cost the table its columns."""


def name(text: str, screen: Screen, style: str = "") -> Text:
    """A name from a file, harmless and in the characters of the screen."""
    return Text(clean(text, unicode=screen.unicode), style=style)


def unit(funnel: FunnelResult) -> str:
    """What the funnel counts, in one word."""
    return funnel.count if funnel.count in UNITS else "units"


def figures(header: str, cells: Sequence[str], styles: Sequence[str] = (), goes: int = 0) -> Column:
    """A column of numbers."""
    styled = [Text(cell, style=style) for cell, style in zip(cells, styles or [""] * len(cells), strict=True)]
    return Column(Text(header, style=HEADER), styled, goes=goes)


def sums(
    header: str, values: Sequence[Decimal | None], currencies: Sequence[str | None], screen: Screen, goes: int
) -> Column:
    """A column of amounts of money."""
    cells = [name(amount, screen) for amount in amounts(values, currencies)]
    return Column(Text(header, style=HEADER), cells, goes=goes)


def share(rate: Rate | None) -> str:
    """A rate in percent, or nothing where there is none."""
    return "" if rate is None else percent(rate.value)


def caution(message: str, screen: Screen) -> list[Text]:
    """A warning behind a `!`."""
    lines = wrap(name(message, screen), screen, indent=2)
    return [Text.assemble(("  " if place else "! ", CAUTION), line) for place, line in enumerate(lines)]

"""Differences of rates as people read them: in points, with where they lie, and how likely chance makes them."""

from collections.abc import Callable, Sequence

from rich.text import Text

from microfunnel.findings.compare import Difference
from microfunnel.rendering.cells import GOOD, QUIET, figures, share
from microfunnel.rendering.grid import Column
from microfunnel.rendering.text import DASH

SURELY = 0.001


def signed(value: float | None, digits: int = 1) -> str:
    """Points of percent with their sign, such as `+4.2`; only 0 itself shows as 0.0."""
    if value is None:
        return DASH
    shown = f"{value * 100:+.{digits}f}"
    if float(shown):
        return shown
    least = f"{10**-digits:.{digits}f}"
    return f"{'+' if value > 0 else '-'}<{least}" if value else shown[1:]


def between(ends: tuple[float, float] | None, digits: int = 1) -> str:
    """Where a difference lies, such as `+1.2 to +7.2`."""
    return DASH if ends is None else f"{signed(ends[0], digits)} to {signed(ends[1], digits)}"


def lift(value: float | None) -> str:
    """A relative lift, such as `+37 %`."""
    return DASH if value is None else f"{signed(value, 0)} %"


def chance(p: float | None) -> str:
    """A p or q, such as `0.042`."""
    if p is None:
        return DASH
    return f"<{SURELY}" if p < SURELY else f"{p:.3f}"


def more_or_less(difference: Difference) -> str:
    """The difference in words: `11.9 points more (4.4 to 19.2)`."""
    value, ends = difference.value or 0.0, difference.interval
    if value < 0:
        value, ends = -value, None if ends is None else (-ends[1], -ends[0])
    where = "" if ends is None else f" ({ends[0] * 100:.1f} to {ends[1] * 100:.1f})"
    points = signed(value).lstrip("+")
    return f"{points} {'point' if points == '1.0' else 'points'} {_direction(difference)}{where}"


def _direction(difference: Difference) -> str:
    return "less" if (difference.value or 0.0) < 0 else "more"


def difference_columns(
    differences: Sequence[Difference], rate: Text, other: Text, *, with_q: bool = True
) -> list[Column]:
    """The rates under these headers, what lies between them, and how sure that is."""
    styles = [GOOD if each.is_found else QUIET for each in differences]

    def column(header: str, cell: Callable[[Difference], str], goes: int, styles: Sequence[str] = ()) -> Column:
        return figures(header, [cell(each) for each in differences], styles, goes)

    columns = [
        Column(other, [Text(share(each.other)) for each in differences], goes=5, least=8),
        Column(rate, [Text(share(each.rate)) for each in differences], goes=6, least=8),
        column("points", lambda each: signed(each.value), 0, styles),
        column("95 %", lambda each: between(each.interval), 4),
        column("lift", lambda each: lift(each.lift), 3),
        column("its 95 %", lambda each: between(each.lift_interval, 0), 1),
        column("p", lambda each: chance(each.p), 2 if with_q else 0, () if with_q else styles),
    ]
    return [*columns, *([column("q", lambda each: chance(each.q), 0, styles)] if with_q else [])]

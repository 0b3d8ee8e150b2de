"""What if a step rose: the biggest lever of a funnel in a sentence, and a table of all of them."""

from collections.abc import Callable, Sequence

from rich.text import Text

from microfunnel.levers import BestSegment, Gain, Lever
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import HEADER, LONGEST_VALUE, QUIET, figures, name
from microfunnel.rendering.grid import Column, cut, grid, wrap
from microfunnel.rendering.steps import is_open
from microfunnel.rendering.text import about, money, percent, words
from microfunnel.results import FunnelResult


def what_if(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """The sentence and the table; nothing where nobody asks."""
    if funnel.levers is None:
        return []
    if not funnel.levers:
        return wrap(Text(f"What if a step rose: {_why_none(funnel)}."), screen)
    return [*_sentence(funnel.levers, funnel, screen), Text(), *_table(funnel.levers, funnel, screen)]


def _why_none(funnel: FunnelResult) -> str:
    if funnel.order == "any":
        return "in any order no step comes after another whose rate could be held"
    if is_open(funnel):
        return "in an open funnel units enter at every step, and no rate after it could be held"
    return "there is no step after the first that anybody reached"


def _sentence(levers: Sequence[Lever], funnel: FunnelResult, screen: Screen) -> list[Text]:
    lever, currency = levers[0], funnel.totals.currency
    if lever.best is not None and lever.is_sure:
        step, segment = words(lever.goal), _segment(lever.best, with_column=True)
        rates = f"{percent(lever.best.gain.rate)} instead of {percent(lever.rate)}"
        said = f"{step} at the rate of {segment} ({rates}): {_more(lever.best.gain, currency)}"
        return wrap(Text.assemble(("Biggest lever: ", "bold"), name(said, screen)), screen)
    alike = all(each.by_a_tenth.more == lever.by_a_tenth.more for each in levers)
    where = "whichever step rises by a tenth" if alike else f"{words(lever.goal)} by a tenth"
    known = "No segment does better in a step, beyond chance" if funnel.segments else "Segments (--by) may show more"
    said = f"{where}: {_more(lever.by_a_tenth, currency)}. {known}."
    return wrap(Text.assemble(("Biggest lever: ", "bold"), name(said, screen)), screen)


def _more(gain: Gain, currency: str | None) -> str:
    worth = "" if gain.value is None else f", worth {money(round(gain.value, 2), currency)}"
    return f"{about(gain.more)} more conversions ({_interval(gain)}){worth}"


def _interval(gain: Gain) -> str:
    return f"{about(gain.low)} to {about(gain.high)}"


def _plus(gain: Gain) -> str:
    return f"+ {about(gain.more)}"


def _each(found: Sequence[BestSegment | None], shown: Callable[[BestSegment], str]) -> list[str]:
    return ["" if best is None else shown(best) for best in found]


def _segment(best: BestSegment, *, with_column: bool) -> str:
    return ", ".join(f"{column} {value}" if with_column else value for column, value in best.by.items())


def _table(levers: Sequence[Lever], funnel: FunnelResult, screen: Screen) -> list[Text]:
    """One line per step, what chance could have made in a quiet style; where there is a best segment, what it shows."""
    columns = [
        Column(
            Text("what if", style="bold"), [name(words(each.goal), screen) for each in levers], right=False, least=10
        ),
        figures("now", [percent(each.rate) for each in levers], goes=3),
        figures("a tenth", [_plus(each.by_a_tenth) for each in levers], goes=4),
    ]
    found = [each.best for each in levers]
    if not any(found):
        return grid([*columns, figures("95 %", [_interval(each.by_a_tenth) for each in levers], goes=1)], screen)
    styles = ["" if best is not None and best.beyond_chance else QUIET for best in found]
    several = len({tuple(best.by) for best in found if best is not None}) > 1
    segments = [Text() if best is None else name(_segment(best, with_column=several), screen) for best in found]
    shown = segments if screen.width is None else [cut(each, LONGEST_VALUE, screen) for each in segments]
    columns.append(Column(Text("as in", style=HEADER), shown, right=False, least=8))
    columns += [
        figures("rate", _each(found, lambda best: percent(best.gain.rate)), styles, goes=5),
        figures("more", _each(found, lambda best: _plus(best.gain)), styles),
        figures("95 %", _each(found, lambda best: _interval(best.gain)), styles, goes=2),
    ]
    if funnel.totals.value_per_converted is not None:
        worth = _each(found, lambda best: money(round(best.gain.value or 0.0, 2), funnel.totals.currency))
        columns.append(figures("worth", worth, styles, goes=1))
    return grid(columns, screen)

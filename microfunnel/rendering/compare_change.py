"""Two periods or sets of files: how the rate changed, step by step, and what of it is mix and what is rate."""

from collections.abc import Sequence
from fractions import Fraction

from rich.text import Text

from microfunnel.findings.compare import ChangeFinding, Side
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import HEADER, LONGEST_VALUE, figures, name, share, unit
from microfunnel.rendering.differences import between, chance, difference_columns, more_or_less, signed
from microfunnel.rendering.grid import Column, cut, grid, wrap
from microfunnel.rendering.text import number, percent, period, words
from microfunnel.results import Rate

BEFORE, AFTER = "before", "after"


def change(finding: ChangeFinding, screen: Screen) -> list[Text]:
    """The sentences, both sides, the steps, and the segments if the change is split by any."""
    lines = [line for sentence in _sentences(finding) for line in wrap(name(sentence, screen), screen)]
    lines += [Text(), *_sides(finding, screen), *_notes(finding, screen), Text(), *_steps(finding, screen)]
    return [*lines, Text(), *_split(finding, screen)] if finding.segments else lines


def _sentences(finding: ChangeFinding) -> list[str]:
    whole, units = finding.conversion, unit(finding.funnel)
    empty = [side for side, rate in ((BEFORE, whole.other), (AFTER, whole.rate)) if not rate.whole]
    if empty:
        return [f"There is nothing to compare: no {units} whose window is closed entered {' and '.join(empty)}."]
    rates = f"{percent(whole.other.value)} before, {percent(whole.rate.value)} after"
    said = f"{more_or_less(whole)}, p {chance(whole.p)}"
    if finding.is_found:
        moved = "fell" if (whole.value or 0) < 0 else "rose"
        sentences = [f"The conversion {moved}: {rates}: {said}."]
    else:
        where = between(whole.interval)
        sentences = [
            f"No change beyond chance was found: {rates} ({signed(whole.value)} points, {where}), p {chance(whole.p)}."
        ]
    if finding.mix is not None and finding.rate is not None:
        columns = ", ".join(finding.columns)
        sentences.append(
            f"By {columns}, {signed(float(finding.mix))} points of it are mix (other {units} came), "
            f"{signed(float(finding.rate))} are rate (the same behaved otherwise)."
        )
    return sentences


def _sides(finding: ChangeFinding, screen: Screen) -> list[Text]:
    sides = (finding.before, finding.after)
    compared = [each.compared.conversion for each in sides]
    columns = [
        Column(Text(), [Text(BEFORE), Text(AFTER)], right=False),
        Column(Text("entries", style=HEADER), [_when(each, finding) for each in sides], right=False, goes=1),
        figures("entered", [number(each.entered) for each in sides], goes=2),
        figures("window open", [number(each.still_open) for each in sides], goes=3),
        figures("compared", [number(each.whole) for each in compared]),
        figures("converted", [number(each.part) for each in compared]),
        figures("of compared", [share(each) for each in compared]),
    ]
    return grid(columns, screen)


def _when(side: Side, finding: ChangeFinding) -> Text:
    first, last, zone = side.since, None if side.until is None else side.until - 1, finding.events.timezone
    if first is not None and last is not None:
        return Text(period(first, last, zone))
    if first is not None:
        return Text(f"from {period(first, first, zone)} on")
    return Text("all" if last is None else f"to {period(last, last, zone)}")


def _notes(finding: ChangeFinding, screen: Screen) -> list[Text]:
    units, phrases = unit(finding.funnel), []
    if finding.before.still_open or finding.after.still_open:
        phrases.append(f"{units} whose window is still open are left out on both sides")
    if finding.both:
        phrases.append(f"{number(finding.both)} {units} entered in both periods and count in each")
    return wrap(Text("; ".join(phrases), style="dim"), screen) if phrases else []


def _steps(finding: ChangeFinding, screen: Screen) -> list[Text]:
    shown = finding.differences[1:] if not _is_open(finding) else finding.differences
    labels = [name(words(each.goal), screen) for each in shown]
    columns = difference_columns(shown, Text(AFTER, style=HEADER), Text(BEFORE, style=HEADER))
    return grid([Column(Text("of compared", style=HEADER), labels, right=False, least=10), *columns], screen)


def _is_open(finding: ChangeFinding) -> bool:
    first = finding.differences[0]
    return (first.rate.part, first.other.part) != (first.rate.whole, first.other.whole)


def _split(finding: ChangeFinding, screen: Screen) -> list[Text]:
    """The segments, and below them all together."""
    whole = finding.conversion
    sides = [*((each.before, each.after) for each in finding.segments), (whole.other, whole.rate)]
    title = name(f"by {', '.join(finding.columns)}", screen, "bold")
    labels = [cut(name(", ".join(each.by.values()), screen), LONGEST_VALUE, screen) for each in finding.segments]
    columns = [
        Column(title, [*labels, Text("all")], right=False, least=10),
        figures("compared", [f"{number(old.whole)} to {number(new.whole)}" for old, new in sides], goes=1),
        figures("share", _shares(sides), goes=3),
        figures("converted", [_from_to(old.value, new.value) for old, new in sides], goes=2),
        figures("mix", [*_points([each.mix for each in finding.segments]), _point(finding.mix)]),
        figures("rate", [*_points([each.rate for each in finding.segments]), _point(finding.rate)]),
    ]
    note = "before to after; mix and rate are points, and add up to the change"
    return [*grid(columns, screen), *wrap(Text(note, style="dim"), screen)]


def _shares(sides: Sequence[tuple[Rate, Rate]]) -> list[str]:
    """Of the units of each side, those of each segment; the last one is all of them."""
    old, new = (each.whole for each in sides[-1])
    return [_from_to(before.whole / old, after.whole / new) for before, after in sides]


def _from_to(before: float | None, after: float | None) -> str:
    return f"{percent(before)} to {percent(after)}"


def _points(values: Sequence[Fraction]) -> list[str]:
    return [_point(value) for value in values]


def _point(value: Fraction | None) -> str:
    return signed(None if value is None else float(value), 2)

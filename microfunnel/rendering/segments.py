"""The segments of a funnel: a table for each breakdown, all with the same columns and with bars of one scale."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from rich.text import Text

from microfunnel.rendering import Screen, bars
from microfunnel.rendering.cells import GOOD, HEADER, LONGEST_VALUE, name, share
from microfunnel.rendering.grid import GAP, Bars, Column, cut, grid, room, size, wrap
from microfunnel.rendering.text import number, words
from microfunnel.results import NOT_REACHED, NOT_SET, OTHER, FunnelResult, Segment, Step

T = TypeVar("T")
Group = Sequence[Segment]

NO_GROUP = {NOT_SET, NOT_REACHED, OTHER}
"""Segments that nobody can act on, so they are never called the lowest or the highest."""
ENOUGH = 30
"""Units below which a segment is too small to be called the lowest or the highest."""
VALUES = {
    "entry": "",
    "first": " (first value)",
    "last": " (last value)",
    "all_steps": " (every step carries it; rows do not add up)",
}
AT_STEP = "step:"


def segments(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """One line per segment, a header over each breakdown."""
    groups = [list(group) for _, group in groupby(funnel.segments, key=lambda each: (tuple(each.by), each.value))]
    if not groups:
        return []
    cells = [_labels(group, screen) for group in groups]
    above, headers = _titles(groups, cells, screen)
    labels = _stacked(Text(), headers, cells)
    remarks = _stacked("", [""] * len(groups), [extremes(group) for group in groups])
    lines = grid(
        [Column(labels[0], labels[1:], right=False, least=10), *_columns(funnel.totals.required, groups, screen)],
        screen,
        Bars(lambda width: _bars(groups, width, screen), 5, 24, remarks[1:]),
    )
    before = _stacked([], above, [[[]] * len(group) for group in groups])
    return [each for titles, line in zip(before, lines, strict=True) for each in (*titles, line)]


def _titles(
    groups: Sequence[Group], cells: Sequence[Sequence[Text]], screen: Screen
) -> tuple[list[list[Text]], list[Text]]:
    """The lines above each table, and what stands over its labels: a title too long for these goes above."""
    widest = max(room(screen) // 3, *(size(label.plain) for labels in cells for label in labels))
    titles = [_title(group[0], screen) for group in groups]
    above = [wrap(title, screen) if size(title.plain) > widest else [] for title in titles]
    return above, [Text() if lines else title for title, lines in zip(titles, above, strict=True)]


def _stacked(empty: T, headers: Sequence[T], groups: Sequence[Sequence[T]]) -> list[T]:
    """The cells of the groups below each other, each under its header and all but the first after an empty line."""
    cells: list[T] = []
    for header, group in zip(headers, groups, strict=True):
        cells += [*([empty] if cells else []), header, *group]
    return cells


def _title(segment: Segment, screen: Screen) -> Text:
    """What the segments are made by, and where the value is read unless that is the entry."""
    by, value = ", ".join(segment.by), segment.value
    where = f" at {words(value.removeprefix(AT_STEP))}" if _at_step(segment) else VALUES.get(value, f" ({value})")
    return Text.assemble(name(f"by {by}", screen, "bold"), name(where, screen, HEADER))


def _labels(group: Group, screen: Screen) -> list[Text]:
    """The values of each segment; those of several columns below each other."""
    count = len(group[0].by)
    longest = LONGEST_VALUE if count == 1 else max((room(screen) // 2 - GAP * (count - 1)) // count, 6)
    rows = [[name(value, screen) for value in segment.by.values()] for segment in group]
    if screen.width is not None:
        rows = [[cut(value, longest, screen) for value in row] for row in rows]
    widths = [max(size(value.plain) for value in column) for column in zip(*rows, strict=True)]
    labels = []
    for row in rows:
        padded = [value.plain + " " * (width - size(value.plain)) for value, width in zip(row, widths, strict=True)]
        labels.append(Text((" " * GAP).join(padded).rstrip() if count > 1 else row[0].plain))
    return labels


def _columns(steps: Sequence[Step], groups: Sequence[Group], screen: Screen) -> list[Column]:
    """The last step stays, as the one that the bars show; of the others the first goes first, and who entered last."""
    entered = _figures("entered", groups, lambda segment: number(segment.totals.entered), goes=len(steps))
    return [entered, *(_step_shares(steps, place, groups, screen) for place in range(1, len(steps)))]


def _step_shares(steps: Sequence[Step], place: int, groups: Sequence[Group], screen: Screen) -> Column:
    header = name(words(steps[place].goal), screen).plain
    is_last = place == len(steps) - 1
    return _figures(
        header,
        groups,
        lambda segment: share(segment.totals.required[place].from_first),
        goes=0 if is_last else place,
        least=8 if is_last else None,
    )


def _figures(
    header: str, groups: Sequence[Group], shown: Callable[[Segment], str], goes: int = 0, least: int | None = None
) -> Column:
    headers = [Text(header, style=HEADER) for _ in groups]
    cells = _stacked(Text(), headers, [[Text(shown(segment)) for segment in group] for group in groups])
    return Column(cells[0], cells[1:], goes=goes, least=least)


def _bars(groups: Sequence[Group], width: int, screen: Screen) -> list[Text]:
    """Bars in proportion to the highest conversion, which fills the width.

    Segments by the value at a step have a scale of their own: units that got that far convert more often.
    """
    highest: dict[bool, float] = {}
    for segment in (segment for group in groups for segment in group):
        highest[_at_step(segment)] = max(highest.get(_at_step(segment), 0.0), _conversion(segment))
    drawn = [[_bar(segment, highest[_at_step(segment)], width, screen) for segment in group] for group in groups]
    return _stacked(Text(), [Text()] * len(groups), drawn)[1:]


def _at_step(segment: Segment) -> bool:
    return segment.value.startswith(AT_STEP)


def _bar(segment: Segment, highest: float, width: int, screen: Screen) -> Text:
    return Text(bars.bar(_conversion(segment) / (highest or 1.0), width, unicode=screen.unicode), style=GOOD)


def extremes(rows: Group) -> list[str]:
    """`lowest` and `highest` beside their segments; nothing where chance could have made the difference."""
    groups = [
        segment for segment in rows if segment.totals.entered >= ENOUGH and NO_GROUP.isdisjoint(segment.by.values())
    ]
    if not groups:
        return [""] * len(rows)
    low = min(groups, key=_conversion)
    high = max(groups, key=_conversion)
    ends = low.totals.conversion.interval(), high.totals.conversion.interval()
    if not ends[0] or not ends[1] or ends[0][1] >= ends[1][0]:
        return [""] * len(rows)
    return ["lowest" if segment is low else "highest" if segment is high else "" for segment in rows]


def _conversion(segment: Segment) -> float:
    return segment.totals.conversion.value or 0.0

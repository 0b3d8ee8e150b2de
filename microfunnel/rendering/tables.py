"""The tables of the terminal: the steps of a funnel, its segments, and the scorecard of all goals."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from rich.text import Text

from microfunnel.rendering import Screen, bars
from microfunnel.rendering.grid import Bars, Column, cut, grid
from microfunnel.rendering.text import amounts, duration, number, percent, words
from microfunnel.results import NOT_SET, OTHER, FunnelResult, GoalResult, Rate, Segment, Step
from microfunnel.wording import clean

T = TypeVar("T")

HEADER = "dim"
GOOD = "cyan"
WORST = "bold red"
LOST = "dim"

UNITS = ("users", "sessions", "attempts")
NO_GROUP = {NOT_SET, OTHER}
"""Segments that nobody can act on, so they are never called the lowest or the highest."""
ENOUGH = 30
"""Units below which a segment is too small to be called the lowest or the highest."""
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


def steps(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """One line per step, the one before which most are lost in a colour of its own."""
    rows, worst = funnel.totals.steps, funnel.totals.worst_step
    styles = [WORST if step is worst else "" for step in rows]
    digits = len(str(len(rows)))
    names = [
        name(f"{step.step:>{digits}} {words(step.goal)}", screen, style)
        for step, style in zip(rows, styles, strict=True)
    ]
    columns = [
        Column(Text(" " * digits + " step", style=HEADER), names, right=False, least=10),
        figures(unit(funnel), [number(step.reached) for step in rows]),
        figures("of previous", _each(rows, lambda step: _share(step.from_previous)), goes=3),
        figures("of first", [_share(step.from_first) for step in rows], goes=5),
        figures("lost", _each(rows, lambda step: "" if step.dropped is None else number(step.dropped)), styles, 4),
        figures("drop-off", _each(rows, lambda step: _share(step.drop_off)), styles, 1),
        figures("median wait", _each(rows, _wait), goes=2),
    ]
    return grid(columns, screen, Bars(lambda width: _step_bars(rows, worst, width, screen), 12, 60, [""] * len(rows)))


def _each(rows: Sequence[Step], shown: Callable[[Step], str]) -> list[str]:
    return [shown(step) for step in rows]


def _share(rate: Rate | None) -> str:
    return "" if rate is None else percent(rate.value)


def _wait(step: Step) -> str:
    return "" if step.times_from_previous is None else duration(step.times_from_previous.median)


def _step_bars(rows: Sequence[Step], worst: Step | None, width: int, screen: Screen) -> list[Text]:
    drawn = []
    previous = 0.0
    for step in rows:
        share = step.from_first.value or 0.0
        lost = bars.lost(share, previous, width, unicode=screen.unicode, worst=step is worst)
        bar = bars.bar(share, width, unicode=screen.unicode)
        drawn.append(Text.assemble((bar, GOOD), (lost, WORST if step is worst else LOST)))
        previous = share
    return drawn


def segments(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """One line per segment, a header over each breakdown; all share their columns and the scale of the bars."""
    groups = [list(group) for _, group in groupby(funnel.segments, key=lambda segment: tuple(segment.by))]
    if not groups:
        return []
    goals = [step.goal for step in funnel.totals.steps]
    labels = _stacked(
        Text(),
        [name("by " + ", ".join(group[0].by), screen, "bold") for group in groups],
        [[_label(segment, screen) for segment in group] for group in groups],
    )
    columns = [
        Column(labels[0], labels[1:], right=False, least=10),
        _segment_figures("entered", groups, lambda segment: number(segment.totals.entered), goes=len(goals)),
        *(_step_shares(goals, place, groups, screen) for place in range(1, len(goals))),
    ]
    remarks = _stacked("", [""] * len(groups), [extremes(group) for group in groups])[1:]
    return grid(columns, screen, Bars(lambda width: _segment_bars(groups, width, screen), 5, 24, remarks))


def _stacked(empty: T, headers: Sequence[T], groups: Sequence[Sequence[T]]) -> list[T]:
    """The cells of the groups below each other, each under its header and all but the first after an empty line."""
    cells: list[T] = []
    for header, group in zip(headers, groups, strict=True):
        cells += [*([empty] if cells else []), header, *group]
    return cells


def _label(segment: Segment, screen: Screen) -> Text:
    label = name(", ".join(segment.by.values()), screen)
    return label if screen.width is None else cut(label, LONGEST_VALUE, screen)


def _segment_figures(
    header: str,
    groups: Sequence[Sequence[Segment]],
    shown: Callable[[Segment], str],
    goes: int = 0,
    least: int | None = None,
) -> Column:
    headers = [Text(header, style=HEADER) for _ in groups]
    cells = _stacked(Text(), headers, [[Text(shown(segment)) for segment in group] for group in groups])
    return Column(cells[0], cells[1:], goes=goes, least=least)


def _step_shares(goals: Sequence[str], place: int, groups: Sequence[Sequence[Segment]], screen: Screen) -> Column:
    """The last step stays, as the one that the bars show; of the others the first goes first."""
    header = name(words(goals[place]), screen).plain
    last = place == len(goals) - 1
    return _segment_figures(
        header,
        groups,
        lambda segment: _share(segment.totals.steps[place].from_first),
        goes=0 if last else place,
        least=8 if last else None,
    )


def _segment_bars(groups: Sequence[Sequence[Segment]], width: int, screen: Screen) -> list[Text]:
    """Bars in proportion to the highest conversion, which fills the width."""
    highest = max(_conversion(segment) for group in groups for segment in group) or 1.0
    drawn = [
        [Text(bars.bar(_conversion(segment) / highest, width, unicode=screen.unicode), style=GOOD) for segment in group]
        for group in groups
    ]
    return _stacked(Text(), [Text()] * len(groups), drawn)[1:]


def extremes(rows: Sequence[Segment]) -> list[str]:
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


def scorecard(goals: Sequence[GoalResult], screen: Screen) -> list[Text]:
    """One line per goal."""
    names = [name(words(goal.goal), screen) for goal in goals]
    kinds = [name(goal.kind, screen) for goal in goals]
    columns = [
        Column(Text("goals", style="bold"), names, right=False, least=10),
        Column(Text("kind", style=HEADER), kinds, right=False, goes=1),
        figures("completions", [number(goal.completions) for goal in goals], goes=2),
        figures("users", [number(goal.users) for goal in goals]),
        figures("of users", [_share(goal.rate) for goal in goals]),
    ]
    if any(goal.value is not None for goal in goals):
        columns.append(figures("value", amounts([goal.value for goal in goals]), goes=3))
    return grid(columns, screen)

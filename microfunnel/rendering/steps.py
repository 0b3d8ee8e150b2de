"""The steps of a funnel: who came how far, where units came in later or were excluded, and what stopped the others."""

from collections.abc import Callable, Sequence

from rich.text import Text

from microfunnel.rendering import Screen, bars
from microfunnel.rendering.cells import GOOD, HEADER, QUIET, WORST, figures, name, share, sums, unit
from microfunnel.rendering.grid import Bars, Column, grid, keep, needed, room, size, wrap
from microfunnel.rendering.text import STOPPED, duration, number, words
from microfunnel.results import FunnelResult, Step, Totals

ENTERED_HERE = "entered here"
NARROWEST_REASONS = 60
"""Cells below which nobody is told why units stopped."""


def is_open(funnel: FunnelResult) -> bool:
    """Whether units came in at other steps than the first."""
    return any(step.entered_here for step in funnel.totals.steps[1:])


def steps(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """One line per step, the one before which most are lost in a colour of its own, and what is to say about them."""
    rows, worst = funnel.totals.steps, funnel.totals.worst_step
    styles = [WORST if step is worst else "" for step in rows]
    columns = [
        Column(
            Text(" " * size(_number(funnel, rows[0])) + "step", style=HEADER),
            [name(_label(funnel, step), screen, style) for step, style in zip(rows, styles, strict=True)],
            right=False,
            least=10,
        ),
        figures(unit(funnel), [number(step.reached) for step in rows]),
        figures("of previous", _each(rows, lambda step: share(step.from_previous)), goes=6),
        figures("of entered" if is_open(funnel) else "of first", [share(step.from_first) for step in rows], goes=8),
        figures("lost", _each(rows, lambda step: "" if step.dropped is None else number(step.dropped)), styles, 7),
        figures("drop-off", _each(rows, lambda step: share(step.drop_off)), styles, 3),
        figures("median wait", _each(rows, _wait), goes=4),
        *_money(funnel.totals, screen),
    ]
    if is_open(funnel):
        columns.insert(2, figures(ENTERED_HERE, ["", *_each(rows[1:], _entered_here)], goes=5))
    drawn = Bars(lambda width: _step_bars(rows, worst, width, screen), 12, 60, [""] * len(rows))
    shown = {column.header.plain for column in keep(columns, screen, drawn)}
    came_in = [] if ENTERED_HERE in shown or not is_open(funnel) else _came_in(rows, screen)
    return [*grid(columns, screen, drawn), *came_in, *_excluded(rows, screen)]


def _money(totals: Totals, screen: Screen) -> list[Column]:
    """What the steps are worth, and those that were lost before each; nothing where no step has a value."""
    rows = totals.steps
    values, currencies = [step.value for step in rows], [step.currency for step in rows]
    at_risk = [totals.at_risk(step) for step in rows]
    columns = [
        sums("value", values, currencies, screen, goes=1),
        sums("at risk", at_risk, [totals.currency] * len(rows), screen, goes=2),
    ]
    return [column for column in columns if any(cell.plain for cell in column.cells)]


def _label(funnel: FunnelResult, step: Step) -> str:
    goal = words(step.goal)
    return _number(funnel, step) + (f"  {goal} (optional)" if step.optional else goal)


def _number(funnel: FunnelResult, step: Step) -> str:
    """The number of the step, right-aligned; steps in any order have none but that in their name."""
    return "" if funnel.order == "any" else f"{step.step:>{len(str(len(funnel.totals.steps)))}} "


def _each(rows: Sequence[Step], shown: Callable[[Step], str]) -> list[str]:
    return [shown(step) for step in rows]


def _entered_here(step: Step) -> str:
    return f"+ {number(step.entered_here)}" if step.entered_here else ""


def _wait(step: Step) -> str:
    return "" if step.times_from_previous is None else duration(step.times_from_previous.median)


def _step_bars(rows: Sequence[Step], worst: Step | None, width: int, screen: Screen) -> list[Text]:
    """What reached each step, and behind it what was lost before; together no more than entered."""
    drawn = []
    for step in rows:
        reached = step.from_first.value or 0.0
        before = (step.reached + (step.dropped or 0)) / step.entered if step.entered else 0.0
        lost = bars.lost(reached, before, width, unicode=screen.unicode, worst=step is worst)
        bar = bars.bar(reached, width, unicode=screen.unicode)
        drawn.append(Text.assemble((bar, GOOD), (lost, WORST if step is worst else QUIET)))
    return drawn


def _came_in(rows: Sequence[Step], screen: Screen) -> list[Text]:
    later = [(step, step.entered_here) for step in rows[1:] if step.entered_here]
    return _note("Entered later: ", later, " at ", screen)


def _excluded(rows: Sequence[Step], screen: Screen) -> list[Text]:
    return _note("Excluded on the way: ", [(step, step.excluded) for step in rows if step.excluded], " before ", screen)


def _note(begin: str, counts: Sequence[tuple[Step, int]], where: str, screen: Screen) -> list[Text]:
    """How many units at which steps: `34 (12 before checkout, 22 before purchase)`; nothing where there are none."""
    if not counts:
        return []
    parts = ", ".join(f"{number(n)}{where}{words(step.goal)}" for step, n in counts)
    whole = f"{number(sum(n for _, n in counts))} ({parts})"
    return wrap(name(begin + (parts if len(counts) == 1 else whole), screen), screen)


def reasons(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """What stopped the units before each step; nothing where there is one reason only, or no room for all of them."""
    rows = [step for step in funnel.totals.steps if step.dropped]
    found = [reason for reason in STOPPED if any(step.stopped.get(reason) for step in rows)]
    header = Text("why they stopped", style="bold")
    labels = [name(words(step.goal), screen) for step in rows]
    columns = [Column(header, [Text("before ") + label for label in labels], right=False, least=len(header))]
    for reason in found:
        counts = [step.stopped.get(reason, 0) for step in rows]
        columns.append(figures(STOPPED[reason], [number(n) for n in counts], ["" if n else QUIET for n in counts]))
    scarce = screen.width is not None and (room(screen) < NARROWEST_REASONS or needed(columns) > room(screen))
    return [] if scarce or len(found) <= 1 else grid(columns, screen)

"""Where the lost went, for people: a sentence and a table for each step, and the ways to a goal."""

from rich.text import Text

from microfunnel.findings.paths import FunnelPaths, Line, PathsBefore, PathsResult, StepPaths
from microfunnel.rendering import Screen, bars
from microfunnel.rendering.cells import GOOD, LONGEST_VALUE, WORST, figures, name, share, sums
from microfunnel.rendering.funnel import funnel_headline, left_out
from microfunnel.rendering.grid import Bars, Column, grid, wrap
from microfunnel.rendering.text import duration, money, number, percent, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.trust import trust
from microfunnel.results import OTHER, Totals
from microfunnel.wording import plural

TOLD = 3
"""So many lines are told in the sentence."""
ARROW = " > "


def render(found: PathsResult, screen: Screen) -> str:
    """All that people want to see."""
    sections = [_funnel(funnel, found, screen) for funnel in found.funnels]
    if found.before is not None:
        sections.append(_before(found.before, screen))
    lines = [line for section in sections for line in (*section, Text(), Text())]
    return printed([*lines, *trust(found.events, screen, with_period=not found.funnels)], screen)


def _funnel(funnel: FunnelPaths, found: PathsResult, screen: Screen) -> list[Text]:
    lines = [*funnel_headline(funnel.result, found.events, screen), *left_out(funnel.result, screen)]
    if not funnel.steps:
        return [*lines, Text("One step loses nobody.")]
    for step in funnel.steps:
        lines += [*([Text()] if step is not funnel.steps[0] else []), *_step(step, funnel.result.totals, screen)]
    return lines


def _step(step: StepPaths, totals: Totals, screen: Screen) -> list[Text]:
    sentence = wrap(name(_sentence(step, totals), screen), screen)
    return [*sentence, Text(), *_table(step, totals, screen)] if step.lines else sentence


def _sentence(step: StepPaths, totals: Totals) -> str:
    after = f"After {words(step.after)}"
    if not step.dropped:
        return f"{after} nobody is lost."
    told = ", ".join(_told(line) for line in step.lines[:TOLD] if line.lost)
    lost = f"{after} {number(step.dropped)} {'is' if step.dropped == 1 else 'are'} lost: {told}."
    at_risk, each = totals.worth_of(step.dropped), totals.value_per_converted
    if at_risk is None or each is None:
        return lost
    return f"{lost} Worth {money(at_risk, totals.currency)} at {money(each, totals.currency)} each."


def _told(line: Line) -> str:
    one = line.lost == 1
    path = ARROW.join(line.path)
    elsewhere = line.path == (OTHER,)
    said = {
        "left": "left without another event",
        "went_to": "went elsewhere" if elsewhere else f"went to {path}",
        "looped_back": "went back another way" if elsewhere else f"went back to {path}",
        "too_late": f"{'was' if one else 'were'} too late",
        "excluded": f"{'was' if one else 'were'} excluded",
        "in_progress": f"{'is' if one else 'are'} still in progress",
    }
    return f"{number(line.lost)} {said[line.outcome]}"


def _label(line: Line, step: StepPaths) -> str:
    path = ARROW.join(line.path)
    return {
        "left": "left",
        "went_to": f"to {path}",
        "looped_back": f"back to {path}",
        "too_late": "too late",
        "excluded": "excluded",
        "in_progress": "in progress",
        "next_step": f"straight to {words(step.goal)}",
    }[line.outcome]


def _table(step: StepPaths, totals: Totals, screen: Screen) -> list[Text]:
    """One line for each way, and their sum."""
    rows = step.lines
    lost = [*(number(line.lost) if line.lost else "" for line in rows), number(step.dropped)]
    went_on = [*(number(line.went_on) if line.went_on else "" for line in rows), number(step.went_on)]
    of_lost = [*(share(step.share_lost(line)) if line.lost else "" for line in rows), ""]
    of_those = [*(share(step.share_went_on(line)) if line.went_on else "" for line in rows), ""]
    labels = [*(_label(line, step) for line in rows), "all"]
    waits = [*(duration(_wait(line)) if _wait(line) is not None else "" for line in rows), ""]
    columns = [
        Column(
            name(f"after {words(step.after)}", screen, "bold"),
            [name(label, screen) for label in labels],
            right=False,
            least=min(LONGEST_VALUE, max(map(len, labels))),
        ),
        figures("lost", lost),
        figures("of lost", of_lost, goes=5),
        figures("went on", went_on, goes=4),
        figures("of those", of_those, goes=1),
        figures("median", waits, goes=3),
    ]
    if totals.value_per_converted is not None:
        at_risk = [*(totals.worth_of(line.lost) if line.lost else None for line in rows), totals.worth_of(step.dropped)]
        columns.append(sums("at risk", at_risk, [totals.currency] * len(labels), screen, goes=2))
    drawn = Bars(lambda width: _bars(step, width, screen), 8, 40, [""] * len(labels))
    return grid(columns, screen, drawn)


def _wait(line: Line) -> float | None:
    """How long it took until what came next, of the lost; of those that went on where none is lost so."""
    return line.lost_times.median if line.lost else line.went_on_times.median


def _bars(step: StepPaths, width: int, screen: Screen) -> list[Text]:
    """The shares of the lost."""
    drawn = [bars.bar(step.share_lost(line).value or 0.0, width, unicode=screen.unicode) for line in step.lines]
    return [Text(bar, style=WORST) for bar in drawn] + [Text()]


def _before(before: PathsBefore, screen: Screen) -> list[Text]:
    goal = words(before.goal)
    if not before.users:
        return [name(f"Nobody completed {goal}.", screen)]
    first = before.ways[0]
    which = "by another way" if first.path == (OTHER,) else f"by {ARROW.join(first.path)}"
    rate = percent(before.share(first).value)
    sentence = f"{plural(before.users, 'user')} completed {goal}: {number(first.users)} ({rate}) came {which}."
    labels = [name(ARROW.join(way.path), screen) for way in before.ways]
    columns = [
        Column(name(f"before {goal}", screen, "bold"), labels, right=False, least=10),
        figures("users", [number(way.users) for way in before.ways]),
        figures("of users", [share(before.share(way)) for way in before.ways], goes=2),
        figures("median time", [duration(way.times.median) if way.times.n else "" for way in before.ways], goes=1),
    ]
    drawn = Bars(lambda width: _ways(before, width, screen), 8, 40, [""] * len(labels))
    return [*wrap(name(sentence, screen), screen), Text(), *grid(columns, screen, drawn)]


def _ways(before: PathsBefore, width: int, screen: Screen) -> list[Text]:
    shares = [before.share(way).value or 0.0 for way in before.ways]
    return [Text(bars.bar(each, width, unicode=screen.unicode), style=GOOD) for each in shares]

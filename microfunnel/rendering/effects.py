"""The effects of micro goals for people: a sentence, a table for each macro goal, and candidates ready to paste."""

from collections.abc import Callable, Sequence

from rich.text import Text

from microfunnel.findings.effects import Candidate, Candidates, Effect, Effects, GoalEffect, MacroEffects
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import GOOD, HEADER, LONGEST_VALUE, QUIET, figures, name, share
from microfunnel.rendering.effects_yaml import yaml_lines
from microfunnel.rendering.grid import Column, cut, grid, wrap
from microfunnel.rendering.headline import headline
from microfunnel.rendering.text import DASH, interval, number, span, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.trust import trust
from microfunnel.wording import plural

STRUCTURAL = "*"
MOST_LISTED = 6
SMALLEST = 0.0001
"""The smallest q that is shown as it is."""


def render(effects: Effects, screen: Screen) -> str:
    """Each macro goal with its micro goals and its candidates, and what to know of the rows."""
    lines: list[Text] = []
    for macro in effects.macros:
        lines += [*_macro(macro, effects, screen), Text(), Text()]
        if macro.candidates is not None:
            lines += [*_candidates(macro, macro.candidates, effects, screen), Text(), Text()]
    if effects.columns is not None:
        lines += [*map(Text, yaml_lines(effects, unicode=screen.unicode)), Text(), Text()]
    return printed([*lines, *trust(effects.events, screen, with_period=False)], screen)


# --- the goals --------------------------------------------------------------------------------------------------------


def _macro(macro: MacroEffects, effects: Effects, screen: Screen) -> list[Text]:
    title = f"effects on {words(macro.macro)}"
    how = (
        "users who did a goal before it, and others"
        if effects.landmark is None
        else f"users at the age of {_age(effects)}"
    )
    sentences = [_finding(macro, effects), _conversion(macro), _shown(macro, effects)]
    lines = [*headline(title, how, effects.events, screen)]
    for sentence in sentences:
        lines += wrap(name(sentence, screen), screen)
    if macro.goals:
        lines += [Text(), *_table(macro, screen), *_structural(macro, screen)]
    return lines


def _age(effects: Effects) -> str:
    return span((effects.landmark or 0) / 1_000_000)


def _finding(macro: MacroEffects, effects: Effects) -> str:
    """What matters most, in one sentence with its numbers."""
    end = words(macro.macro)
    if not macro.conversion.part:
        return f"Nobody reached {end}, so nothing can be compared."
    if not any(each.effect.p is not None for each in macro.goals):
        return "No goal can be compared: nobody had done it before, or all who converted had."
    if macro.best is None:
        return f"No goal goes with {end}, or without it, by more than chance could make: q is above 0.05 for each."
    effect, goal = macro.best.effect, words(macro.best.goal)
    when, then = (f"before {end}", "it") if effects.landmark is None else (f"by the age of {_age(effects)}", end)
    return (
        f"Of {plural(effect.followed.whole, 'user')} who did {goal} {when} {share(effect.followed)} reached {then}, of "
        f"{plural(effect.without.whole, 'other')} {share(effect.without)}: {_points_in_words(effect)}, q {_q(effect)}. "
        "They go together; that one makes the other is not said."
    )


def _points_in_words(effect: Effect) -> str:
    """A difference with its interval: `6.7 points more (3.9 to 9.8)`."""
    difference, ends = effect.difference or 0.0, effect.interval or (0.0, 0.0)
    if difference < 0:
        return f"{-difference * 100:.1f} points less ({interval((-ends[1], -ends[0]))})"
    return f"{difference * 100:.1f} points more ({interval(ends)})"


def _conversion(macro: MacroEffects) -> str:
    reached = macro.conversion
    worth = "" if macro.mean_value is None else f"; {macro.mean_value:,.2f} each"
    users = plural(reached.whole, "user")
    return f"{number(reached.part)} of {users} reached {words(macro.macro)} ({share(reached)}){worth}."


def _shown(macro: MacroEffects, effects: Effects) -> str:
    """Which comparison this is, and what may be wrong with it."""
    end = words(macro.macro)
    if effects.landmark is None:
        return (
            f"Shown is the plain comparison: a goal counts before a user's first {end}. Who converts soon has less "
            f"time for it than others: --landmark 1d compares all at the same age.{_first_events(macro)}"
        )
    return (
        f"Shown are users who had not reached {end} by the age of {_age(effects)}: what they had done by then, and who "
        f"reached it later. {number(macro.early)} who had are left out, and {number(macro.young)} not observed so long."
    )


def _first_events(macro: MacroEffects) -> str:
    return f" {number(macro.early)} who reached it with their first event are left out." if macro.early else ""


def _table(macro: MacroEffects, screen: Screen) -> list[Text]:
    """One line per goal, those that make the largest difference first, structural ones last."""
    rows = sorted(macro.goals, key=lambda each: (each.structural, -_or_least(each.effect.difference)))
    effects = [each.effect for each in rows]
    labels = [name(words(each.goal) + STRUCTURAL * each.structural, screen, _style(each)) for each in rows]
    after = [number(each.done - each.followed.whole) for each in effects]
    return grid(
        [
            Column(Text("goal", style=HEADER), labels, right=False, least=10),
            Column(Text("kind", style=HEADER), [name(each.kind, screen) for each in rows], right=False, goes=3),
            *_columns(effects, screen, after),
        ],
        screen,
    )


def _or_least(difference: float | None) -> float:
    return -1.0 if difference is None else difference


def _style(each: GoalEffect) -> str:
    return QUIET if each.structural else GOOD if each.effect.is_found else ""


def _columns(effects: Sequence[Effect], screen: Screen, after: Sequence[str] = ()) -> list[Column]:
    """The numbers of each effect; what somebody needs least goes first where there is little room."""

    def column(header: str, shown: Callable[[Effect], str], goes: int = 0) -> Column:
        return figures(header, [shown(each) for each in effects], goes=goes)

    return [
        column("users", lambda each: number(each.followed.whole), 10),
        column("of users", lambda each: share(each.reach), 4),
        *([figures("not before", after, goes=2)] if after else []),
        column("with", lambda each: share(each.followed)),
        column("without", lambda each: share(each.without)),
        column("points", lambda each: _signed(each.difference, 100, 1), 11),
        column("95 %", lambda each: interval(each.interval), 9),
        column("ratio", lambda each: _plain(each.ratio), 5),
        column("φ" if screen.unicode else "phi", lambda each: _signed(each.phi, 1, 2), 6),
        column("recall", lambda each: share(each.recall), 7),
        column("q", _q),
        *(
            [
                column("expected", lambda each: _plain(each.expected_value), 1),
                column("incremental", lambda each: _signed(each.incremental_value, 1, 2), 8),
            ]
            if any(each.value is not None for each in effects)
            else []
        ),
    ]


def _signed(value: float | None, factor: int, digits: int) -> str:
    """A number with its sign, and none where it is rounded to 0."""
    if value is None:
        return DASH
    shown = f"{value * factor:+,.{digits}f}"
    return shown if shown.strip("+-0.,") else shown[1:]


def _plain(value: float | None) -> str:
    return DASH if value is None else f"{value:,.2f}"


def _q(effect: Effect) -> str:
    if effect.q is None:
        return DASH
    return f"<{SMALLEST:.4f}" if effect.q < SMALLEST else f"{effect.q:.4f}"


def _structural(macro: MacroEffects, screen: Screen) -> list[Text]:
    if not any(each.structural for each in macro.goals):
        return []
    end, converted = words(macro.macro), number(macro.conversion.part)
    text = f"{STRUCTURAL} structural: all {converted} who reached {end} had done it, so its difference is no finding"
    return wrap(name(text, screen, QUIET), screen)


# --- candidates -------------------------------------------------------------------------------------------------------


def _candidates(macro: MacroEffects, found: Candidates, effects: Effects, screen: Screen) -> list[Text]:
    columns = effects.columns or ()
    looked_at = f"names of events{''.join(f', {column}' for column in columns[:MOST_LISTED])}"
    more = f" and {number(len(columns) - MOST_LISTED)} more columns" if len(columns) > MOST_LISTED else ""
    best = " The best of them by effect and reach:" if found.shown else ""
    text = (
        f"{plural(found.tested, 'candidate')} tested ({looked_at}{more}): what no goal asks for, and at least "
        f"{number(found.least)} users had done and as many had not.{best}"
    )
    lines = [name(f"candidates for {words(macro.macro)}", screen, "bold"), *wrap(name(text, screen), screen)]
    if found.shown:
        shown = [each.effect for each in found.shown]
        labels = [name(label(each), screen, GOOD if each.effect.is_found else "") for each in found.shown]
        if screen.width is not None:
            labels = [cut(each, LONGEST_VALUE, screen) for each in labels]
        first = Column(Text("candidate", style=HEADER), labels, right=False, least=10)
        lines += [Text(), *grid([first, *_columns(shown, screen)], screen)]
    return [*lines, *_untested(macro, found, screen)]


def label(candidate: Candidate) -> str:
    """What a candidate is, in few words: the name of its events, or column and value."""
    return candidate.value if candidate.field == "event" else f"{candidate.field}: {candidate.value}"


def _untested(macro: MacroEffects, found: Candidates, screen: Screen) -> list[Text]:
    if not found.untested:
        return []
    labels = [label(each) for each in found.untested[:MOST_LISTED]]
    if len(found.untested) > MOST_LISTED:
        labels.append(f"{number(len(found.untested) - MOST_LISTED)} more")
    text = f"Not tested, as all who reached {words(macro.macro)} had done it, or all who did not: {', '.join(labels)}"
    return wrap(name(text, screen, QUIET), screen)

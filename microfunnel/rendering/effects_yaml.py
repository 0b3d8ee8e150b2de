"""The best candidates as goals, ready to paste into a goals file."""

from collections.abc import Iterator

from microfunnel.findings.effects import Candidate, Effects
from microfunnel.rendering.goals_yaml import flow_of, free_name, text_of
from microfunnel.rendering.text import number, percent, words
from microfunnel.results import Rate
from microfunnel.wording import clean


def proposed(effects: Effects) -> Iterator[tuple[str, str, Candidate]]:
    """The name of a new goal, the macro goal that it goes with, and what it asks for; each candidate once."""
    names = set(effects.goal_names)
    known: set[tuple[str, str]] = set()
    for macro in effects.macros:
        for each in macro.candidates.shown if macro.candidates is not None else ():
            if each.is_worth_a_goal and (each.field, each.value) not in known:
                text = each.value if each.field == "event" else f"{each.field} {each.value}"
                name = free_name(text, names)
                names.add(name)
                known.add((each.field, each.value))
                yield name, macro.macro, each


def yaml_lines(effects: Effects, *, unicode: bool) -> list[str]:
    """Goals that go with a macro goal beyond chance, as lines of YAML; a sentence where there are none."""
    goals = list(proposed(effects))
    if not goals:
        return ["No candidate goes with a macro goal beyond chance, so none is proposed as a goal."]
    lines = ["# To paste below `goals:` in the goals file; rename them as you like."]
    for name, macro, each in goals:
        effect = each.effect
        parts = {"kind": "secondary", "match": {each.field: each.value}}
        counts = f"{_share(effect.followed)}, of others {_share(effect.without)}"
        lines += [f"  # {words(macro)}: {counts}", f"  {text_of(name)}: {flow_of(parts)}"]
    return [clean(line, unicode=unicode) for line in lines]


def _share(rate: Rate) -> str:
    return f"{number(rate.part)} of {number(rate.whole)} ({percent(rate.value)})"

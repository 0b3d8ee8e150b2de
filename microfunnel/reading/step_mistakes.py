"""What no single step can tell: whether names are known, and whether a name or an option goes with the others."""

from collections.abc import Iterator
from itertools import islice

from microfunnel.funnels import AT_STEP, misfits
from microfunnel.reading.goals_mistakes import Finding, written_path
from microfunnel.reading.yaml_file import MOST_SHOWN, Plain, YamlPath
from microfunnel.wording import did_you_mean, quoted

Label = str | None


def step_findings(content: dict[str, Plain]) -> Iterator[Finding]:
    """The mistakes between steps, goals and options, found in plain values so that other mistakes do not hide them."""
    funnels = content.get("funnels")
    if isinstance(funnels, dict):
        yield from islice(_unknown_names(content, funnels), MOST_SHOWN + 1)
        for name, funnel in funnels.items():
            if isinstance(funnel, dict):
                yield from _shared_names(("funnels", name, "steps"), _listed(funnel, "steps"))
                for place, message in misfits(funnel):
                    yield Finding(written_path(content, ("funnels", name, *place)), message, of_block=True)


def _unknown_names(content: dict[str, Plain], funnels: dict[str, Plain]) -> Iterator[Finding]:
    goals = content.get("goals")
    for name, funnel in funnels.items():
        path = ("funnels", name)
        if isinstance(funnel, dict) and isinstance(goals, dict):
            for place, goal in (*_named_goals(funnel, "steps"), *_named_goals(funnel, "exclude")):
                if isinstance(goal, str) and goal and goal not in goals:
                    yield Finding((*path, *place), f"no goal is called {quoted(goal)}{did_you_mean(goal, list(goals))}")
        if isinstance(funnel, dict) and isinstance(funnel.get("steps"), list):
            yield from _unknown_steps(path, funnel, content)


def _named_goals(funnel: dict[str, Plain], key: str) -> Iterator[tuple[YamlPath, Plain]]:
    """Each name of a goal in the steps or the exclusions, with its place."""
    for index, each in enumerate(_listed(funnel, key)):
        if not isinstance(each, dict):
            yield (key, index), each if key == "steps" else None
            continue
        yield (key, index, "goal"), each.get("goal")
        if key == "steps":
            yield from (((key, index, "any", place), goal) for place, goal in enumerate(_listed(each, "any")))


def _unknown_steps(path: YamlPath, funnel: dict[str, Plain], content: dict[str, Plain]) -> Iterator[Finding]:
    """What `between` and `by` say of steps that are not there, or not fit for it."""
    steps = _listed(funnel, "steps")
    labels = [_label(step)[0] for step in steps]
    optional = [isinstance(step, dict) and step.get("optional") is True for step in steps]
    for index, each in enumerate(_listed(funnel, "exclude")):
        between = _listed(each, "between") if isinstance(each, dict) else []
        place = (*path, "exclude", index, "between")
        if len(between) == len(("from", "to")):
            yield from _unfit_step((*place, 0), between[0], labels, optional)
            yield from _unfit_step((*place, 1), between[1], labels, optional, last=True)
            yield from _backwards(place, between, labels)
    by = funnel.get("by")
    for index, each in enumerate(by if isinstance(by, list) else [by]):
        value = each.get("value") if isinstance(each, dict) else None
        if isinstance(value, str) and value.startswith(AT_STEP) and value != AT_STEP:
            place = written_path(content, (*path, "by", index, "value"))
            yield from _unfit_step(place, value.removeprefix(AT_STEP), labels, optional)


def _unfit_step(
    place: YamlPath, name: Plain, labels: list[Label], optional: list[bool], *, last: bool = False
) -> Iterator[Finding]:
    """A mistake where no step is called so, or where the first (or `last`) that is can be skipped."""
    if not isinstance(name, str) or (None in labels and name not in labels):
        return
    named = [skipped for label, skipped in zip(labels, optional, strict=True) if label == name]
    if not named:
        known = [label for label, skipped in zip(labels, optional, strict=True) if label and not skipped]
        yield Finding(place, f"no step is called {quoted(name)}{did_you_mean(name, list(dict.fromkeys(known)))}")
    elif named[-last]:
        yield Finding(place, f"the step {quoted(name)} is optional, expected one that is not")


def _backwards(place: YamlPath, between: list[Plain], labels: list[Label]) -> Iterator[Finding]:
    """A mistake where the end (the last step of its name) does not come after the start (the first of its name)."""
    start, end = between
    if isinstance(start, str) and isinstance(end, str) and start in labels and end in labels:
        last = len(labels) - 1 - labels[::-1].index(end)
        if last <= labels.index(start):
            message = f"{quoted(end)} does not come after {quoted(start)}, so that nothing lies between them"
            yield Finding(place, message, of_block=True)


def _shared_names(path: YamlPath, steps: list[Plain]) -> Iterator[Finding]:
    """The steps that a report could not tell apart; the same goals twice it can, by their place in the row."""
    first: dict[str, tuple[int, list[str]]] = {}
    for index, step in enumerate(steps):
        name, goals = _label(step)
        if name is None:
            continue
        earlier, earlier_goals = first.setdefault(name, (index, goals))
        if earlier != index and not goals == earlier_goals != []:
            message = f"step {earlier + 1} is called {quoted(name)} too; give one of them another `name`"
            yield Finding((*path, index), message, of_block=True)


def _label(step: Plain) -> tuple[Label, list[str]]:
    """The name that a report would show, and the goals that it is made of; none where the step brought it."""
    if not isinstance(step, dict):
        return (step, [step]) if isinstance(step, str) else (None, [])
    name, goal = step.get("name"), step.get("goal")
    if isinstance(name, str):
        return name, []
    goals = [each for each in ([goal] if goal is not None else _listed(step, "any")) if isinstance(each, str)]
    return (" or ".join(goals), goals) if goals else (None, [])


def _listed(block: dict[str, Plain], key: str) -> list[Plain]:
    value = block.get(key)
    return value if isinstance(value, list) else []

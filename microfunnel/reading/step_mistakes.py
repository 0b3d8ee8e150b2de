"""What no single step can tell: whether its goal exists, and whether its name is its own."""

from collections.abc import Iterator
from itertools import islice

from microfunnel.reading.goals_mistakes import Finding
from microfunnel.reading.yaml_file import MOST_SHOWN, Plain, YamlPath
from microfunnel.wording import did_you_mean, quoted


def step_findings(content: dict[str, Plain]) -> Iterator[Finding]:
    """The mistakes between steps and goals, found in plain values so that other mistakes do not hide them."""
    goals, funnels = content.get("goals"), content.get("funnels")
    if not isinstance(funnels, dict):
        return
    for name, funnel in funnels.items():
        steps = funnel.get("steps") if isinstance(funnel, dict) else None
        if isinstance(steps, list):
            path = ("funnels", name, "steps")
            if isinstance(goals, dict):
                yield from islice(_unknown_goals(path, steps, list(goals)), MOST_SHOWN)
            yield from _shared_names(path, steps)


def _unknown_goals(path: YamlPath, steps: list[Plain], goals: list[str]) -> Iterator[Finding]:
    known = set(goals)
    for index, step in enumerate(steps):
        goal = step.get("goal") if isinstance(step, dict) else step
        if isinstance(goal, str) and goal and goal not in known:
            place = (*path, index, "goal") if isinstance(step, dict) else (*path, index)
            yield Finding(place, f"no goal is called {quoted(goal)}{did_you_mean(goal, goals)}")


def _shared_names(path: YamlPath, steps: list[Plain]) -> Iterator[Finding]:
    """The steps that a report could not tell apart; the same goal twice it can, by its place in the row."""
    first: dict[str, tuple[int, bool]] = {}
    for index, step in enumerate(steps):
        name, own = _label(step)
        if name is None:
            continue
        earlier, earlier_own = first.setdefault(name, (index, own))
        if earlier != index and (own or earlier_own):
            message = f"step {earlier + 1} is called {quoted(name)} too; give one of them another `name`"
            yield Finding((*path, index), message, of_block=True)


def _label(step: Plain) -> tuple[str | None, bool]:
    """The name that a report would show, and whether the step brought it."""
    if not isinstance(step, dict):
        return (step, False) if isinstance(step, str) else (None, False)
    name, goal = step.get("name"), step.get("goal")
    if isinstance(name, str):
        return name, True
    return (goal, False) if isinstance(goal, str) else (None, False)

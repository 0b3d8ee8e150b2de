"""A funnel as the counting sees it: numbered Boolean columns, the path of the required steps, the optional ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from microfunnel.counting.attempts import Link, Path
from microfunnel.counting.optional import OptionalStep
from microfunnel.events import field_column
from microfunnel.funnels import Exclusion, Funnel
from microfunnel.goals import Goal
from microfunnel.matching import exclusion_column, goal_column, ignored_column, step_columns

NO_GOALS: Mapping[str, Goal] = {}


def valued_column(step: int) -> str:
    """The Boolean column of the events whose value counts for a step (0 for the first)."""
    return f"valued_{step}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a funnel asks of each row, and how its attempts go."""

    columns: dict[str, pl.Expr]
    """Boolean columns, never null: `step_I` for steps, `exclude_I` for exclusions, in strict order `strange_I`."""
    path: Path
    required: tuple[int, ...]
    """The steps (0 for the first) that the path goes through."""
    optional: dict[int, OptionalStep]
    """The other steps."""
    exclusions: tuple[str, ...]
    valued: dict[int, Goal] = field(default_factory=dict)
    """The steps that have a value, and the goal that says which."""
    money: dict[str, pl.Expr] = field(default_factory=dict)
    """The columns that say what an event is worth: `valued_I` for steps, and fields."""

    @property
    def matched(self) -> list[str]:
        """The columns of which one is true on every row that matters; all rows do in strict order."""
        return [name for name in self.columns if not name.startswith("strange_")]

    @property
    def watched(self) -> list[str]:
        """The columns whose next event the attempts and the optional steps have to know."""
        also = [*(step.column for step in self.optional.values()), *self.exclusions]
        return list(dict.fromkeys([*self.path.watched, *also]))


def plan_of(
    name: str, funnel: Funnel, goals: Mapping[str, Goal] = NO_GOALS, *, without_exclusions: bool = False
) -> Plan:
    """The plan of a funnel (by its name in the goals file); `goals` are those whose value matters."""
    exclude = [] if without_exclusions else funnel.exclude
    columns = {f"step_{i}": pl.any_horizontal(*step_columns(name, i, step)) for i, step in enumerate(funnel.steps)}
    columns |= {f"exclude_{i}": pl.col(exclusion_column(name, i, each)) for i, each in enumerate(exclude)}
    required = tuple(i for i, step in enumerate(funnel.steps) if not step.optional)
    if funnel.order == "strict":
        ignored = [pl.col(ignored_column(name))] if funnel.ignore is not None else []
        for before, index in pairwise(required):
            allowed = [columns[f"step_{i}"] for i in range(before, index)]
            columns[f"strange_{index}"] = ~pl.any_horizontal(*allowed, *ignored)
    links = []
    for place, index in enumerate(required):
        step = funnel.steps[index]
        links.append(
            Link(
                column=f"step_{index}",
                within=step.within,
                after=step.after or 0,
                exclusions=tuple(
                    f"exclude_{i}" for i, each in enumerate(exclude) if place and _lies_between(each, funnel, index)
                ),
                strangers=f"strange_{index}" if f"strange_{index}" in columns else None,
            )
        )
    optional = {
        i: OptionalStep(f"step_{i}", before=sum(each < i for each in required) - 1)
        for i, step in enumerate(funnel.steps)
        if step.optional
    }
    path = Path(tuple(links), funnel.window, increasing=funnel.ties == "increasing")
    valued = valued_goals(funnel, goals)
    money = {valued_column(i): pl.col(goal_column(goal)) for i, goal in valued.items()}
    fields = [field_column(each) for goal in valued.values() for each in goals[goal].value_fields]
    return Plan(
        columns,
        path,
        required,
        optional,
        exclusions=tuple(f"exclude_{i}" for i in range(len(exclude))),
        valued={i: goals[goal] for i, goal in valued.items()},
        money=money | {each: pl.col(each) for each in fields},
    )


def valued_goals(funnel: Funnel, goals: Mapping[str, Goal]) -> dict[int, str]:
    """The steps (0 for the first) that have a value, and the name of the one goal of theirs that has it.

    In any order no step is told from the others, so none has a value.
    """
    if funnel.order == "any":
        return {}
    named = {i: [each for each in goals if each in step.goals] for i, step in enumerate(funnel.steps)}
    with_value = {i: [each for each in names if goals[each].value is not None] for i, names in named.items()}
    return {i: names[0] for i, names in with_value.items() if len(names) == 1}


def _lies_between(exclusion: Exclusion, funnel: Funnel, index: int) -> bool:
    """Whether an exclusion guards the way to step `index`; a name stands for its first step, or its last as an end."""
    if exclusion.between is None:
        return True
    labels = [step.label for step in funnel.steps]
    start, end = exclusion.between
    return labels.index(start) < index <= len(labels) - 1 - labels[::-1].index(end)

"""A funnel as the counting sees it: numbered Boolean columns, the path of the required steps, the optional ones."""

from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from microfunnel.counting.attempts import Link, Path
from microfunnel.counting.optional import OptionalStep
from microfunnel.funnels import Exclusion, Funnel
from microfunnel.matching import exclusion_column, ignored_column, step_columns


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

    @property
    def matched(self) -> list[str]:
        """The columns of which one is true on every row that matters; all rows do in strict order."""
        return [name for name in self.columns if not name.startswith("strange_")]

    @property
    def watched(self) -> list[str]:
        """The columns whose next event the attempts and the optional steps have to know."""
        also = [*(step.column for step in self.optional.values()), *self.exclusions]
        return list(dict.fromkeys([*self.path.watched, *also]))


def plan_of(name: str, funnel: Funnel, *, without_exclusions: bool = False) -> Plan:
    """The plan of a funnel (by its name in the goals file)."""
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
    return Plan(columns, path, required, optional, tuple(f"exclude_{i}" for i in range(len(exclude))))


def _lies_between(exclusion: Exclusion, funnel: Funnel, index: int) -> bool:
    """Whether an exclusion guards the way to step `index`; a name stands for its first step, or its last as an end."""
    if exclusion.between is None:
        return True
    labels = [step.label for step in funnel.steps]
    start, end = exclusion.between
    return labels.index(start) < index <= len(labels) - 1 - labels[::-1].index(end)

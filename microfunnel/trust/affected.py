"""Which goals and steps a warning is about."""

from collections.abc import Collection
from dataclasses import dataclass

from microfunnel.goals import Goals
from microfunnel.matching import exclusion_column, goal_column, step_columns
from microfunnel.wording import quoted

MOST_NAMED = 4
EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Affected:
    """Goals, and funnels with the labels of their steps; none of either stands for all of them."""

    goals: tuple[str, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()

    def in_words(self) -> str:
        """The end of a message: the goals, and the funnels whose steps are no goals."""
        own = [f"{step} of {funnel}" for funnel, step in self.steps if step not in self.goals]
        names = [quoted(name) for name in (*self.goals, *own)]
        more = len(names) - MOST_NAMED
        return f"; affects {', '.join(names[:MOST_NAMED])}{f' and {more} more' if more > 0 else ''}" if names else ""


def affected(goals: Goals, columns: Collection[str]) -> Affected:
    """The goals and steps that these conditions (their columns) belong to."""
    steps: list[tuple[str, str]] = []
    for name, funnel in goals.funnels.items():
        for i, step in enumerate(funnel.steps):
            if not set(columns).isdisjoint(step_columns(name, i, step)):
                steps.append((name, step.label))
        for i, each in enumerate(funnel.exclude):
            if exclusion_column(name, i, each) in columns:
                steps.append((name, EXCLUDE))
    return Affected(tuple(name for name in goals.goals if goal_column(name) in columns), tuple(dict.fromkeys(steps)))

"""The scorecard of all goals."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.rendering import Screen
from microfunnel.rendering.cells import HEADER, figures, name, share, sums
from microfunnel.rendering.grid import Column, grid
from microfunnel.rendering.text import number, words
from microfunnel.results import GoalResult


def scorecard(goals: Sequence[GoalResult], screen: Screen) -> list[Text]:
    """One line per goal."""
    names = [name(words(goal.goal), screen) for goal in goals]
    kinds = [name(goal.kind, screen) for goal in goals]
    columns = [
        Column(Text("goals", style="bold"), names, right=False, least=10),
        Column(Text("kind", style=HEADER), kinds, right=False, goes=1),
        figures("completions", [number(goal.completions) for goal in goals], goes=2),
        figures("users", [number(goal.users) for goal in goals]),
        figures("of users", [share(goal.rate) for goal in goals]),
    ]
    if any(goal.value is not None for goal in goals):
        values, currencies = [goal.value for goal in goals], [goal.currency for goal in goals]
        columns.append(sums("value", values, currencies, screen, goes=3))
    return grid(columns, screen)

"""What the command line chooses among the funnels of a goals file."""

from collections.abc import Sequence

from microfunnel.errors import UsageError
from microfunnel.goals import Breakdown, Goals
from microfunnel.wording import did_you_mean, quoted


def choose(goals: Goals, funnels: Sequence[str], by: Sequence[str], top: int) -> Goals:
    """The goals with these funnels alone (all where none is named), split by these columns instead of their own."""
    unknown = [name for name in funnels if name not in goals.funnels]
    if unknown:
        known = list(goals.funnels)
        raise UsageError(*(f"no funnel is called {quoted(name)}{did_you_mean(name, known)}" for name in unknown))
    breakdowns = [Breakdown(column=column, top=top) for column in dict.fromkeys(by)]
    kept = {name: funnel for name, funnel in goals.funnels.items() if name in funnels or not funnels}
    if breakdowns:
        kept = {name: funnel.model_copy(update={"by": breakdowns}) for name, funnel in kept.items()}
    return goals.model_copy(update={"funnels": kept})

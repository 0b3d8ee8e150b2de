"""What the command line chooses: among the funnels of a goals file, and among the events."""

from collections.abc import Sequence

from microfunnel.analysis import Period
from microfunnel.errors import UsageError
from microfunnel.goals import Breakdown, Goals
from microfunnel.reading.times import parse_moment
from microfunnel.wording import did_you_mean, quoted


def choose(goals: Goals, funnels: Sequence[str], by: Sequence[str], top: int) -> Goals:
    """The goals with these funnels alone (all where none is named), split by these columns instead of their own."""
    unknown = [name for name in funnels if name not in goals.funnels]
    if unknown:
        known = list(goals.funnels)
        raise UsageError(*(f"no funnel is called {quoted(name)}{did_you_mean(name, known)}" for name in unknown))
    breakdowns = [Breakdown(column=column, top=top) for column in {name.casefold(): name for name in by}.values()]
    kept = {name: funnel for name, funnel in goals.funnels.items() if name in funnels or not funnels}
    if breakdowns:
        kept = {name: funnel.model_copy(update={"by": breakdowns}) for name, funnel in kept.items()}
    return goals.model_copy(update={"funnels": kept})


def choose_period(since: str | None, until: str | None, as_of: str | None, timezone: str) -> Period:
    """The period between these moments as people type them, dates in the time zone."""
    first, end, now = (None if text is None else parse_moment(text, timezone) for text in (since, until, as_of))
    if first is not None and end is not None and first >= end:
        raise UsageError("--since is not before --until, so no entry can lie between them")
    return Period(first, end, now)

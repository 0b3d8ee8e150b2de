"""What a reader should know before trusting the numbers."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

import polars as pl

from microfunnel.events import field_column
from microfunnel.goals import Goals, Match, Operators
from microfunnel.matching import condition_column, goal_column
from microfunnel.results import Warning

MOST_NAMES = 1_000


def unmatched_warnings(goals: Goals, unmatched: Collection[str], names: Mapping[str, int]) -> list[Warning]:
    """A warning for each goal and step that no event matches (its column in `unmatched`), with the nearest event names.

    `names` are the event names of the log with their counts.
    """
    found = []
    for name, goal in goals.goals.items():
        if goal_column(name) in unmatched:
            found.append(Warning("unmatched_goal", f"no event matches the goal {name!r}{_near(goal.match, names)}", (name,)))
    for funnel, each in goals.funnels.items():
        for index, step in enumerate(each.steps):
            if step.match is not None and condition_column(funnel, index, goals) in unmatched:
                message = f"no event matches the step {step.label!r} of {funnel!r}{_near(step.match, names)}"
                found.append(Warning("unmatched_step", message, (step.label,)))
    return found


def event_names(events: pl.LazyFrame) -> pl.LazyFrame:
    """The most frequent event names: `event` (String) and `n`, the most frequent first."""
    named = events.group_by(pl.col(field_column("event")).alias("event")).agg(pl.len().alias("n"))
    return named.sort("n", "event", descending=[True, False]).head(MOST_NAMES)


def _near(match: Match | str | None, names: Mapping[str, int]) -> str:
    if not names:
        return ""
    wanted = _wanted_events(match) if isinstance(match, Match) else []
    folded = {name.casefold(): name for name in reversed(names)}
    near = [folded[fold] for want in wanted for fold in get_close_matches(want.casefold(), folded, n=3, cutoff=0.6)]
    absent = [want for want in wanted if want not in names]
    if wanted and not absent:
        return "; its events are there, but none with the other conditions"
    shown = ", ".join(f"{name!r} ({names[name]:,})" for name in dict.fromkeys(near or list(names)[:5]))
    looked_for = f" (event {', '.join(map(repr, absent))})" if absent else ""
    return f"{looked_for}; {'nearest' if near else 'most frequent'} event names: {shown}"


def _wanted_events(match: Match) -> list[str]:
    test = match.fields.get("event")
    if isinstance(test, Operators):
        return list(test.in_ or ())
    return [test] if isinstance(test, str) else list(test or ())

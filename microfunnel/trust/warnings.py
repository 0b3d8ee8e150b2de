"""What a reader should know before trusting the numbers."""

import math
from collections.abc import Collection, Mapping

import polars as pl

from microfunnel.accounts import EventsResult, ReportWarning
from microfunnel.errors import InputError
from microfunnel.events import field_column
from microfunnel.goals import Goals
from microfunnel.matches import Match
from microfunnel.matching import exclusion_column, goal_column, listed_events, step_columns
from microfunnel.trust.affected import EXCLUDE, affected
from microfunnel.wording import REASONS, all_near, quoted

MOST_NAMES = 1_000
NEGLIGIBLE = 1e-6
MOST_SHOWN = 3
"""Rejected rows that a message names."""


def refuse_bad_rows(events: EventsResult, most: float) -> None:
    """An InputError where more than this share of the rows is bad."""
    bad = sum(events.bad.values())
    if bad <= most * events.rows_read:
        return
    share = bad / events.rows_read
    reasons = ", ".join(f"{n:,} {REASONS[reason]}" for reason, n in events.bad.items())
    raise InputError(
        f"{bad:,} of {events.rows_read:,} rows ({share * 100:.1f} %) can't be used: {reasons}",
        *(
            f"{row.file}:{row.line}, {REASONS[row.reason]}: {quoted(row.raw)}"
            for row in events.bad_samples[:MOST_SHOWN]
        ),
        hint=f"list them all (--rejects FILE), mend them, or put up with them (--max-bad {math.ceil(share * 100)}%)"
        + ("; how old a time may be: events.earliest" if "time_out_of_range" in events.bad else ""),
    )


def unmatched_warnings(goals: Goals, unmatched: Collection[str], names: Mapping[str, int]) -> list[ReportWarning]:
    """A warning for each goal and step that no event matches (its column in `unmatched`), with the nearest event names.

    `names` are the event names of the log with their counts.
    """
    found = [
        ReportWarning(
            "unmatched_goal",
            f"no event matches the goal {quoted(name)}{_near(goal.match, names)}",
            (name,),
            affected(goals, {goal_column(name)}).steps,
        )
        for name, goal in goals.goals.items()
        if goal_column(name) in unmatched
    ]
    for name, funnel in goals.funnels.items():
        own = [(step_columns(name, i, step)[0], step.label, step.match) for i, step in enumerate(funnel.steps)]
        own += [(exclusion_column(name, i, each), EXCLUDE, each.match) for i, each in enumerate(funnel.exclude)]
        found += [
            ReportWarning(
                "unmatched_step",
                f"no event matches the step {quoted(label)} of {quoted(name)}{_near(match, names)}",
                (label,),
                ((name, label),),
            )
            for column, label, match in own
            if match is not None and column in unmatched
        ]
    return found


def unread_warnings(goals: Goals, unread: Mapping[str, int]) -> list[ReportWarning]:
    """A warning for each goal (its name in `unread`, with their number) with completions whose value is no number."""
    return [
        ReportWarning(
            "unread_value",
            f"{unread[name]:,} {'completion' if unread[name] == 1 else 'completions'} of {quoted(name)} "
            f"{'has' if unread[name] == 1 else 'have'} no number in {quoted(goal.value_column)}",
            (name,),
        )
        for name, goal in goals.goals.items()
        if unread[name]
    ]


def shared_key_warnings(users: int) -> list[ReportWarning]:
    """A warning where two of so many different ids may well have the same 64-bit key, and so count as one user."""
    chance = users**2 / 2**65
    if chance <= NEGLIGIBLE:
        return []
    message = f"users are told apart by 64-bit keys; that any two of {users:,} share one has a chance of {chance:.1g}"
    return [ReportWarning("shared_keys", message)]


def event_names(events: pl.LazyFrame) -> pl.LazyFrame:
    """The most frequent event names: `event` (String) and `n`, the most frequent first."""
    named = events.group_by(pl.col(field_column("event")).alias("event")).agg(pl.len().alias("n"))
    return named.sort("n", "event", descending=[True, False]).head(MOST_NAMES)


def _near(match: Match | str | None, names: Mapping[str, int]) -> str:
    if not names:
        return ""
    wanted = listed_events(match) if isinstance(match, Match) else []
    near = all_near(wanted, names)
    absent = [want for want in wanted if want not in names]
    if wanted and not absent:
        return "; its events are there, but none with the other conditions"
    shown = ", ".join(f"{quoted(name)} ({names[name]:,})" for name in near or list(names)[:5])
    looked_for = f" (event {', '.join(map(quoted, absent))})" if absent else ""
    return f"{looked_for}; {'nearest' if near else 'most frequent'} event names: {shown}"

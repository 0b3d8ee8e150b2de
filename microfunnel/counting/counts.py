"""The core: events of any set of whole users in, tallies out, which add up to the tallies of all users."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import polars as pl

from microfunnel.counting.completions import complete_goals
from microfunnel.counting.funnels import Limits, tally_funnel
from microfunnel.counting.paths import NO_GOALS
from microfunnel.counting.repeats import Repeats, are_tied, count_repeats
from microfunnel.counting.scorecard import tally_currencies, tally_goals
from microfunnel.counting.sessions import add_sessions, count_sessions
from microfunnel.counting.tallies import Tallies, add_up
from microfunnel.events import TIME, USER
from microfunnel.fetching import fetch
from microfunnel.funnels import Funnel
from microfunnel.goals import Goal, Goals
from microfunnel.matching import specific_columns

RARE = 100
"""Rows that are earlier than the one before: not more than one in so many where a log is in order of time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts(Generic[T]):
    """What some users did; the counts of different users add up."""

    goals: pl.DataFrame
    """See `tally_goals`."""
    currencies: pl.DataFrame
    """See `tally_currencies`."""
    sessions: int | None
    """None where nothing asks for sessions."""
    repeats: Repeats | None
    """None where nobody asks for them."""
    found: T
    """What was asked for beside that."""

    @classmethod
    def added(cls, parts: Sequence["Counts[T]"], add: Callable[[Sequence[T]], T]) -> "Counts[T]":
        """The counts of all the users together."""
        sessions = [part.sessions for part in parts if part.sessions is not None]
        repeats = [part.repeats for part in parts if part.repeats is not None]
        return cls(
            goals=add_up(part.goals for part in parts),
            currencies=add_up(part.currencies for part in parts),
            sessions=sum(sessions) if sessions else None,
            repeats=Repeats.added(repeats) if repeats else None,
            found=add([part.found for part in parts]),
        )


def count(  # noqa: PLR0913
    rows: pl.DataFrame,
    goals: Goals,
    named: Mapping[str, Goal],
    limits: Limits,
    ask: Callable[[pl.DataFrame, Limits], T],
    *,
    with_sessions: bool = False,
    with_repeats: bool = False,
) -> Counts[T]:
    """The counts of every goal over whole users, of how rows repeat each other, if asked for, and of what `ask` finds.

    Rows have sessions where goals and funnels need them, or if asked for.

    `rows` holds, in any order, the events that some goal needs (all events where sessions matter): `user`, `time`,
    `session` where the export has it, a Boolean column for each condition of `named`, and `field:NAME` for what else
    is looked at.
    """
    rows = _sorted(rows, named)
    repeats = count_repeats(rows, specific_columns(named)) if with_repeats else None
    with_sessions = with_sessions or goals.need_sessions
    rows = _completed(rows, named, limits, with_sessions=with_sessions)
    return Counts(
        goals=tally_goals(rows, goals.goals, limits),
        currencies=tally_currencies(rows, goals.goals),
        sessions=count_sessions(rows) if with_sessions else None,
        repeats=repeats,
        found=ask(rows, limits),
    )


def tally_funnels(
    rows: pl.DataFrame, funnels: Mapping[str, Funnel], limits: Limits, goals: Mapping[str, Goal] = NO_GOALS
) -> dict[str, Tallies]:
    """The tallies of each funnel over whole users, prepared as `prepare` does, with the values of these goals."""
    return {name: tally_funnel(rows, name, funnel, limits, goals) for name, funnel in funnels.items()}


def prepare(rows: pl.DataFrame, goals: Goals, named: Mapping[str, Goal], limits: Limits) -> pl.DataFrame:
    """The rows sorted by user and time, with sessions where they matter and each goal true on its completions alone."""
    return _completed(_sorted(rows, named), named, limits, with_sessions=goals.need_sessions)


def _sorted(rows: pl.DataFrame, named: Mapping[str, Goal]) -> pl.DataFrame:
    found = _by_time(rows)
    # Which of several events of one instant fills a count must not depend on the order of the rows.
    return _in_one_order(found) if any(goal.counted for goal in named.values()) else found


def _by_time(rows: pl.DataFrame) -> pl.DataFrame:
    # Most logs are in order of time, and then the rows of each user are when they come together.
    is_earlier = pl.col(TIME) < pl.col(TIME).shift()
    if rows.select(is_earlier.sum()).item() * RARE <= rows.height:
        found = _by_user(rows)
        if not found.select((is_earlier & (pl.col(USER) == pl.col(USER).shift())).any()).item():
            return found
    return _by_user(rows, rows.select(pl.arg_sort_by(TIME)).to_series())


def _in_one_order(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, sorted by user and time, with those of one instant sorted by all that they hold."""
    # Few rows share their instant with others, so only these are sorted.
    places = are_tied(rows).arg_true()
    if places.is_empty():
        return rows
    tied = rows[places].sort(USER, TIME, *rows.columns)
    others = (name for name in rows.columns if name not in {USER, TIME})
    return rows.with_columns(rows[name].scatter(places, tied[name]) for name in others)


def _completed(rows: pl.DataFrame, named: Mapping[str, Goal], limits: Limits, *, with_sessions: bool) -> pl.DataFrame:
    if with_sessions:
        rows = add_sessions(rows, limits.session_timeout)
    return complete_goals(rows, named)


def _by_user(rows: pl.DataFrame, in_order: pl.Series | None = None) -> pl.DataFrame:
    """The rows sorted by user, those of each user in order of these places (UInt32), or as they come without any."""
    users = rows[USER] if in_order is None else rows[USER].gather(in_order)
    # Numbers are sorted in a third of the time of rows, and the high bits tell nearly all users apart. Where some of
    # them are alike in those, the rows are sorted after all.
    room = 2 ** rows.height.bit_length()
    packed = users.to_frame().select(pl.first() // room * room + pl.int_range(pl.len(), dtype=pl.UInt64)).to_series()
    # Another partition is counted beside this one, and two threads sort one of them no faster.
    by_user = (packed.sort(multithreaded=False) % room).cast(pl.UInt32)
    rows = fetch(rows, by_user if in_order is None else in_order.gather(by_user))
    if rows[USER].is_sorted():
        return rows.with_columns(pl.col(USER).set_sorted())
    return rows.sort(USER, maintain_order=True)

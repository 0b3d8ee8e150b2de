"""Why one user was counted as it was: its events, what became of each, and the journeys of the very same counting."""

from collections.abc import Mapping

import polars as pl

from microfunnel.analysis import question_of
from microfunnel.counting.counts import prepare
from microfunnel.counting.explained import LoggedEvent, UserLog, explain_funnel
from microfunnel.counting.funnels import EVENT_NUMBER, unit_expr
from microfunnel.duplicates import without_duplicates
from microfunnel.errors import InputError
from microfunnel.events import DUPLICATE_OF, REASONS, REJECTED, TIE, TIME, USER, EventTable, field_column
from microfunnel.explanations import Explanation
from microfunnel.gathering import USED
from microfunnel.goals import Goals
from microfunnel.matching import conditions, goal_column, match_goals
from microfunnel.progress import Phase
from microfunnel.queries import collect
from microfunnel.questions import Period, limits_of, used_expr
from microfunnel.wording import quoted

NAME = "event name"


def explain(user: str, events: EventTable, goals: Goals, period: Period) -> Explanation:
    """What each funnel made of the events of one user; an InputError where the user has none."""
    events.listener.begin(Phase.READING, events.expected)
    named = conditions(goals)
    marked = events.frame.with_columns(used_expr(goals, period).alias(USED), *match_goals(named))
    key = events.user_key(user)
    counted = question_of(goals).columns(events, named)
    name = pl.col(field_column("event")).alias(NAME)
    told = [name for name in (TIE, DUPLICATE_OF) if name in marked.collect_schema()]
    wanted = marked.filter(_with_sharers(events, marked, key, goals)).select(*counted, *told, USED, REJECTED, name)
    latest = events.frame.filter(pl.col(REJECTED) == 0).select(pl.col(TIME).max())
    known_until, rows = collect(events, latest, wanted)
    if not (rows[USER] == key).any():
        raise InputError(f"no event of user {quoted(user)}", hint="write the id as it stands in the events")
    limits = limits_of(goals, period, known_until.item())
    # The numbers do not depend on the order of the rows in the files, so neither does what is shown.
    order = dict.fromkeys([TIME, *(each for each in told if each == TIE), NAME, *rows.columns])
    rows = rows.sort(*order, nulls_last=True).with_row_index(EVENT_NUMBER)
    once, _ = without_duplicates(rows.filter(USED))
    is_repeat = pl.col(USED) & ~pl.col(EVENT_NUMBER).is_in(once[EVENT_NUMBER].implode())
    repeated = pl.when(is_repeat).then(pl.lit(REASONS.index("duplicate"), dtype=pl.UInt8)).otherwise(REJECTED)
    rows = rows.with_columns(repeated.alias(REJECTED), (pl.col(USED) & ~is_repeat).alias(USED))
    used = prepare(rows.filter(USED).select(*counted, EVENT_NUMBER), goals, named, limits)
    log = UserLog(_logged(rows, _completed(used, goals), key, period.as_of), used, limits)
    funnels = tuple(explain_funnel(log, name, funnel) for name, funnel in goals.funnels.items())
    return Explanation(user, goals.events.timezone, limits.data_end, funnels)


def _with_sharers(events: EventTable, marked: pl.LazyFrame, key: int, goals: Goals) -> pl.Expr:
    """The rows of the user, and of the users who share a unit with it: what is counted depends on them, too."""
    funnels = [funnel for funnel in goals.funnels.values() if funnel.unit_columns]
    users = [key]
    if funnels:
        units = {f"unit {index}": unit_expr(funnel) for index, funnel in enumerate(funnels)}
        (own,) = collect(events, marked.filter(USED, pl.col(USER) == key).select(**units))
        shared = (unit.is_in(own[name].drop_nulls().unique().implode()) for name, unit in units.items())
        sharers = marked.filter(USED, pl.any_horizontal(shared).fill_null(value=False)).select(pl.col(USER).unique())
        users += collect(events, sharers)[0][USER].to_list()
    return pl.col(USER).is_in(pl.Series(users, dtype=pl.UInt64).implode())


def _completed(used: pl.DataFrame, goals: Goals) -> dict[int, tuple[str, ...]]:
    """The goals that each used event completes."""
    flags = used.select(EVENT_NUMBER, *(goal_column(name) for name in goals.goals))
    return {
        number: tuple(name for name, done in zip(goals.goals, completes, strict=True) if done)
        for number, *completes in flags.iter_rows()
    }


def _logged(
    rows: pl.DataFrame, completed: Mapping[int, tuple[str, ...]], key: int, as_of: int | None
) -> dict[int, LoggedEvent]:
    wanted = rows.select(EVENT_NUMBER, USER, TIME, NAME, USED, REJECTED)
    return {
        number: LoggedEvent(
            time, name, completed.get(number, ()), user == key, None if used else _unused(time, rejected, as_of)
        )
        for number, user, time, name, used, rejected in wanted.iter_rows()
    }


def _unused(time: int | None, rejected: int, as_of: int | None) -> str:
    """Why a row is not looked at."""
    if rejected:
        return REASONS[rejected]
    return "after_as_of" if as_of is not None and time is not None and time > as_of else "filtered"

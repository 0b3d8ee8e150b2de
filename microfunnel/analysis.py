"""From events and goals to a report, with one reading of the events."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import polars as pl

from microfunnel.counting.counts import Counts, count
from microfunnel.counting.funnels import Limits
from microfunnel.counting.scorecard import MICROS
from microfunnel.counting.tallies import Tallies
from microfunnel.counting.totals import periods, segments, total
from microfunnel.duplicates import without_duplicates
from microfunnel.events import DUPLICATE_OF, REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.funnels import Funnel
from microfunnel.gathering import Gathered, Wanted, gather
from microfunnel.goals import Goal, Goals
from microfunnel.matching import conditions, fields_of, match_expr
from microfunnel.partitions import Partition, Partitions, Users
from microfunnel.progress import Expected, Listener, Phase, unknown
from microfunnel.queries import collect
from microfunnel.results import EventsResult, FunnelResult, GoalResult, RejectedRow, Report, ReportWarning
from microfunnel.scratch import scratch_folder
from microfunnel.trust.doubts import doubts
from microfunnel.trust.noticing import DAY, Noticing
from microfunnel.trust.suspects import look_again
from microfunnel.trust.warnings import event_names, shared_key_warnings, unmatched_warnings, unread_warnings

MEMORY = 1_500_000_000
MOST_SAMPLES = 20
MOST_AT_ONCE = 4
"""Partitions that are counted at the same time: each takes memory."""
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}
NO_EVENTS = ReportWarning("no_events", "there is no event to count")


@dataclass(frozen=True, slots=True)
class Period:
    """Which entries and completions count, in microseconds since 1970 UTC; None is open."""

    since: int | None = None
    """Inclusive."""
    until: int | None = None
    """Exclusive."""
    as_of: int | None = None
    """Later events are not looked at, and windows that reach past this moment are open."""
    trend: str | None = None
    """`day`, `week` or `month`: also each period of entry on its own."""


def fields_needed(goals: Goals) -> set[str]:
    """The fields of the export that a run of these goals looks at, and the ids of users, to name a strange one."""
    where = goals.events.where.field_names() if goals.events.where is not None else set()
    return {"event", "user"} | where | _kept_fields(goals) | fields_of(conditions(goals).values())


def analyse(  # noqa: PLR0913
    events: EventTable,
    goals: Goals,
    period: Period,
    *,
    memory: int = MEMORY,
    with_users: bool = True,
    with_doubts: bool = True,
    now: int | None = None,
) -> Report:
    """The report of all goals and funnels over these events, with about `memory` bytes, with or without `users`.

    With doubts, what makes events hard to trust is looked for, too: later ones than a day after `now` (microseconds
    since 1970 UTC; None for any) are of the future.
    """
    named = conditions(goals)
    columns = columns_counted(events, goals, named)
    labels = [field_column(name) for name in sorted(_split_by(goals) - _looked_into(goals))]
    # Which rows stand there twice is known only when all have been seen, also those that no goal needs.
    tells_duplicates = DUPLICATE_OF in events.frame.collect_schema()
    columns += [DUPLICATE_OF] if tells_duplicates else []
    wanted = Wanted(named, goals.need_all_events or tells_duplicates, columns, labels, period.since, period.until)
    with scratch_folder() as folder:
        rows = Partitions(folder, memory // 4, divisible=not any(each.unit_columns for each in goals.funnels.values()))
        users = Users(folder, memory // 4) if with_users else None
        noticing = _noticing(named, goals, period, now) if with_doubts else None
        found = gather(events, used_expr(goals, period), Gathered(wanted, rows, users, noticing))
        limits = limits_of(goals, period, found.known_until)
        needed = None if goals.need_all_events else pl.any_horizontal(*named)
        count_rows = partial(count, goals=goals, named=named, limits=limits, with_repeats=with_doubts)
        count_part = partial(_count_part, needed=needed, count_rows=count_rows)
        (counts, duplicates), all_users = _count_all(rows.partitions(), count_part, users, events.listener)
    account = events.account(found.rows_read, found.rows_used, found.rejected, duplicates)
    repeats = counts.repeats
    return Report(
        events=EventsResult(
            files=events.files,
            layouts=events.layouts,
            rows_read=account.read,
            rows_used=account.used,
            rows_filtered=account.filtered,
            rejected=account.rejected,
            samples=_samples(events) if sum(account.rejected.values()) > duplicates else (),
            users=all_users,
            sessions=counts.sessions,
            first_time=found.first_time,
            last_time=found.last_time,
            timezone=goals.events.timezone,
            joined_ids=events.joined_ids,
            duplicates=None if repeats is None else repeats.duplicates,
            ties=None if repeats is None else repeats.ties,
            warnings=(
                *_warnings(events, goals, period, found, counts),
                *(shared_key_warnings(all_users or 0) if not events.whole_ids else []),
            ),
        ),
        goals=tuple(_goal_result(name, goal, counts.goals, all_users) for name, goal in goals.goals.items()),
        funnels=tuple(_funnel_result(name, funnel, counts.funnels[name]) for name, funnel in goals.funnels.items()),
    )


def _noticing(named: Mapping[str, Goal], goals: Goals, period: Period, now: int | None) -> Noticing:
    last_possible = None if now is None else now + DAY
    return Noticing(named, goals.events.timezone, period.since, period.until, last_possible)


def _warnings(
    events: EventTable, goals: Goals, period: Period, found: Gathered, counts: Counts
) -> Iterator[ReportWarning]:
    named = conditions(goals)
    noticed = () if events.noticed is None else events.noticed(found.first_time, found.last_time)
    yield from (ReportWarning(code, message) for code, message in (*events.warnings, *noticed))
    yield from _silence(events, goals, period, set(named) - found.matched) if found.rows_used else [NO_EVENTS]
    yield from unread_warnings(goals, dict(counts.goals.select("goal", "unread").iter_rows()))
    if found.noticing is not None and counts.repeats is not None:
        look = partial(look_again, events, used_expr(goals, period), named)
        # Where somebody has cut the log, its days are cut for a reason.
        cut = (period.since, period.until, period.as_of) != (None, None, None)
        doubtful = doubts(goals, named, found.noticing.noticed(), counts.repeats, look)
        yield from (each for each in doubtful if not (cut and each.warning == "cut_day"))


def _count_all(
    partitions: Sequence[Partition],
    count_rows: Callable[[pl.DataFrame], tuple[Counts, int]],
    users: Users | None,
    listener: Listener,
) -> tuple[tuple[Counts, int], int | None]:
    """The counts of all partitions with the duplicates among their rows, and all users.

    Some partitions at a time: polars does much in each on one core only.
    """
    listener.begin(Phase.COUNTING, lambda: Expected(len(partitions), is_exact=True))
    pool = ThreadPoolExecutor(max_workers=min(pl.thread_pool_size(), MOST_AT_ONCE))
    try:
        all_users = None if users is None else pool.submit(users.count)
        found: list[Counts] = []
        duplicates = 0
        for counts, repeats in pool.map(lambda partition: count_rows(partition.rows()), partitions):
            found.append(counts)
            duplicates += repeats
            listener.advance(1)
        return (Counts.added(found), duplicates), None if all_users is None else all_users.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _count_part(
    rows: pl.DataFrame, needed: pl.Expr | None, count_rows: Callable[[pl.DataFrame], Counts]
) -> tuple[Counts, int]:
    """The counts of whole users, and the rows among them that are another one written twice."""
    once, duplicates = without_duplicates(rows)
    if needed is not None and DUPLICATE_OF in rows.columns:
        once = once.filter(needed)
    return count_rows(once), duplicates


def _samples(events: EventTable) -> tuple[RejectedRow, ...]:
    frames = events.rejects(MOST_SAMPLES) if events.rejects is not None else ()
    return tuple(RejectedRow(*row) for frame in frames for row in frame.iter_rows())


def limits_of(goals: Goals, period: Period, known_until: int | None) -> Limits:
    """What bounds the attempts in this period, of a log that ends at `known_until`."""
    data_end = period.as_of if period.as_of is not None else known_until
    return Limits(
        period.since,
        period.until,
        data_end or 0,
        goals.events.session_timeout,
        trend=PERIODS[period.trend] if period.trend else None,
        timezone=goals.events.timezone,
    )


def _silence(events: EventTable, goals: Goals, period: Period, unmatched: Collection[str]) -> list[ReportWarning]:
    """Warnings of goals and steps that no event matches; only where there are any are the event names read."""
    if unmatched:
        events.listener.begin(Phase.NAMING, unknown)
    used = events.frame.filter(used_expr(goals, period))
    names = dict(collect(events, event_names(used))[0].iter_rows()) if unmatched else {}
    return unmatched_warnings(goals, unmatched, names)


def used_expr(goals: Goals, period: Period) -> pl.Expr:
    """Whether a row is looked at: not rejected, not filtered, not after `as_of`; never null."""
    used = pl.col(REJECTED) == 0
    if goals.events.where is not None:
        used &= match_expr(goals.events.where)
    if period.as_of is not None:
        used &= pl.col(TIME) <= period.as_of
    return used


def columns_counted(events: EventTable, goals: Goals, named: Mapping[str, Goal]) -> list[str]:
    """The columns that the counting looks at, in the order in which rows are sorted by them."""
    fields = [field_column(name) for name in sorted(_kept_fields(goals))]
    session = [SESSION] if SESSION in events.frame.collect_schema() else []
    return [USER, TIME, *session, *named, *fields]


def _kept_fields(goals: Goals) -> set[str]:
    """The fields that are looked at after the reading."""
    return _split_by(goals) | _looked_into(goals)


def _split_by(goals: Goals) -> set[str]:
    return {name for funnel in goals.funnels.values() for each in funnel.by for name in each.columns}


def _looked_into(goals: Goals) -> set[str]:
    """The fields that make units, different values or money."""
    units = {name for funnel in goals.funnels.values() for name in funnel.unit_columns}
    return units | {field for goal in goals.goals.values() for field in (goal.distinct, goal.value_column) if field}


def _goal_result(name: str, goal: Goal, tallied: pl.DataFrame, all_users: int | None) -> GoalResult:
    score = tallied.row(by_predicate=pl.col("goal") == name, named=True)
    value = None if goal.value is None else Decimal(score["value"]) / MICROS
    return GoalResult(name, goal.kind, score["completions"], score["users"], all_users, value)


def _funnel_result(name: str, funnel: Funnel, tallies: Tallies) -> FunnelResult:
    return FunnelResult(
        funnel=name,
        order=funnel.order,
        count=", ".join(funnel.unit_columns) or str(funnel.count),
        entry=funnel.entry,
        window_seconds=None if funnel.window is None else funnel.window / 1_000_000,
        totals=total(tallies, funnel),
        segments=tuple(segments(tallies, funnel)),
        trend=tuple(periods(tallies, funnel)),
        left_out=tallies.left_out,
    )

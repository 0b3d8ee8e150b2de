"""The answer to a question, from one reading of the events: partition by partition, and then added up."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import polars as pl

from microfunnel.accounts import EventsResult, RejectedRow, ReportWarning
from microfunnel.counting.counts import Counts, count
from microfunnel.counting.funnels import Limits
from microfunnel.duplicates import without_duplicates
from microfunnel.events import DUPLICATE_OF, EventTable, field_column
from microfunnel.gathering import Gathered, Wanted, gather
from microfunnel.goals import Goals
from microfunnel.matching import conditions
from microfunnel.partitions import Partition, Partitions, Users
from microfunnel.progress import Expected, Listener, Phase, unknown
from microfunnel.queries import collect
from microfunnel.questions import Period, Question, limits_of, used_expr
from microfunnel.scratch import scratch_folder
from microfunnel.trust.currencies import one_currency_each
from microfunnel.trust.doubts import doubts
from microfunnel.trust.noticing import DAY, Noticing
from microfunnel.trust.suspects import look_again
from microfunnel.trust.warnings import event_names, shared_key_warnings, unmatched_warnings, unread_warnings

MEMORY = 1_500_000_000
MOST_SAMPLES = 20
MOST_AT_ONCE = 4
"""Partitions that are counted at the same time on any machine: each takes memory."""
KEPT_APART = 16
"""Counts of so many partitions are added up before there are more, as large logs have many partitions."""
NO_EVENTS = ReportWarning("no_events", "there is no event to count")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """How a question is answered, whatever it is."""

    memory: int = MEMORY
    """About so many bytes may be taken."""
    with_users: bool = True
    """Whether all users are counted, too."""
    with_doubts: bool = True
    """Whether what makes events hard to trust is looked for."""
    now: int | None = None
    """Events later than a day after this moment (microseconds since 1970 UTC) are of the future; None for any."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was found in the events, and what became of their rows."""

    found: T
    goals: pl.DataFrame
    """See `tally_goals`."""
    currencies: Mapping[str, str]
    """The one currency of each goal (by its name) whose values name one."""
    events: EventsResult
    limits: Limits


DEFAULTS = Options()


def answer(events: EventTable, question: Question[T], period: Period, options: Options = DEFAULTS) -> Answer[T]:
    """The answer over these events; an InputError where the values of a goal are of several currencies."""
    goals, memory = question.goals, options.memory
    named = conditions(goals)
    columns = question.columns(events, named)
    # Which rows stand there twice is known only when all have been seen, also those that no goal needs.
    tells_duplicates = DUPLICATE_OF in events.frame.collect_schema()
    columns += [DUPLICATE_OF] if tells_duplicates else []
    all_events = question.needs_all_events or tells_duplicates
    firsts = None if question.firsts is None else tuple(map(field_column, question.firsts))
    wanted = Wanted(named, all_events, columns, question.categories, period.since, period.until, firsts)
    if question.all_events:
        # What makes the numbers of goals hard to trust is the same, whatever else is asked.
        wanted = replace(wanted, all_noticed=goals.need_all_events or tells_duplicates)
    with scratch_folder() as folder:
        # The rows of a unit may be those of many users, if its columns do not tell whose it is.
        units = [each.unit_columns for each in goals.funnels.values() if each.unit_columns]
        divisible = all(any(map(events.is_user, unit)) for unit in units)
        # What is left is for the batch that is read, and for the rows that are counted at once.
        rows = Partitions(folder, memory * 3 // 10, divisible=divisible)
        users = Users(folder, memory // 4) if options.with_users else None
        noticing = _noticing(goals, period, options.now) if options.with_doubts else None
        found = gather(events, used_expr(goals, period), Gathered(wanted, rows, users, noticing))
        limits = limits_of(goals, period, found.known_until)
        needed = None if question.needs_all_events or firsts is not None else pl.any_horizontal(*named)
        count_rows = partial(
            count,
            goals=goals,
            named=named,
            limits=limits,
            ask=question.count,
            with_sessions=question.needs_sessions,
            with_repeats=options.with_doubts,
        )
        count_part = partial(_count_part, needed=needed, count_rows=count_rows)
        add = partial(Counts[T].added, add=question.add)
        counts, duplicates, all_users = _count_all(rows.partitions(), count_part, add, users, events.listener)
    return Answer(
        found=counts.found,
        goals=counts.goals,
        currencies=one_currency_each(goals, counts.currencies),
        events=_account(events, goals, period, found, counts, duplicates, all_users),
        limits=limits,
    )


def _account(  # noqa: PLR0913, PLR0917
    events: EventTable,
    goals: Goals,
    period: Period,
    found: Gathered,
    counts: Counts[T],
    duplicates: int,
    all_users: int | None,
) -> EventsResult:
    """What became of every row, and what a reader should know of them."""
    account = events.account(found.rows_read, found.rows_used, found.rejected, duplicates)
    repeats = counts.repeats
    result = EventsResult(
        files=events.files,
        layouts=events.layouts,
        rows_read=account.read,
        rows_used=account.used,
        rows_filtered=account.filtered,
        rejected=account.rejected,
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
    )
    return replace(result, samples=_samples(events, result.faulty))


def _noticing(goals: Goals, period: Period, now: int | None) -> Noticing:
    last_possible = None if now is None else now + DAY
    return Noticing(conditions(goals), goals.events.timezone, period.since, period.until, last_possible)


def _warnings(
    events: EventTable, goals: Goals, period: Period, found: Gathered, counts: Counts[T]
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


def counted_at_once() -> int:
    """How many partitions are counted at the same time."""
    return min(2 * pl.thread_pool_size(), MOST_AT_ONCE)


def _count_all(
    partitions: Sequence[Partition],
    count_rows: Callable[[pl.DataFrame], tuple[Counts[T], int]],
    add: Callable[[Sequence[Counts[T]]], Counts[T]],
    users: Users | None,
    listener: Listener,
) -> tuple[Counts[T], int, int | None]:
    """The counts of all partitions, the duplicates among their rows, and all users.

    Some partitions at a time, and more than there are cores: polars does much in each on one core only, and each often
    waits for a moment.
    """
    listener.begin(Phase.COUNTING, lambda: Expected(len(partitions), is_exact=True))
    pool = ThreadPoolExecutor(counted_at_once())
    try:
        all_users = None if users is None else pool.submit(users.count)
        found: list[Counts[T]] = []
        duplicates = 0
        for counts, repeats in pool.map(lambda partition: count_rows(partition.rows()), partitions):
            found = [add(found)] if len(found) == KEPT_APART else found
            found.append(counts)
            duplicates += repeats
            listener.advance(1)
        return add(found), duplicates, None if all_users is None else all_users.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _count_part(
    rows: pl.DataFrame, needed: pl.Expr | None, count_rows: Callable[[pl.DataFrame], Counts[T]]
) -> tuple[Counts[T], int]:
    """The counts of whole users, and the rows among them that are another one written twice."""
    once, duplicates = without_duplicates(rows)
    if needed is not None and DUPLICATE_OF in rows.columns:
        once = once.filter(needed)
    return count_rows(once), duplicates


def _samples(events: EventTable, faulty: int) -> tuple[RejectedRow, ...]:
    """The first of so many rejected rows: where all are found, no further file is read again."""
    frames = events.rejects(min(faulty, MOST_SAMPLES)) if events.rejects is not None else ()
    return tuple(RejectedRow(*row) for frame in frames for row in frame.iter_rows())


def _silence(events: EventTable, goals: Goals, period: Period, unmatched: Collection[str]) -> list[ReportWarning]:
    """Warnings of goals and steps that no event matches; only where there are any are the event names read."""
    if unmatched:
        events.listener.begin(Phase.NAMING, unknown)
    used = events.frame.filter(used_expr(goals, period))
    names = dict(collect(events, event_names(used))[0].iter_rows()) if unmatched else {}
    return unmatched_warnings(goals, unmatched, names)

"""From events to what is in them: names, users and properties, before any goal is known."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from microfunnel.accounts import EventsResult, ReportWarning
from microfunnel.answering import MEMORY, counted_at_once
from microfunnel.errors import InputError
from microfunnel.events import DUPLICATE_OF, REASONS, REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.forms import Form
from microfunnel.goals import Goals
from microfunnel.inspecting.acts import CODE, EVENTS, USERS, Acts, tally_of
from microfunnel.inspecting.properties import tallies
from microfunnel.inspections import EventName, Inspection, Property
from microfunnel.partitions import Partition, Users
from microfunnel.queries import read_batches
from microfunnel.questions import Period, used_expr
from microfunnel.scratch import scratch_folder

PROPERTY_ROWS = 1_000_000
"""Rows in which properties are looked at ..."""
PROPERTY_VALUES = 10_000_000
"""... and no more values than this in all of them."""
ROWS_AT_ONCE = 250_000
MOST_NAMES = 1_000
USED = "used"
REQUIRED = ("user", "time", "event")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Survey:
    """An inspection, and the acts of all users for whoever wants to know more."""

    inspection: Inspection
    partitions: Sequence[Partition]
    names: Sequence[str]
    """Of events, each at the place of its code."""
    counts: pl.DataFrame
    """`code` (UInt32, null for names beyond), `users` and `events` (UInt64) of all users."""


def any_goals(where: Mapping[str, object] | None = None) -> Goals:
    """The goals of whoever has none yet, for the events of which this condition holds."""
    events = {} if where is None else {"where": where}
    return Goals.model_validate({"version": 1, "events": events, "goals": {"any": {"kind": "macro", "match": "any"}}})


def fields_needed(goals: Goals) -> set[str]:
    """The fields that must be there whatever else is."""
    return {"event"} | (goals.events.where.field_names() if goals.events.where is not None else set())


def no_events(problems: Sequence[str], forms: Sequence[Form]) -> InputError:
    """Why nothing can be counted, and what to declare."""
    lacking = [role for role in REQUIRED if any(role not in form.columns for form in forms)]
    declared = ", ".join(f"{role}: ..." for role in lacking or REQUIRED)
    hint = f"say in the goals file which columns hold them: events: {{columns: {{{declared}}}}}"
    return InputError(*problems, hint=hint)


def inspect_events(events: EventTable, goals: Goals, *, memory: int = MEMORY) -> Inspection:
    """What is in these events; of the goals only what they say of events counts."""
    return survey(events, goals, lambda found: found.inspection, memory=memory, with_times=False)


def survey(
    events: EventTable,
    goals: Goals,
    use: Callable[[Survey], Result],
    *,
    memory: int = MEMORY,
    with_times: bool = True,
) -> Result:
    """What `use` makes of the events; the acts are gone afterwards, and tell what was first only `with_times`."""
    used = used_expr(goals, Period())
    with scratch_folder() as folder:
        seen = _Seen(Acts(folder, memory // 4, with_times=with_times), Users(folder, memory // 8))
        names = events.frame.collect_schema().names()
        columns = [name for name in (USER, TIME, SESSION, REJECTED, DUPLICATE_OF) if name in names]
        frame = events.frame.select(*columns, field_column("event"), used.alias(USED))
        with ThreadPoolExecutor(1) as beside:
            read_batches(events, frame, lambda batch: seen.take(batch, beside))
        properties, rows = properties_of(events, used)
        partitions = seen.acts.partitions() if seen.rows_used else []
        with ThreadPoolExecutor(counted_at_once()) as pool:
            sessions = pool.submit(seen.count_sessions)
            total = _total(list(pool.map(tally_of, partitions)), sessions.result())
        inspection = _inspection(events, goals, seen, properties, total)
        limited = rows if rows < seen.rows_read else None
        return use(Survey(inspection(limited), partitions, seen.acts.names, total.names))


@dataclass(slots=True)
class _Seen:
    """What one reading has found so far."""

    acts: Acts
    sessions: Users
    rows_read: int = 0
    rows_used: int = 0
    first_time: int | None = None
    last_time: int | None = None
    has_sessions: bool = False
    rejected: Counter[str] = field(default_factory=Counter)

    def take(self, batch: pl.DataFrame, beside: ThreadPoolExecutor) -> None:
        """Takes in a batch; who did what is put away `beside` telling its sessions apart."""
        self.rows_read += batch.height
        self.rejected += Counter(
            {REASONS[number]: n for number, n in batch[REJECTED].value_counts().iter_rows() if number}
        )
        rows = batch if batch[USED].all() else batch.filter(USED)
        self.rows_used += rows.height
        if not rows.height:
            return
        first, last = rows[TIME].min(), rows[TIME].max()
        self.first_time = min(time for time in (self.first_time, first) if isinstance(time, int))
        self.last_time = max(time for time in (self.last_time, last) if isinstance(time, int))
        putting_away = beside.submit(self.acts.add, rows.drop(REJECTED, USED, SESSION, strict=False))
        if SESSION in rows.columns:
            self.has_sessions = True
            self.sessions.add(rows[SESSION].drop_nulls())
        putting_away.result()

    def count_sessions(self) -> int | None:
        """How many different ones there are; None where the events have none."""
        return self.sessions.count() if self.has_sessions else None


@dataclass(frozen=True, slots=True)
class _Total:
    """What all partitions hold."""

    names: pl.DataFrame
    """`code`, `users`, `events`."""
    users: int
    duplicates: int
    sessions: int | None
    """None where the events have none."""


def _total(parts: Sequence[tuple[pl.DataFrame, int, int]], sessions: int | None) -> _Total:
    """The sum of what `tally_of` has for each partition."""
    empty = pl.DataFrame(schema={CODE: pl.UInt32, USERS: pl.UInt64, EVENTS: pl.UInt64})
    names = pl.concat([empty, *(names for names, _, _ in parts)]).group_by(CODE).agg(pl.col(USERS, EVENTS).sum())
    return _Total(names, sum(users for _, users, _ in parts), sum(twice for _, _, twice in parts), sessions)


def _inspection(
    events: EventTable, goals: Goals, seen: _Seen, properties: tuple[Property, ...], total: _Total
) -> Callable[[int | None], Inspection]:
    """The inspection, but for how many rows its properties were looked at in."""
    account = events.account(seen.rows_read, seen.rows_used, seen.rejected, total.duplicates)
    result = EventsResult(
        files=events.files,
        rows_read=account.read,
        rows_used=account.used,
        rows_filtered=account.filtered,
        rejected=account.rejected,
        users=total.users,
        sessions=total.sessions,
        first_time=seen.first_time,
        last_time=seen.last_time,
        timezone=goals.events.timezone,
        warnings=tuple(ReportWarning(code, message) for code, message in events.warnings),
        layouts=events.layouts,
        joined_ids=events.joined_ids,
    )
    named = dict(enumerate(seen.acts.names))
    listed = [
        EventName(named[code], n, users, total.users) for code, users, n in total.names.drop_nulls(CODE).iter_rows()
    ]
    listed.sort(key=lambda each: (-each.events, each.event))
    unnamed = int(total.names.filter(pl.col(CODE).is_null())[EVENTS].sum())

    def inspection(rows: int | None) -> Inspection:
        return Inspection(
            events.forms, result, len(listed), unnamed, tuple(listed[:MOST_NAMES]), properties, rows, events.problems
        )

    return inspection


def properties_of(events: EventTable, used: pl.Expr) -> tuple[tuple[Property, ...], int]:
    """What the fields of the first rows hold, and how many rows these are."""
    fields = list(dict.fromkeys(field for form in events.forms for field in form.fields))
    there = set(events.frame.collect_schema().names())
    counted = [each for each in tallies(fields) if field_column(each.field) in there]
    rows = max(min(PROPERTY_ROWS, PROPERTY_VALUES // max(len(counted), 1)), 1)

    def take(batch: pl.DataFrame) -> None:
        for each in counted:
            each.add(batch)

    if counted:
        # Where no user, time or event was found, every row is rejected, and all the more to be looked at.
        frame = events.frame.head(rows)
        frame = frame if events.problems else frame.filter(used)
        columns = dict.fromkeys([field_column("event"), *(field_column(each.field) for each in counted)])
        read_batches(events, frame.select(*columns), take, ROWS_AT_ONCE)
    return tuple(each.found() for each in counted), rows

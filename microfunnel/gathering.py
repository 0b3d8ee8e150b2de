"""One reading of the events, batch by batch: what became of the rows, whose they are, and which of them count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from microfunnel.events import REASONS, REJECTED, TIME, USER, EventTable, field_column, in_period
from microfunnel.goals import Goal
from microfunnel.matching import event_names_of, fields_of, match_goals
from microfunnel.partitions import Partitions, Users
from microfunnel.queries import read_batches
from microfunnel.trust.busy import ID
from microfunnel.trust.noticing import FIGURE, Noticing, begins_with_figure

USED = "used"
WANTED = "wanted"
FIRST = "first"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the counting needs of the used rows."""

    named: Mapping[str, Goal]
    """Column name to condition: a row is needed where one of them holds ..."""
    all_events: bool
    """... or anyway."""
    columns: Sequence[str]
    """The columns that the counting looks at."""
    labels: Sequence[str]
    """Those of them that are only split by: kept as Categorical, whose values take a number each."""
    since: int | None
    until: int | None
    """The period whose users are counted, in microseconds since 1970 UTC; None is open."""
    firsts: Sequence[str] | None = None
    """Of all used rows, and of those in the period, at least the first of each user for each value of these columns is
    needed; None for none."""
    all_noticed: bool = True
    """Whether what is needed anyway is also looked at for what makes it hard to trust."""

    @property
    def is_bound(self) -> bool:
        """Whether some users may lie outside of the period."""
        return self.since is not None or self.until is not None

    def needs(self, column: str) -> bool:
        """Whether a condition or the counting looks at this column."""
        return column in {*self.columns, *map(field_column, fields_of(self.named.values()))}

    @property
    def of_any_event(self) -> dict[str, Goal]:
        """The conditions that may hold for an event of any name."""
        return {column: goal for column, goal in self.named.items() if event_names_of(goal) is None}

    @property
    def of_some_events(self) -> dict[str, Goal]:
        """The others."""
        return {column: goal for column, goal in self.named.items() if event_names_of(goal) is not None}


def gather(events: EventTable, used: pl.Expr, gathered: "Gathered") -> "Gathered":
    """The same with what one reading of the events finds; `used` says which rows are looked at.

    An InputError names a broken file.
    """
    wanted = gathered.wanted
    # Most rows are of events that nobody asks for, so conditions on some events alone are looked at after the others.
    names = sorted(set().union(*(event_names_of(goal) or () for goal in wanted.named.values())))
    named = pl.col(field_column("event")).is_in(names).fill_null(value=False)
    some = pl.any_horizontal(named, *map(pl.col, wanted.of_any_event))
    needed = pl.lit(value=True) if wanted.all_events else some
    frame = events.frame.with_columns(used.alias(USED), *match_goals(wanted.of_any_event))
    frame = frame.with_columns(needed.alias(WANTED))
    # The text of ids that are numbers takes time to make, and says no more than their keys.
    looks_at_ids = gathered.noticing is not None and not events.whole_ids
    if looks_at_ids:
        frame = frame.with_columns(begins_with_figure())
    elif not wanted.needs(ID):
        frame = frame.drop(ID, strict=False)
    with ThreadPoolExecutor(2) as beside:
        read_batches(events, frame, lambda batch: gathered.take(batch, beside))
        if not gathered.rows_read:
            gathered.take(pl.DataFrame(schema=frame.collect_schema()), beside)
    return gathered


@dataclass(slots=True)
class Gathered:
    """What has been gathered of the batches so far; times in microseconds since 1970 UTC."""

    wanted: Wanted
    rows: Partitions
    """The needed rows, with a Boolean column for each condition."""
    users: Users | None
    """Of the period; None where nobody asks for them."""
    noticing: Noticing | None = None
    rows_read: int = 0
    rows_used: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    first_time: int | None = None
    """Of the used rows in the period, as `last_time` is."""
    last_time: int | None = None
    known_until: int | None = None
    """The last time of any row that was not rejected."""
    matched: set[str] = field(default_factory=set)
    """The conditions that held for some row."""

    def take(self, batch: pl.DataFrame, beside: ThreadPoolExecutor) -> None:
        """Takes in a batch of events with `used` and `wanted`, which may hold for more rows than are needed.

        Rows are put away, and users told apart, `beside` looking at all of them.
        """
        self.rows_read += batch.height
        good = batch
        if batch[REJECTED].max():
            self.rejected += Counter(
                {REASONS[number]: n for number, n in batch[REJECTED].value_counts().rows() if number}
            )
            good = batch.filter(pl.col(REJECTED) == 0)
        # Most logs come in order of time, and what is known to be in order is looked at in no time.
        if good[TIME].is_sorted():
            good = good.with_columns(pl.col(TIME).set_sorted())
        self.known_until = _latest(self.known_until, good[TIME].max())
        used = self._with_firsts(good if good[USED].all() else good.filter(USED))
        self.rows_used += used.height
        inside = used.select(USER, TIME)
        if self.wanted.is_bound:
            inside = inside.filter(in_period(self.wanted.since, self.wanted.until))
        # What only tells who somebody is costs as much to filter as all the rest.
        left_out = [REJECTED, USED, FIGURE, *([] if self.wanted.needs(ID) else [ID])]
        wanted = used.drop(left_out, strict=False).filter(WANTED)
        rows = wanted.with_columns(match_goals(self.wanted.of_some_events))
        needed = self._needed(rows)
        tasks = [beside.submit(self._keep, rows if self.wanted.all_events else needed)]
        if self.users is not None:
            tasks.append(beside.submit(self.users.add, inside[USER]))
        if inside.height:
            self.first_time = _earliest(self.first_time, inside[TIME].min())
            self.last_time = _latest(self.last_time, inside[TIME].max())
        if self.noticing is not None:
            self.noticing.take(used, rows if self.wanted.all_events and self.wanted.all_noticed else needed)
        for task in tasks:
            task.result()

    def _with_firsts(self, used: pl.DataFrame) -> pl.DataFrame:
        """The used rows of a batch with `first` where the first ones are wanted."""
        if self.wanted.firsts is None:
            return used
        in_time = used if used[TIME].is_sorted() else used.sort(TIME, maintain_order=True)
        apart = [in_period(self.wanted.since, self.wanted.until).alias(FIRST)] if self.wanted.is_bound else []
        alike = [pl.col(USER), *map(pl.col, self.wanted.firsts), *apart]
        first = pl.struct(alike) if len(alike) > 1 else alike[0]
        marked = in_time.with_columns(first.is_first_distinct().alias(FIRST))
        return marked.with_columns(pl.col(WANTED) | pl.col(FIRST))

    def _needed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of the rows that some condition holds for, or that are first ones."""
        first = [] if self.wanted.firsts is None else [FIRST]
        needed = rows.select(pl.any_horizontal(*self.wanted.named, *first)).to_series()
        return rows if needed.all() else rows.filter(needed)

    def _keep(self, rows: pl.DataFrame) -> None:
        self.matched |= {name for name in self.wanted.named if rows[name].any()}
        kept = rows.select(self.wanted.columns)
        self.rows.add(kept.with_columns(pl.col(self.wanted.labels).cast(pl.Categorical)))


def _earliest(one: int | None, other: object) -> int | None:
    return min((moment for moment in (one, other) if isinstance(moment, int)), default=None)


def _latest(one: int | None, other: object) -> int | None:
    return max((moment for moment in (one, other) if isinstance(moment, int)), default=None)

"""What makes numbers hard to trust, noticed while the events are read: plain counts, batch by batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from microfunnel.events import TIME, USER, field_column, in_period
from microfunnel.goals import Goal
from microfunnel.matching import specific_columns
from microfunnel.trust.busy import ID, BusyUsers, Suspect

EVENT = field_column("event")
FIGURE = "figure"
DAY = 86_400_000_000
QUARTER_OF_AN_HOUR = 900_000_000
"""Each time zone is away from UTC by some of these."""
SPREADSHEET_ID = r"^\d(\.\d+)?[eE]\+\d\d$|^[1-9]\d{0,5}0{10,}$"
"""An id as a spreadsheet writes it, `2.82E+18`, or as a number that was read from that."""
MOST_EDGES = 10_000
MOST_SUMS = 200_000
"""Of more days, or days of event names, none are looked into."""
PIECES = 64
ALL_ROWS = 1_000_000
"""In a log of more rows only the event names of some users are looked at, ..."""
SOME_USERS = 2**60
"""... those with a key below this, a sixteenth of all."""
MOST_NAMES = 10_000
FEW_USERS = 40


def begins_with_figure() -> pl.Expr:
    """Whether the id of a row may begin with a figure: `figure`, which every core looks at while reading."""
    return (pl.col(ID) < ":").alias(FIGURE)


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was noticed in all batches; days and times of the day are those of the time zone that was asked for."""

    days: pl.DataFrame
    """`day` (Date), `n` (rows used), `first` and `last` (Datetime, of these), sorted; empty where they are too many."""
    events_by_day: pl.DataFrame
    """`day`, `event` and `n`, of the rows that goals look at, in no order; empty where they are too many.

    Of a large log, only the rows of some users, as in `names`.
    """
    names: frozenset[str]
    """Event names of the rows used; empty where they are too many."""
    future: int
    """Rows used that are later than can be; they are part of nothing else here."""
    latest: int | None
    """The time of the last of them, in microseconds since 1970 UTC."""
    spreadsheet_ids: int
    """Rows used whose user id went through a spreadsheet."""
    rows: int
    """Rows used."""
    busy: Mapping[int, Suspect | None]
    """All users who can have more than a twentieth of them, as `BusyUsers` has them; none where there are few users."""


class Noticing:
    """Takes in batches; what it keeps of them is bounded, whatever the log."""

    def __init__(
        self,
        named: Mapping[str, Goal],
        timezone: str,
        since: int | None = None,
        until: int | None = None,
        last_possible: int | None = None,
    ) -> None:
        """Days are looked at from `since` on and before `until`; rows after `last_possible` are of the future.

        All three are microseconds since 1970 UTC, and None is open.
        """
        self._specific = specific_columns(named)
        self._all_specific = len(self._specific) == len(named)
        self._timezone = timezone
        self._slot = DAY if timezone == "UTC" else QUARTER_OF_AN_HOUR
        self._inside = None if since is None and until is None else in_period(since, until)
        self._last_possible = last_possible
        self._days = _Sums(self._by_day, _DAYS)
        self._all_rows = 0
        self._some_users: set[int] = set()
        self._busy = BusyUsers(self._specific)
        self._rows = 0
        self._all = _EventNames(self._by_day)
        self._of_some_users = _EventNames(self._by_day)
        self._future = 0
        self._latest: int | None = None
        self._spreadsheet_ids = 0

    def take(self, used: pl.DataFrame, needed: pl.DataFrame) -> None:
        """Takes in the used rows of a batch, and those of them that a condition needs with a column for each.

        Where they have ids, the used rows have a column `figure`, too.
        """
        self._take_users(used, needed)
        times = used[TIME]
        if self._last_possible is not None and len(times) and _highest(times) > self._last_possible:
            self._take_future(times.filter(times > self._last_possible))
            possible = pl.col(TIME) <= self._last_possible
            used, needed = used.filter(possible), needed.filter(possible)
        if self._inside is not None:
            used, needed = used.filter(self._inside), needed.filter(self._inside)
        if not self._all_specific:
            needed = needed.filter(pl.any_horizontal(pl.lit(value=False), *self._specific))
        if used.height:
            self._days.add(_by_slot(used[TIME], self._slot))
        self._take_names(used, needed.select(USER, TIME, EVENT))

    def noticed(self) -> Noticed:
        """All that was noticed so far."""
        events = self._all if self._rows <= ALL_ROWS else self._of_some_users
        return Noticed(
            days=self._days.total().sort("day"),
            events_by_day=events.by_day,
            names=events.found,
            future=self._future,
            latest=self._latest,
            spreadsheet_ids=self._spreadsheet_ids,
            rows=self._all_rows,
            busy=self._busy.candidates if len(self._some_users) > FEW_USERS else {},
        )

    def _take_users(self, used: pl.DataFrame, needed: pl.DataFrame) -> None:
        self._all_rows += used.height
        if len(self._some_users) <= FEW_USERS:
            self._some_users.update(used[USER].unique().head(FEW_USERS + 1))
        self._busy.take(used, needed)
        if FIGURE in used.columns:
            self._spreadsheet_ids += _spreadsheet_ids(used)

    def _take_future(self, times: pl.Series) -> None:
        self._future += len(times)
        self._latest = max(self._latest or 0, _highest(times))

    def _take_names(self, used: pl.DataFrame, needed: pl.DataFrame) -> None:
        self._rows += used.height
        if self._rows <= ALL_ROWS:
            self._all.add(used[EVENT], self._by_name(needed))
        few = needed.filter(pl.col(USER) < SOME_USERS)
        self._of_some_users.add(used[EVENT].filter(used[USER] < SOME_USERS), self._by_name(few))

    def _by_name(self, rows: pl.DataFrame) -> pl.DataFrame:
        slot = (pl.col(TIME) // self._slot).alias("slot")
        return rows.group_by(slot, pl.col(EVENT).alias("event")).agg(pl.len().cast(pl.Int64).alias("n"))

    def _by_day(self, by_slot: pl.DataFrame) -> pl.DataFrame:
        """The same with the `day` instead of the number of the slot, and times of the time zone."""
        moments = {name: pl.col(name) for name in by_slot.columns if name in {"first", "last"}}
        moments["day"] = pl.col("slot") * self._slot
        local = {
            name: pl.from_epoch(moment, "us").dt.convert_time_zone(self._timezone).dt.replace_time_zone(None)
            for name, moment in moments.items()
        }
        return by_slot.with_columns(**local).with_columns(pl.col("day").dt.date()).drop("slot")


_EVENTS_BY_DAY = pl.DataFrame(schema={"day": pl.Date, "event": pl.String, "n": pl.Int64})
_DAYS = pl.DataFrame(schema={"day": pl.Date, "n": pl.Int64, "first": pl.Datetime("us"), "last": pl.Datetime("us")})


class _Sums:
    """Small tables of counts by day, added up by their keys."""

    def __init__(self, by_day: Callable[[pl.DataFrame], pl.DataFrame], nothing: pl.DataFrame) -> None:
        self._by_day = by_day
        self._nothing = self._found = nothing
        self._pieces: list[pl.DataFrame] = []
        self._too_many = False

    def add(self, by_slot: pl.DataFrame) -> None:
        if not self._too_many:
            self._pieces.append(by_slot)
            if len(self._pieces) >= PIECES:
                self._add_up()

    def total(self) -> pl.DataFrame:
        """One row for each of the keys, or nothing where there are none or too many."""
        if self._pieces:
            self._add_up()
        return self._nothing if self._too_many else self._found

    def _add_up(self) -> None:
        # The days of many batches are looked up at once: those of one take as long.
        new = self._by_day(pl.concat(self._pieces)).select(self._nothing.columns)
        self._pieces.clear()
        sums = {"n": pl.sum("n"), "first": pl.min("first"), "last": pl.max("last")}
        keys = [name for name in self._nothing.columns if name not in sums]
        added = [total for name, total in sums.items() if name in self._nothing.columns]
        self._found = pl.concat([self._found, new]).group_by(keys).agg(*added)
        self._too_many |= self._found.height > MOST_SUMS


class _EventNames:
    """Event names, and how often they come on each day."""

    def __init__(self, by_day: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._by_day = _Sums(by_day, _EVENTS_BY_DAY)
        self._names: set[str] = set()

    def add(self, events: pl.Series, by_slot: pl.DataFrame) -> None:
        if len(self._names) <= MOST_NAMES:
            self._names.update(events.unique().head(MOST_NAMES + 1))
        self._by_day.add(by_slot)

    @property
    def by_day(self) -> pl.DataFrame:
        """`day`, `event` and `n`; empty where they are too many."""
        return self._by_day.total()

    @property
    def found(self) -> frozenset[str]:
        """The different names; none where they are too many."""
        return frozenset(self._names) if len(self._names) <= MOST_NAMES else frozenset()


def _highest(times: pl.Series) -> int:
    return int(times.max())  # type: ignore[arg-type]


def _by_slot(times: pl.Series, size: int) -> pl.DataFrame:
    """How many times lie in each `slot` of so many microseconds: its number, `n`, and the `first` and `last` time."""
    slots = range(int(times.min()) // size, _highest(times) // size + 1)  # type: ignore[arg-type]
    if len(slots) > MOST_EDGES or not times.flags["SORTED_ASC"]:
        slot = (pl.col(TIME) // size).alias("slot")
        counted = (pl.len().cast(pl.Int64).alias("n"), pl.min(TIME).alias("first"), pl.max(TIME).alias("last"))
        return times.to_frame(TIME).group_by(slot).agg(*counted)
    # A look at the edges of the slots is enough.
    edges = pl.Series("slot", slots, dtype=pl.Int64)
    begins = times.search_sorted(edges * size).cast(pl.Int64).alias("begin")
    found = pl.DataFrame([edges, begins]).with_columns(end=pl.col("begin").shift(-1, fill_value=len(times)))
    found = found.filter(pl.col("begin") < pl.col("end"))
    return found.select(
        "slot",
        (pl.col("end") - pl.col("begin")).alias("n"),
        times.gather(found["begin"]).alias("first"),
        times.gather(found["end"] - 1).alias("last"),
    )


def _spreadsheet_ids(used: pl.DataFrame) -> int:
    """How many rows have such an id."""
    if not used[FIGURE].any():
        return 0
    # Then one row of each user says whether any has it.
    numbers = used.select(USER, ID).filter(used[FIGURE])
    one_of_each = numbers[ID].gather(numbers[USER].arg_unique())
    return int(numbers[ID].str.contains(SPREADSHEET_ID).sum()) if one_of_each.str.contains(SPREADSHEET_ID).any() else 0

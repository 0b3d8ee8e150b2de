"""The counting rule: what follows each entry, and how far it got.

Every event that completes the first step is an entry and starts an attempt. From there each step takes the earliest
next event that completes it, a different event each time, not later than entry + window (inclusive), at most `within`
and at least `after` the step before. With steps A, B, C and a window of 10:

    time   0  2  3  9  11
    event  A  A  B  C  B      entry at 0: A 0, B 3, C 9 (9 after the entry, in time)
                              entry at 2: A 2, B 3, C 9, the same steps from a later start

An exclusion strictly between two steps ends the attempt, and so does, in strict order, any event that does not repeat
the step before. Events of one instant may be taken in whichever order carries the attempt farthest (`ties`), or be left
aside where that suits what follows. The order of rows in the files never matters.

An attempt is a chain of gathers: for each step there is a column with the row of the next event that completes it
strictly after the row's instant, and moving on is reading that column at the row where the attempt stands.
"""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.ties import INSTANT, ROW, add_reach, reach_column
from microfunnel.events import TIME

UNIT = "unit"
ENTERED = "entered"
NOW = "now"
STOP = "stop"
ENDED = "ended"
REACH = "reach"

NO_ROW = 2**32 - 1
"""Beyond all rows."""
STOPS = ("converted", "no_event", "too_late", "interrupted", "excluded")
"""Why an attempt went no farther, by the number in the column `stop`."""
NO_EVENT, TOO_LATE, INTERRUPTED, EXCLUDED = range(1, len(STOPS))


@dataclass(frozen=True, slots=True)
class Link:
    """A step, and what holds between it and the step before; times in microseconds."""

    column: str
    """Boolean column of the events that complete it."""
    within: int | None = None
    after: int = 0
    exclusions: tuple[str, ...] = ()
    """Boolean columns of the events that end the attempt where they lie strictly between."""
    strangers: str | None = None
    """Boolean column of the events that may not lie between in strict order."""

    @property
    def is_bound(self) -> bool:
        """Whether taking the step before later than possible may be what makes this one possible."""
        return self.within is not None or bool(self.exclusions) or self.strangers is not None


@dataclass(frozen=True, slots=True)
class Path:
    """The steps that an attempt takes one after the other."""

    links: tuple[Link, ...]
    window: int | None
    increasing: bool = False
    """Whether events of one instant can't follow each other."""

    @property
    def steps(self) -> list[str]:
        return [link.column for link in self.links]

    @property
    def barriers(self) -> set[int]:
        """The steps that may not happen at the instant of the step before."""
        return {index for index, link in enumerate(self.links) if index and (self.increasing or link.after)}

    @property
    def watched(self) -> list[str]:
        """The columns whose next event an attempt has to know."""
        between = [column for link in self.links for column in (*link.exclusions, link.strangers) if column]
        return list(dict.fromkeys([*self.steps[1:], *between]))


def at_column(step: int) -> str:
    """The column with the row at which an attempt took a step (0 for the first)."""
    return f"at_{step}"


def later_column(column: str) -> str:
    """The column with the row of the unit's next event, strictly after this instant, where `column` is true."""
    return f"later {column}"


def index_rows(rows: pl.DataFrame, watched: Collection[str]) -> pl.DataFrame:
    """The rows with `row`, `instant` (the last row of the same unit and time) and `later C` for each watched column.

    `rows` holds whole units sorted by unit and time, with `unit`, `time` and Boolean columns that are never null.
    """
    unit_ends = pl.col(UNIT).ne_missing(pl.col(UNIT).shift(-1))
    instant_ends = unit_ends | pl.col(TIME).ne_missing(pl.col(TIME).shift(-1))
    rows = rows.with_row_index(ROW).with_columns(
        pl.when(instant_ends).then(ROW).backward_fill().alias(INSTANT),
        _next_row(unit_ends).alias("last"),
        *(
            pl.when(instant_ends)
            .then(_next_row(pl.col(column)).shift(-1, fill_value=NO_ROW))
            .backward_fill()
            .alias(later_column(column))
            for column in watched
        ),
    )
    own = (pl.col(later_column(column)) for column in watched)
    return rows.with_columns(pl.when(later <= pl.col("last")).then(later).name.keep() for later in own).drop("last")


def _next_row(holds: pl.Expr) -> pl.Expr:
    """The first row from here on where something holds, or `NO_ROW`."""
    # Filling what is null backward takes more than twice as long.
    return pl.when(holds).then(ROW).otherwise(pl.lit(NO_ROW, dtype=pl.UInt32)).cum_min(reverse=True)


def find_attempts(rows: pl.DataFrame, path: Path, entries: pl.Expr, *, best: bool = False) -> pl.DataFrame:
    """One row for each attempt, or for each of its ways through ties; if `best`, of those that may be a unit's best.

    Columns: `at_0` .. (UInt32, the row in `rows` at which each step was taken, null where the attempt did not get
    there), `entered` and `now` (Int64, microseconds: when it took its first and its last step), `stop` (UInt8, an index
    of STOPS) and `ended` (Int64: when nothing could follow any more; null where nothing set an end). `rows` comes from
    `index_rows`; `entries` says which rows that complete the first step start an attempt.
    """
    rows = add_reach(rows, path.steps, path.barriers)
    reach = [pl.col(reach_column(0)).alias(REACH)] if reach_column(0) in rows.columns else []
    narrows = best and len(path.links) > 1 and not path.links[1].after
    second = [later_column(path.steps[1])] if narrows else []
    starts = rows.select(ROW, UNIT, TIME, INSTANT, *second, *reach, pl.col(path.steps[0]) & entries)
    starts = starts.filter(path.steps[0])
    if narrows:
        starts = starts.filter(_may_be_best(*second, is_reaching=bool(reach)))
    attempts = starts.select(
        pl.col(ROW).alias(at_column(0)),
        pl.col(TIME).alias(ENTERED),
        pl.col(TIME).alias(NOW),
        pl.lit(0, dtype=pl.UInt8).alias(STOP),
        pl.lit(None, dtype=pl.Int64).alias(ENDED),
        *([REACH] if reach else []),
    )
    for index in range(1, len(path.links)):
        attempts = _take_step(attempts, rows, path, index)
    return attempts.drop(REACH, strict=False).with_columns(
        pl.when(pl.col(STOP) == 0).then(NOW).otherwise(ENDED).alias(ENDED)
    )


def _may_be_best(second: str, *, is_reaching: bool) -> pl.Expr:
    """Which entries may start the best attempt of their unit, by its entries in order of time.

    Of two entries with the same next event for the second step (`second`) the later one gets as far, just as soon. It
    is the first entry that counts where no attempt gets beyond it.
    """
    unit, instant, target = pl.col(UNIT), pl.col(INSTANT), pl.col(second)
    is_first = unit.ne_missing(unit.shift())
    is_tied = instant.eq_missing(instant.shift())
    has_later = (unit == unit.shift(-1)) & (instant != instant.shift(-1)) & (target == target.shift(-1))
    is_beaten = target.is_null() | has_later.fill_null(value=False)
    can_stay = pl.col(REACH) > 0 if is_reaching else pl.lit(value=False)
    return is_first | is_tied | can_stay | ~is_beaten


def _take_step(attempts: pl.DataFrame, rows: pl.DataFrame, path: Path, index: int) -> pl.DataFrame:
    """The attempts after step `index`; those that can't take it have no row for it, and a reason."""
    at, before = at_column(index), at_column(index - 1)
    moved = _judge(attempts, rows, path, index)
    taken = pl.col(STOP) == 0
    moved = moved.select(
        *(column for column in attempts.columns if column != NOW),
        pl.when(taken).then(at).alias(at),
        pl.when(taken).then("then").otherwise(NOW).alias(NOW),
    )
    if REACH not in attempts.columns:
        return moved
    can_stay = (attempts[REACH] >= index) & attempts[before].is_not_null()
    if index < len(path.links) - 1:
        moved = moved.with_columns(rows[reach_column(index)].gather(moved[at]).alias(REACH))
    stayed = attempts.with_columns(pl.col(before).alias(at))
    whole = moved.select(
        pl.when(can_stay).then(stayed[name]).otherwise(pl.col(name)).alias(name) for name in moved.columns
    )
    if any(link.is_bound for link in path.links[index + 1 :]):
        # Staying is the earliest, but a later step may suit what must come soon, or undisturbed, after it.
        return pl.concat([whole, moved.filter(can_stay & moved[at].is_not_null())])
    return whole


def _judge(attempts: pl.DataFrame, rows: pl.DataFrame, path: Path, index: int) -> pl.DataFrame:
    """The attempts with the row and time (`then`) of the next event for the step, and whether something stops them."""
    link, standing = path.links[index], attempts[at_column(index - 1)]
    limits = [] if path.window is None else [pl.col(ENTERED) + path.window]
    limits += [] if link.within is None else [pl.col(NOW) + link.within]
    target = _earliest(attempts, rows, link, index)
    between = [*link.exclusions, *([link.strangers] if link.strangers else [])]
    judged = attempts.with_columns(
        target.alias(at_column(index)),
        rows[TIME].gather(target).alias("then"),
        pl.min_horizontal(limits).alias("limit") if limits else pl.lit(None, dtype=pl.Int64).alias("limit"),
        *(rows[TIME].gather(rows[later_column(column)].gather(standing)).alias(column) for column in between),
    )
    then, limit = pl.col("then"), pl.col("limit")
    stops = [pl.when(then.is_null()).then(NO_EVENT), pl.when(then > limit).then(TOO_LATE), pl.lit(0)]
    ends = [limit]
    if link.strangers:
        stranger = pl.col(link.strangers)
        interrupted = (stranger < then) & (stranger <= limit.fill_null(stranger))
        stops.insert(0, pl.when(interrupted).then(INTERRUPTED))
        ends.insert(0, pl.when(interrupted).then(stranger))
    if link.exclusions:
        first = pl.min_horizontal(link.exclusions)
        excluded = (first <= limit.fill_null(first)) & (first < then.fill_null(first + 1))
        if link.strangers:
            # Of both on one way the earlier one has ended it.
            excluded &= ~(interrupted & (stranger < first)).fill_null(value=False)
        stops.insert(0, pl.when(excluded).then(EXCLUDED))
        ends.insert(0, pl.when(excluded).then(first))
    is_over = (pl.col(STOP) > 0) | pl.col(at_column(index - 1)).is_null()
    return judged.with_columns(
        pl.when(is_over).then(STOP).otherwise(pl.coalesce(stops)).cast(pl.UInt8).alias(STOP),
        pl.when(is_over).then(ENDED).otherwise(pl.coalesce(ends)).alias(ENDED),
    )


def _earliest(attempts: pl.DataFrame, rows: pl.DataFrame, link: Link, index: int) -> pl.Series:
    """For each attempt the row of the earliest later event that completes the step; null where there is none."""
    standing = attempts[at_column(index - 1)]
    if not link.after:
        return rows[later_column(link.column)].gather(standing)
    waiting = attempts.select(
        pl.int_range(pl.len()).alias("attempt"),
        rows[UNIT].gather(standing).alias(UNIT),
        (pl.col(NOW) + link.after).alias(TIME),
    )
    fitting = rows.filter(link.column).select(UNIT, TIME, pl.col(ROW).alias("found")).sort(TIME)
    found = (
        waiting.drop_nulls(UNIT)
        .sort(TIME)
        .join_asof(fitting, on=TIME, by=UNIT, strategy="forward", check_sortedness=False)
    )
    return waiting.join(found, on="attempt", how="left", maintain_order="left")["found"]

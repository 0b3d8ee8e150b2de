"""All events of units in a total order: what each is called, and which event comes after which.

Events of one instant are in the order of their names, so the order of rows in the files says nothing here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.events import TIME

OWNER = "owner"
CALLED = "called"
AFTER = "after"
TIED = "tied"
ROW = "row"
NAME = "name"

Move = Callable[[pl.Series], pl.Series]
"""From rows of a log to others, null where there is none (and from null)."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events sorted by owner, time and name."""

    rows: pl.DataFrame
    """`owner` (whose they are, null for nobody's), `time`, `called` (UInt32, a place in `names`), `after` (UInt32, the
    row that follows the instant, of whomever; the same for all events of an instant), `tied` (whether it has several)
    and the flags."""
    names: pl.Series
    """What events are called (String), sorted."""

    def after(self, rows: pl.Series) -> pl.Series:
        """The first row of the same owner after the instant of each of these rows; null where there is none."""
        return self._of_same(self.rows[AFTER].gather(rows), rows)

    def changed(self) -> Move:
        """To the first later row of the same owner with another name."""
        following = self.rows.select(_last_of([OWNER, CALLED]) + 1).to_series()
        return lambda rows: self._of_same(following.gather(rows), rows)

    def past_repeats(self, flag: str) -> Move:
        """From rows with the flag to the first later row of the same owner without it, or with another name."""
        # Few rows of a log have the flag, so only these are looked at.
        flagged = self.rows.select(_row().alias(ROW), OWNER, CALLED, flag).filter(flag)
        ends = pl.any_horizontal(_differ([OWNER, CALLED], -1), pl.col(ROW).shift(-1) != pl.col(ROW) + 1)
        last = pl.when(ends | (_row() == pl.len() - 1)).then(ROW).backward_fill()
        following = flagged.select(ROW, (last + 1).alias("following"))

        def move(rows: pl.Series) -> pl.Series:
            asked = pl.DataFrame({ROW: rows})
            return self._of_same(asked.join(following, on=ROW, how="left", maintain_order="left")["following"], rows)

        return move

    def unchanged(self) -> Move:
        """To the last row of the same owner before all the events of the same name in a row."""
        return self._back([OWNER, CALLED])

    def earlier(self) -> Move:
        """To the last row of the same owner before the instant."""
        return self._back([OWNER, TIME])

    def _back(self, told_by: Sequence[str]) -> Move:
        begins = pl.any_horizontal(_differ(told_by, 1), _row() == 0)
        first = self.rows.select(pl.when(begins).then(_row()).forward_fill()).to_series()

        def move(rows: pl.Series) -> pl.Series:
            start = first.gather(rows)
            return self._of_same(start.zip_with(start > 0, pl.Series([None], dtype=start.dtype)) - 1, rows)

        return move

    def of(self, column: str, rows: pl.Series) -> pl.Series:
        """What stands in a column at these rows; null at a null."""
        return self.rows[column].gather(rows)

    def _of_same(self, found: pl.Series, rows: pl.Series) -> pl.Series:
        """The found rows, null where they do not belong to the owner of the others."""
        there = found.zip_with(found < self.rows.height, pl.Series([None], dtype=found.dtype))
        same = self.of(OWNER, there) == self.of(OWNER, rows)
        return there.zip_with(same, pl.Series([None], dtype=found.dtype))


def log_of(rows: pl.DataFrame, owner: pl.Expr, called: pl.Expr, flags: Mapping[str, pl.Expr]) -> EventLog:
    """The log of rows that are sorted by owner and time; `called` (Categorical or String, never null) names each."""
    log = rows.select(owner.alias(OWNER), TIME, called.alias(NAME), **flags)
    names = log[NAME].unique().cast(pl.String).sort()
    # As places in the sorted names they sort as the names do, and cost no text.
    log = log.with_columns(pl.col(NAME).cast(pl.Enum(names)).to_physical().cast(pl.UInt32).alias(CALLED)).drop(NAME)
    log = log.with_columns((_last_of([OWNER, TIME]) + 1).alias(AFTER))
    tied = (pl.col(AFTER) == pl.col(AFTER).shift()) | (pl.col(AFTER) == pl.col(AFTER).shift(-1))
    return EventLog(_tied_in_order(log.with_columns(tied.fill_null(value=False).alias(TIED)), list(flags)), names)


def _tied_in_order(log: pl.DataFrame, flags: list[str]) -> pl.DataFrame:
    told_apart = [CALLED, *flags]
    tied = log.with_row_index(ROW).filter(TIED)
    if tied.is_empty():
        return log
    in_order = tied.sort(AFTER, *told_apart)
    return log.with_columns(log[name].scatter(tied[ROW], in_order[name]) for name in told_apart)


def _row() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.UInt32)


def _differ(names: Sequence[str], by: int) -> pl.Expr:
    """Whether a row differs in one of these from the one so many rows before (after it, if negative)."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(by)) for name in names)


def _last_of(names: Sequence[str]) -> pl.Expr:
    """The last of the rows next to each other that have all of these in common."""
    return pl.when(_differ(names, -1) | (_row() == pl.len() - 1)).then(_row()).backward_fill()

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
GOES_ON = "goes on"
ROW = "row"

Move = Callable[[pl.Series], pl.Series]
"""From rows of a log to others, null where there is none (and from null)."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events sorted by owner, time and name."""

    rows: pl.DataFrame
    """`owner` (whose they are, null for nobody's), `time`, `called` (Categorical) and the flags."""
    tied: pl.DataFrame
    """The rows (`row`, UInt32, sorted) whose instant has several events, and for each the one `after` the instant
    (UInt32, of whomever)."""

    def after(self, rows: pl.Series) -> pl.Series:
        """The first row of the same owner after the instant of each of these rows; null where there is none."""
        beyond = self._after_tied(rows)
        return self._of_same(beyond.zip_with(beyond.is_not_null(), rows + 1), rows)

    def called_first(self, rows: pl.Series, flag: str) -> pl.Series:
        """What the first event with the flag is called that shares the instant of each of these rows, or is it."""
        flagged = self.tied.filter(self.of(flag, self.tied[ROW])).unique(AFTER, keep="first", maintain_order=True)
        first = _looked_up(self._after_tied(rows), flagged[AFTER], flagged[ROW])
        return self.of(CALLED, first.zip_with(first.is_not_null(), rows))

    def changed(self) -> Move:
        """To the first later row of the same owner with another name."""
        following = self.rows.select(_last_of([OWNER, CALLED]) + 1).to_series()
        return lambda rows: self._of_same(following.gather(rows), rows)

    def past_repeats(self, rows: pl.Series, repeats: pl.Series, flag: str) -> pl.Series:
        """The rows, but from those that are `repeats` on the first later one without the flag or with another name."""
        asked = rows.filter(repeats)
        if asked.is_empty():
            return rows
        # Few rows of a log have the flag, so only these are looked at.
        flagged = self.rows.select(_row().alias(ROW), OWNER, CALLED, flag).filter(flag)
        ends = pl.any_horizontal(_differ([OWNER, CALLED], -1), pl.col(ROW).shift(-1) != pl.col(ROW) + 1)
        last = flagged.select(pl.when(ends | (_row() == pl.len() - 1)).then(ROW).backward_fill()).to_series()
        beyond = self._of_same(_looked_up(asked, flagged[ROW], last + 1), asked)
        return rows.clone().scatter(repeats.arg_true(), beyond)

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

    def _after_tied(self, rows: pl.Series) -> pl.Series:
        """What comes after the instant of each of these rows where it has several events, else null."""
        return _looked_up(rows, self.tied[ROW], self.tied[AFTER])

    def _of_same(self, found: pl.Series, rows: pl.Series) -> pl.Series:
        """The found rows, null where they do not belong to the owner of the others."""
        there = found.zip_with(found < self.rows.height, pl.Series([None], dtype=found.dtype))
        same = self.of(OWNER, there) == self.of(OWNER, rows)
        return there.zip_with(same, pl.Series([None], dtype=found.dtype))


def log_of(rows: pl.DataFrame, owner: pl.Expr, called: pl.Expr, flags: Mapping[str, pl.Expr]) -> EventLog:
    """The log of rows that are sorted by owner and time; `called` (Categorical or String, never null) names each."""
    log = rows.select(owner.alias(OWNER), TIME, called.cast(pl.Categorical).alias(CALLED), **flags)
    goes_on = ~_differ([OWNER, TIME], -1) & (_row() < pl.len() - 1)
    marked = log.select(_row().alias(ROW), CALLED, *flags, goes_on.alias(GOES_ON))
    # Few events share their instant with others, so only these are put in order.
    tied = marked.filter(pl.col(GOES_ON) | pl.col(GOES_ON).shift(fill_value=False))
    if tied.is_empty():
        return EventLog(log, tied.select(ROW, pl.col(ROW).alias(AFTER)))
    tied = tied.with_columns(pl.when(~pl.col(GOES_ON)).then(pl.col(ROW) + 1).backward_fill().alias(AFTER))
    # As places in the sorted names they sort as the names do, and no text is compared.
    names = tied[CALLED].unique().cast(pl.String).sort()
    in_order = tied.sort(AFTER, pl.col(CALLED).cast(pl.Enum(names)), *flags)
    placed = (log[name].scatter(tied[ROW], in_order[name]) for name in (CALLED, *flags))
    return EventLog(log.with_columns(placed), tied.select(ROW, AFTER))


def _looked_up(rows: pl.Series, known: pl.Series, values: pl.Series) -> pl.Series:
    """For each row its value, if it is one of those known (sorted), else null."""
    if known.is_empty():
        return rows.clear(len(rows))
    place = known.search_sorted(rows)
    there = pl.DataFrame({ROW: known, "value": values}).select(pl.all().gather(place, null_on_oob=True))
    return there["value"].zip_with(there[ROW] == rows, pl.Series([None], dtype=values.dtype))


def _row() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.UInt32)


def _differ(names: Sequence[str], by: int) -> pl.Expr:
    """Whether a row differs in one of these from the one so many rows before (after it, if negative)."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(by)) for name in names)


def _last_of(names: Sequence[str]) -> pl.Expr:
    """The last of the rows next to each other that have all of these in common."""
    return pl.when(_differ(names, -1) | (_row() == pl.len() - 1)).then(_row()).backward_fill()

"""The counting rule in any order: the largest number of different steps in one window, each by an event of its own.

Every event that completes some step starts an attempt, which reaches to the end of its window or to the next exclusion.
How many steps the events in it can serve at once depends only on which steps they fit and in which order they come; of
events that fit the same steps only the first few matter.
"""

from collections.abc import Sequence

import polars as pl

from microfunnel.counting.attempts import (
    ENDED,
    ENTERED,
    EXCLUDED,
    NO_EVENT,
    NOW,
    STOP,
    TOO_LATE,
    UNIT,
    at_column,
    later_column,
)
from microfunnel.counting.ties import FITS, INSTANT, ROW, fits_expr
from microfunnel.events import TIME

USEFUL = "useful"
ATTEMPT = "attempt"
LIMIT = "limit"
CUT = "cut"
FOREVER = 2**63 - 1


def find_any_order(
    rows: pl.DataFrame, steps: Sequence[str], window: int | None, exclusions: Sequence[str], entries: pl.Expr
) -> pl.DataFrame:
    """One row for each attempt, with the columns of `find_attempts`.

    `at_0` is the attempt's first event, `at_K` the event with which K + 1 different steps were done. `rows` comes from
    `index_rows`, the exclusions watched.
    """
    rows = rows.with_columns(fits_expr(steps))
    starts = rows.filter(pl.any_horizontal(*steps) & entries)
    attempts = starts.select(
        pl.int_range(pl.len()).alias(ATTEMPT),
        pl.col(ROW).alias(at_column(0)),
        pl.col(TIME).alias(ENTERED),
        *_limits(starts, rows, window, exclusions),
        _useful(rows, starts),
    )
    events = attempts.select(ATTEMPT, LIMIT, CUT, USEFUL).explode(USEFUL).drop_nulls(USEFUL)
    when = rows[TIME].gather(events[USEFUL])
    done = _steps_done(events.filter(when <= events[LIMIT].fill_null(FOREVER)), rows, len(steps))
    unhurried = _steps_done(events.filter(when <= events[CUT].fill_null(FOREVER)), rows, len(steps))
    ats = [at_column(step) for step in range(len(steps))]
    deepest = unhurried.select(ATTEMPT, pl.sum_horizontal(pl.col(ats[1:]).is_not_null()).alias("possible"))
    attempts = attempts.join(done, on=ATTEMPT, how="left", maintain_order="left").join(deepest, on=ATTEMPT, how="left")
    last = rows[TIME].gather(attempts.select(pl.coalesce(ats[::-1])).to_series())
    complete = pl.col(ats[-1]).is_not_null()
    stop = pl.coalesce(
        pl.when(complete).then(0),
        pl.when(pl.col(LIMIT) == pl.col(CUT)).then(EXCLUDED),
        pl.when(pl.col("possible") > pl.sum_horizontal(pl.col(ats[1:]).is_not_null())).then(TOO_LATE),
        pl.lit(NO_EVENT),
    )
    ended = pl.when(complete).then(last).otherwise(LIMIT)
    return attempts.select(*ats, ENTERED, last.alias(NOW), stop.cast(pl.UInt8).alias(STOP), ended.alias(ENDED))


def _limits(starts: pl.DataFrame, rows: pl.DataFrame, window: int | None, exclusions: Sequence[str]) -> list[pl.Expr]:
    """The last moment of each attempt (`limit`), and the next exclusion (`cut`) that may be what sets it."""
    closes = pl.lit(None, dtype=pl.Int64) if window is None else pl.col(TIME) + window
    cuts = [pl.lit(rows[TIME].gather(starts[later_column(column)])) for column in exclusions]
    cut = pl.min_horizontal(cuts) if cuts else pl.lit(None, dtype=pl.Int64)
    return [pl.min_horizontal(closes, cut).alias(LIMIT), cut.alias(CUT)]


def _useful(rows: pl.DataFrame, starts: pl.DataFrame) -> pl.Expr:
    """For each start the rows, from its instant on, that can matter: of each kind as many as it fits steps."""
    is_head = pl.col(INSTANT).ne_missing(pl.col(INSTANT).shift())
    head = rows.select(pl.when(is_head).then(ROW).forward_fill()).to_series().gather(starts[ROW])
    unit = starts[UNIT]
    found = []
    for kind in sorted(rows[FITS].unique()):
        following = rows.select(pl.when(pl.col(FITS) == kind).then(ROW).backward_fill()).to_series()
        at = head
        for _ in range(kind.count("1")):
            at = following.gather(at)
            at = at.zip_with(rows[UNIT].gather(at) == unit, pl.Series([None], dtype=at.dtype))
            found.append(pl.lit(at))
            at = (at + 1).zip_with(at + 1 < rows.height, pl.Series([None], dtype=at.dtype))
    return pl.concat_list(found).list.drop_nulls().list.sort().alias(USEFUL)


def _steps_done(events: pl.DataFrame, rows: pl.DataFrame, steps: int) -> pl.DataFrame:
    """For each attempt the rows `at_1` .. with which it had done so many different steps."""
    kinds = events.with_columns(rows[FITS].gather(events[USEFUL]).alias(FITS))
    in_turn = kinds.group_by(ATTEMPT, maintain_order=True).agg(USEFUL, pl.col(FITS).str.join(" "))
    solved = in_turn.select(FITS).unique()
    turns = pl.Series("turns", [_filling(turn.split(" ")) for turn in solved[FITS]], dtype=pl.List(pl.UInt32))
    in_turn = in_turn.join(solved.with_columns(turns), on=FITS)
    turn = [pl.col("turns").list.get(step, null_on_oob=True) for step in range(1, steps)]
    found = [pl.col(USEFUL).list.get(number, null_on_oob=True) for number in turn]
    return in_turn.select(ATTEMPT, *(row.alias(at_column(step)) for step, row in enumerate(found, start=1)))


def _filling(events: Sequence[str]) -> list[int]:
    """The numbers of the events with which one more step is done, others moving over where that makes room."""
    done: dict[int, int] = {}
    return [number for number in range(len(events)) if _fill(number, events, done, set())]


def _fill(event: int, events: Sequence[str], done: dict[int, int], tried: set[int]) -> bool:
    for step, fits in enumerate(events[event]):
        if fits == "0" or step in tried:
            continue
        tried.add(step)
        if step not in done or _fill(done[step], events, done, tried):
            done[step] = event
            return True
    return False

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
    ats = [at_column(step) for step in range(len(steps))]
    done = _steps_done(_useful(rows, starts), ats[1:])
    times = {at: rows[TIME].gather(done[at]) for at in ats[1:]}
    in_time = (pl.lit(when) <= pl.col(LIMIT).fill_null(FOREVER) for when in times.values())
    uncut = (pl.lit(when) <= pl.col(CUT).fill_null(FOREVER) for when in times.values())
    attempts = starts.select(
        pl.col(ROW).alias(ats[0]), pl.col(TIME).alias(ENTERED), *_limits(starts, rows, window, exclusions)
    ).with_columns(
        *(pl.when(is_in_time).then(done[at]).alias(at) for at, is_in_time in zip(ats[1:], in_time, strict=True)),
        pl.sum_horizontal(pl.lit(0), *uncut).alias("possible"),
    )
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


def _useful(rows: pl.DataFrame, starts: pl.DataFrame) -> list[tuple[str, pl.Series]]:
    """For each start the rows, from its instant on, that can matter: of each kind as many as it fits steps.

    A series for each of them, with what they fit; null where there is none.
    """
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
            found.append((kind, at))
            at = (at + 1).zip_with(at + 1 < rows.height, pl.Series([None], dtype=at.dtype))
    return found


def _steps_done(useful: Sequence[tuple[str, pl.Series]], ats: Sequence[str]) -> pl.DataFrame:
    """For each attempt the rows (`ats`, null where there are none) with which it has done one more step each.

    However far apart its events are: of those up to a limit, the steps that are done by then are done.
    """
    events = pl.DataFrame([at.alias(str(number)) for number, (_, at) in enumerate(useful)])
    missing = len(useful)
    # In which order they come, and not where, is what decides; there are few orders.
    places = events.select(
        pl.when(pl.col(own).is_not_null())
        .then(pl.sum_horizontal(pl.col(other) < pl.col(own) for other in events.columns))
        .otherwise(missing)
        .cast(pl.UInt16)
        .alias(own)
        for own in events.columns
    )
    orders = places.unique()
    turns: dict[str, list[int | None]] = {at: [] for at in ats}
    for order in orders.iter_rows():
        in_turn = sorted((number for number in range(missing) if order[number] < missing), key=order.__getitem__)
        filling = [in_turn[number] for number in _filling([useful[number][0] for number in in_turn])]
        for step, at in enumerate(ats, start=1):
            turns[at].append(filling[step] if step < len(filling) else None)
    solved = orders.with_columns(pl.Series(at, numbers, dtype=pl.UInt16) for at, numbers in turns.items())
    chosen = places.join(solved, on=events.columns, how="left", maintain_order="left").select(ats)
    return chosen.select(
        pl.coalesce(pl.when(pl.col(at) == number).then(row) for number, (_, row) in enumerate(useful)).alias(at)
        for at in ats
    )


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

"""The counting rule: what follows each entry, and how far it got.

Every event that completes the first step is an entry and starts an attempt. From there each step takes the earliest
next event that completes it, a different event each time, not later than entry + window (inclusive), at most `within`
and at least `after` the step before. With steps A, B, C and a window of 10:

    time   0  2  3  9  11
    event  A  A  B  C  B      entry at 0: A 0, B 3, C 9 (9 after the entry, in time)
                              entry at 2: A 2, B 3, C 9, the same steps from a later start

Events of one instant may be taken in whichever order carries the attempt farthest (`ties`), or be left aside where a
later step must come soon after its predecessor. The order of rows in the files never matters.

An attempt is a chain of gathers: for each step there is a column with the row of the next event that completes it
strictly after the row's instant, and moving on is reading that column at the row where the attempt stands.
"""

from collections.abc import Sequence

import polars as pl

from microfunnel.counting.ties import INSTANT, ROW, add_reach, reach_column
from microfunnel.events import TIME
from microfunnel.goals import Funnel, Step

UNIT = "unit"
ENTRY = "entry"
AT = "at"
REACH = "reach"


def time_column(step: int) -> str:
    """The column with the time at which an attempt took a step (0 for the first)."""
    return f"time_{step}"


def later_column(step: int) -> str:
    """The column with the row of the next event of the unit, after this instant, that completes a step."""
    return f"later_{step}"


def find_attempts(
    rows: pl.DataFrame, steps: Sequence[str], funnel: Funnel, since: int | None, until: int | None
) -> pl.DataFrame:
    """One row for each attempt, or for each of its ways through ties: `entry` (UInt32) and `time_0` .. (Int64).

    `rows` holds whole units sorted by unit and time, with `unit`, `time` (Int64, microseconds) and a Boolean column,
    never null, for each step. `entry` is the number of the entry's row in `rows`, `time_K` the time at which step K
    was taken, null where the attempt did not get there. Only entries from `since` (inclusive) to `until` (exclusive)
    start an attempt.
    """
    rows = add_reach(_index(rows, steps), steps, _barriers(funnel))
    attempts = _entries(rows, steps[0], funnel, since, until)
    for index in range(1, len(steps)):
        attempts = _take_step(attempts, rows, steps, funnel, index)
    return attempts.drop(AT, REACH, strict=False)


def _index(rows: pl.DataFrame, steps: Sequence[str]) -> pl.DataFrame:
    """The rows with `row`, `instant` (the last row of the same unit and time) and `later_K` for each later step."""
    unit_ends = pl.col(UNIT).ne_missing(pl.col(UNIT).shift(-1))
    instant_ends = unit_ends | pl.col(TIME).ne_missing(pl.col(TIME).shift(-1))
    row = pl.col(ROW)
    rows = rows.with_row_index(ROW).with_columns(
        pl.when(instant_ends).then(row).backward_fill().alias(INSTANT),
        pl.when(unit_ends).then(row).backward_fill().alias("last"),
        *(
            pl.when(instant_ends)
            .then(pl.when(step).then(row).backward_fill().shift(-1))
            .backward_fill()
            .alias(later_column(index))
            for index, step in enumerate(steps)
            if index > 0
        ),
    )
    return rows.with_columns(
        pl.when(pl.col(later_column(index)) <= pl.col("last")).then(pl.col(later_column(index))).name.keep()
        for index in range(1, len(steps))
    )


def _barriers(funnel: Funnel) -> set[int]:
    """The steps that may not happen at the instant of the step before."""
    later = enumerate(funnel.steps[1:], start=1)
    return {index for index, step in later if funnel.ties == "increasing" or step.after}


def _entries(rows: pl.DataFrame, first: str, funnel: Funnel, since: int | None, until: int | None) -> pl.DataFrame:
    """One attempt for each entry, standing at its first step."""
    entries = rows.filter(first)
    if since is not None:
        entries = entries.filter(pl.col(TIME) >= since)
    if until is not None:
        entries = entries.filter(pl.col(TIME) < until)
    if funnel.entry == "first":
        entries = entries.filter(pl.col(TIME) == pl.col(TIME).min().over(UNIT))
    reach = [pl.col(reach_column(0)).alias(REACH)] if reach_column(0) in rows.columns else []
    return entries.select(pl.col(ROW).alias(ENTRY), pl.col(ROW).alias(AT), *reach, pl.col(TIME).alias(time_column(0)))


def _take_step(
    attempts: pl.DataFrame, rows: pl.DataFrame, steps: Sequence[str], funnel: Funnel, index: int
) -> pl.DataFrame:
    """The attempts after step `index`; those that can't take it stand nowhere and have no time for it."""
    step = funnel.steps[index]
    goes_to = _goes_to(attempts, rows, steps, step, index)
    then = rows[TIME].gather(goes_to)
    moved = attempts.with_columns(goes_to.alias(AT), then.alias(time_column(index)))
    moved = moved.with_columns(pl.when(_in_time(funnel, step, index)).then(pl.col(AT, time_column(index))))
    if REACH not in attempts.columns:
        return moved
    can_stay = (attempts[REACH] >= index) & attempts[AT].is_not_null()
    if index < len(steps) - 1:
        moved = moved.with_columns(rows[reach_column(index)].gather(moved[AT]).alias(REACH))
    stayed = attempts.with_columns(pl.col(time_column(index - 1)).alias(time_column(index)))
    taken = moved.select(
        pl.when(can_stay).then(stayed[name]).otherwise(pl.col(name)).alias(name) for name in moved.columns
    )
    if any(later.within is not None for later in funnel.steps[index + 1 :]):
        # Staying is the earliest, but leaving the instant may suit a later step that must come soon after this one.
        return pl.concat([taken, moved.filter(can_stay & moved[AT].is_not_null())])
    return taken


def _goes_to(attempts: pl.DataFrame, rows: pl.DataFrame, steps: Sequence[str], step: Step, index: int) -> pl.Series:
    """For each attempt the row of the earliest later event that completes the step; null where there is none."""
    if not step.after:
        return rows[later_column(index)].gather(attempts[AT])
    standing = attempts.select(
        pl.int_range(pl.len()).alias("attempt"),
        rows[UNIT].gather(attempts[AT]).alias(UNIT),
        (pl.col(time_column(index - 1)) + step.after).alias(TIME),
    )
    fitting = rows.filter(steps[index]).select(UNIT, TIME, pl.col(ROW).alias(AT))
    found = (
        standing.filter(pl.col(UNIT).is_not_null())
        .sort(TIME)
        .join_asof(fitting.sort(TIME), on=TIME, by=UNIT, strategy="forward", check_sortedness=False)
    )
    return standing.join(found, on="attempt", how="left", maintain_order="left")[AT]


def _in_time(funnel: Funnel, step: Step, index: int) -> pl.Expr:
    then = pl.col(time_column(index))
    in_time = then.is_not_null()
    if funnel.window is not None:
        in_time &= then - pl.col(time_column(0)) <= funnel.window
    if step.within is not None:
        in_time &= then - pl.col(time_column(index - 1)) <= step.within
    return in_time

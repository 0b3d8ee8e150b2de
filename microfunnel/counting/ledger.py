"""The ledger of the lost: what the units that a step was the last for did next, and what the others did there.

The units are those of the very journeys that `tally_funnel` counts. What comes next is the first event of the same unit
after the instant of the step, wherever in the log, that does not repeat the step: repeats complete the same step and
are called the same. A unit stands in one line at each step, for the first of these that holds:

    excluded, in_progress, too_late   as its journey says, whatever it did next
    left                              nothing came next
    looped_back                       what came next completes this step or an earlier one
    went_to                           anything else came next

and those that went on in `next_step` where nothing came between, else where they looped back or went to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.counting.attempts import EXCLUDED, STOP, TOO_LATE, at_column
from microfunnel.counting.event_log import CALLED, EventLog, log_of
from microfunnel.counting.funnels import EVENT_NUMBER, Found, Limits, find_journeys, in_order, tally_journeys, unit_expr
from microfunnel.counting.journeys import DEPTH, FIRST
from microfunnel.counting.tallies import ALL, OPEN, Tallies, add_up, took_column
from microfunnel.events import TIME
from microfunnel.funnels import Funnel
from microfunnel.goals import Goals

OUTCOMES = ("next_step", "excluded", "in_progress", "too_late", "left", "looped_back", "went_to")
NEXT_STEP, LEFT_OUT, IN_PROGRESS, LATE, LEFT, LOOPED_BACK, WENT_TO = range(len(OUTCOMES))
ANY_STEP = "any step"
STANDS = "stands"
NOW = "now"
THEN = "then"
NEXT = "next"
NEXT_TIME = "next time"
BACK = "back"


def event_column(number: int) -> str:
    """The column with what an event of a path is called (1 for the first)."""
    return f"event_{number}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What some units did after each step; the ledgers of different units add up to the ledger of all.

    `tallies`: of the same journeys.
    `lines`: units (`n`) by `place` (Int64, the required step they stand at, 0 for the first), `lost` (Boolean, whether
    it was their last), `outcome` (Enum of OUTCOMES), `event_1` .. (Categorical, the path that begins with what came
    next, where they looped back or went to it; null where it ends) and whole `seconds` (Int64) from the step to what
    came next (null where nothing did), with the exact sum of microseconds (`total_us`, Int128).
    """

    tallies: Tallies
    lines: pl.DataFrame

    @classmethod
    def added(cls, parts: Sequence["Ledger"]) -> "Ledger":
        """The ledger of all the units together."""
        return cls(Tallies.added([part.tallies for part in parts]), add_up(part.lines for part in parts))


@dataclass(frozen=True, slots=True)
class Paths:
    """How events make paths."""

    called: pl.Expr
    """What an event is called (Categorical or String, never null)."""
    depth: int
    """Events of a path."""


def tally_ledger(rows: pl.DataFrame, goals: Goals, name: str, limits: Limits, paths: Paths) -> Ledger:
    """The ledger of one funnel over whole users; `rows` holds all their events, as `tally_funnel` wants them."""
    funnel = goals.funnels[name]
    rows = in_order(rows, unit_expr(funnel), funnel).with_row_index(EVENT_NUMBER)
    found = find_journeys(rows, name, funnel, limits, goals.goals)
    columns = {f"step_{step}": found.plan.columns[f"step_{step}"] for step in range(len(funnel.steps))}
    flags = columns | {ANY_STEP: pl.any_horizontal(columns.values())}
    log = log_of(rows, unit_expr(funnel), paths.called, flags)
    lines = []
    for place in range(len(found.plan.required) - 1):
        judged = _judged(_standing(found, place), log, *_steps_until(found, funnel, place))
        path = _path(judged, log, paths.depth)
        lines.append(_lines(judged.with_columns(path), place, paths.depth))
    return Ledger(
        replace(tally_journeys(found, {ALL: pl.lit(ALL)}), left_out=found.left_out),
        pl.concat(lines) if lines else pl.DataFrame(schema=_schema(paths.depth)),
    )


def _schema(depth: int) -> dict[str, pl.DataType]:
    events = {event_column(number): pl.Categorical() for number in range(1, depth + 1)}
    keys = {"place": pl.Int64(), "lost": pl.Boolean(), "outcome": pl.Enum(OUTCOMES), **events, "seconds": pl.Int64()}
    return {**keys, "n": pl.Int64(), "total_us": pl.Int128()}


def _steps_until(found: Found, funnel: Funnel, place: int) -> tuple[str, list[str]]:
    """The flag of a required step, and those of it and all before it; in any order an event may serve any of them."""
    if funnel.order == "any":
        return ANY_STEP, [ANY_STEP]
    step = found.plan.required[place]
    return f"step_{step}", [f"step_{each}" for each in range(step + 1)]


def _standing(found: Found, place: int) -> pl.DataFrame:
    """The journeys that took a required step, with the row (`stands`) and time (`now`) of it, and when they went on."""
    step, following = (took_column(found.plan.required[each]) for each in (place, place + 1))
    took = found.journeys.filter((pl.col(FIRST) <= place + 1) & (pl.col(DEPTH) > place))
    return took.select(
        found.rows[EVENT_NUMBER].gather(took[at_column(place)]).alias(STANDS),
        pl.col(step).alias(NOW),
        pl.col(following).alias(THEN),
        (pl.col(DEPTH) == place + 1).alias("lost"),
        OPEN,
        STOP,
    )


def _judged(standing: pl.DataFrame, log: EventLog, same: str, until: Sequence[str]) -> pl.DataFrame:
    """The same with the row of what came `next`, the `outcome` (UInt8, an index of OUTCOMES) and the wait (`us`)."""
    after = log.after(standing[STANDS])
    repeats = log.of(same, after) & (log.of(CALLED, after) == log.called_first(standing[STANDS], same))
    following = log.past_repeats(after, repeats, same)
    known = standing.with_columns(
        following.alias(NEXT),
        log.of(TIME, following).alias(NEXT_TIME),
        pl.any_horizontal(pl.lit(log.of(flag, following)) for flag in until).alias(BACK),
    )
    went_on, came = ~pl.col("lost"), pl.col(NEXT_TIME)
    straight = went_on & (came >= pl.col(THEN)).fill_null(value=True)
    outcome = pl.coalesce(
        pl.when(straight).then(NEXT_STEP),
        pl.when(~went_on & (pl.col(STOP) == EXCLUDED)).then(LEFT_OUT),
        pl.when(~went_on & pl.col(OPEN)).then(IN_PROGRESS),
        pl.when(~went_on & (pl.col(STOP) == TOO_LATE)).then(LATE),
        pl.when(came.is_null()).then(LEFT),
        pl.when(BACK).then(LOOPED_BACK),
        pl.lit(WENT_TO),
    ).cast(pl.UInt8)
    waited = pl.when(straight).then(THEN).otherwise(NEXT_TIME) - pl.col(NOW)
    return known.with_columns(outcome.alias("outcome"), waited.alias("us"))


def _path(judged: pl.DataFrame, log: EventLog, depth: int) -> list[pl.Series]:
    """What the events are called that the journeys went on with, one column for each, repeats collapsed."""
    goes = judged["outcome"] >= LOOPED_BACK
    at = [judged[NEXT].zip_with(goes, pl.Series([None], dtype=judged[NEXT].dtype))]
    if depth > 1:
        move = log.changed()
        for _ in range(1, depth):
            at.append(move(at[-1]))
    return [log.of(CALLED, rows).alias(event_column(number)) for number, rows in enumerate(at, start=1)]


def _lines(judged: pl.DataFrame, place: int, depth: int) -> pl.DataFrame:
    """The lines of one step."""
    path = [event_column(number) for number in range(1, depth + 1)]
    counted = (
        judged.group_by("lost", "outcome", *path, (pl.col("us") // 1_000_000).alias("seconds"))
        .agg(pl.len().alias("n"), pl.col("us").cast(pl.Int128).sum().alias("total_us"))
        .with_columns(pl.lit(place).alias("place"))
    )
    named = counted.with_columns(pl.col("outcome").cat.to(pl.Enum(OUTCOMES)))
    return named.select(pl.col(name).cast(dtype) for name, dtype in _schema(depth).items())

"""The units themselves: those that reached a step of a funnel or dropped at it, and the users with a goal."""

from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import ENTERED, EXCLUDED, STOP, STOPS
from microfunnel.counting.funnels import EVENT_NUMBER, Limits, find_journeys
from microfunnel.counting.journeys import DEPTH, ENTRY
from microfunnel.counting.money import amount_expr
from microfunnel.counting.segments import coalesced, values_at_steps
from microfunnel.counting.tallies import OPEN, took_column
from microfunnel.counting.totals import IN_PROGRESS
from microfunnel.events import TIME, USER, field_column
from microfunnel.funnels import Breakdown
from microfunnel.goals import Goals
from microfunnel.matching import goal_column


def id_column(index: int) -> str:
    """The column with a part of what names a unit (0 for the first)."""
    return f"id_{index}"


def with_column(index: int) -> str:
    """The column with a property that was asked for (0 for the first)."""
    return f"with_{index}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which units, and what of them."""

    ids: tuple[pl.Expr, ...]
    """What names a unit."""
    properties: tuple[str, ...]
    """Fields whose last value is asked for."""

    @property
    def named_ids(self) -> dict[str, pl.Expr]:
        return {id_column(index): each for index, each in enumerate(self.ids)}


@dataclass(frozen=True, slots=True)
class AtStep:
    """Which units of a funnel."""

    funnel: str
    step: int
    """0 for the first."""
    dropped: bool
    """Whether they stopped before it; else they reached it."""
    settled: bool
    """Whether those still in progress are left out."""


def find_members(rows: pl.DataFrame, goals: Goals, at: AtStep, limits: Limits, wanted: Wanted) -> pl.DataFrame:
    """One row for each unit, of those that `tally_funnel` counts over the same rows.

    Columns: `id_0` .., `entered` (Int64, microseconds since 1970 UTC), `took_0` .. (the same, null where a step was not
    taken), `depth` (Int64, required steps up to the last one taken), `stop` (String: one of STOPS, or `in_progress`)
    and `with_0` .. (String, the last value that a step's event has).
    """
    splits = [Breakdown(column=name, value="last") for name in wanted.properties]
    funnel = goals.funnels[at.funnel].model_copy(update={"by": splits})
    rows = rows.with_row_index(EVENT_NUMBER)
    found = find_journeys(rows, at.funnel, funnel, limits)
    ended = pl.col(STOP) == EXCLUDED, pl.col(STOP) == 0
    in_progress = pl.col(OPEN).fill_null(value=False) & ~pl.any_horizontal(ended)
    stops = pl.Series("stops", STOPS)
    journeys = found.journeys.with_columns(
        pl.when(in_progress).then(pl.lit(IN_PROGRESS)).otherwise(stops.gather(found.journeys[STOP])).alias(STOP)
    )
    if at.dropped:
        journeys = journeys.filter(pl.col(DEPTH) == found.plan.required.index(at.step))
    else:
        journeys = journeys.filter(pl.col(took_column(at.step)).is_not_null())
    if at.settled:
        journeys = journeys.filter(pl.col(STOP) != IN_PROGRESS)
    entries = rows[found.rows[EVENT_NUMBER].gather(journeys[ENTRY])]
    values = [
        coalesced(values_at_steps(journeys, found.rows, funnel, found.plan, index), last=True)
        for index in range(len(splits))
    ]
    return pl.DataFrame(
        [
            *entries.select(**wanted.named_ids),
            *journeys.select(ENTERED, *map(took_column, range(len(funnel.steps))), DEPTH, STOP),
            *(value.alias(with_column(index)) for index, value in enumerate(values)),
        ]
    )


def find_completers(rows: pl.DataFrame, goals: Goals, name: str, limits: Limits, wanted: Wanted) -> pl.DataFrame:
    """One row for each user who completed the goal in the period.

    Columns: `id_0` .., `first` and `last` (Int64, microseconds since 1970 UTC), `completions` (Int64), `value` (Int128,
    millionths, the sum of the values that are numbers) and `with_0` .. (String, of the last completion with one).
    """
    inside = rows.filter(pl.col(goal_column(name)) & limits.entries)
    properties = {with_column(index): pl.col(field_column(each)) for index, each in enumerate(wanted.properties)}
    shown = inside.select(USER, TIME, amount_expr(goals.goals[name]).alias("value"), **wanted.named_ids, **properties)
    # Of several values of the last moment the smallest, whichever row comes first.
    last = (
        pl.col(each).sort_by(pl.col(TIME), pl.col(each), descending=[False, True]).drop_nulls().last()
        for each in properties
    )
    found = shown.group_by(USER).agg(
        *(pl.col(each).first() for each in wanted.named_ids),
        pl.col(TIME).min().alias("first"),
        pl.col(TIME).max().alias("last"),
        pl.len().cast(pl.Int64).alias("completions"),
        pl.col("value").sum(),
        *last,
    )
    return found.drop(USER)

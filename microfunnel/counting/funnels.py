"""One funnel over whole users: rows in, tallies out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.counting.any_order import find_any_order
from microfunnel.counting.attempts import ENTERED, EXCLUDED, STOP, UNIT, at_column, find_attempts, index_rows
from microfunnel.counting.chain import without_overlap
from microfunnel.counting.journeys import DEPTH, ENTRY, FIRST, best_attempts, candidates, time_column
from microfunnel.counting.optional import optional_row
from microfunnel.counting.paths import NO_GOALS, Plan, plan_of
from microfunnel.counting.segments import label_expr, optional_column, segment_column, segment_series
from microfunnel.counting.sessions import SESSION_END
from microfunnel.counting.tallies import ALL, OPEN, TREND, Tallies, tally, took_column
from microfunnel.counting.worth import worths
from microfunnel.events import SESSION, TIME, USER, field_column, in_period
from microfunnel.fetching import fetch
from microfunnel.funnels import Funnel
from microfunnel.goals import Goal

EVENT_NUMBER = "event_number"
"""The column by which somebody who asks for journeys knows the rows again; copied where there is one."""
CLOSES = "closes"
PERIOD = "period"
POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the attempts of every funnel; microseconds, moments since 1970 UTC."""

    since: int | None
    """Entries from this moment on count; None for all."""
    until: int | None
    """Entries before this moment count; None for all."""
    data_end: int
    """The last moment that the log knows of: windows that reach past it are open."""
    session_timeout: int
    trend: str | None = None
    """Length of the periods of a trend as polars writes it (`1d`, `1w`, `1mo`); None for no trend."""
    timezone: str = "UTC"
    """Whose days the periods are."""

    @property
    def entries(self) -> pl.Expr:
        """Which events lie in the period: only they may be an entry, or a completion on the scorecard."""
        return in_period(self.since, self.until)

    @property
    def period(self) -> pl.Expr:
        """The first day of the period that an attempt was entered in (Date)."""
        local = pl.from_epoch(ENTERED, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(self.timezone)
        return local.dt.truncate(self.trend or "1d").dt.date()


def tally_funnel(
    rows: pl.DataFrame, name: str, funnel: Funnel, limits: Limits, goals: Mapping[str, Goal] = NO_GOALS
) -> Tallies:
    """The tallies of one funnel over whole users, with what its steps are worth where `goals` (by name) say that.

    `rows` is sorted by user and time and holds `user`, `time`, the Boolean columns of the funnel's conditions, never
    null, `field:NAME` for each column of a breakdown or of the unit and, for a funnel of sessions, `session` and
    `session_end`.
    """
    plan = plan_of(name, funnel, goals)
    units, left_out = _unit_rows(rows, funnel, plan)
    parts = [_tally_units(units, name, funnel, plan, limits)]
    for index, breakdown in enumerate(funnel.by):
        if breakdown.value == "all_steps":
            value = segment_column(index)
            apart = units.with_columns(pl.struct(UNIT, value).hash().alias(UNIT)).sort(UNIT, TIME)
            found = _find(apart, name, funnel, plan, limits)
            values = found.rows[value].gather(found.journeys[ENTRY])
            parts.append(_tally(found.journeys, found.rows, plan, {breakdown.name: pl.lit(values)}))
    return replace(Tallies.added(parts), left_out=left_out)


@dataclass(frozen=True, slots=True)
class Found:
    """How the units of a funnel went through it."""

    plan: Plan
    rows: pl.DataFrame
    """The rows that the funnel looks at, from `index_rows`, with the columns of the plan."""
    attempts: pl.DataFrame
    journeys: pl.DataFrame
    """With `unit`, `entry`, `first`, `depth`, `stop`, `ended`, `closes`, `open` and `took_I` for each step."""
    left_out: int = 0
    """Events that belong to no unit, because a part of it is missing."""


def find_journeys(
    rows: pl.DataFrame, name: str, funnel: Funnel, limits: Limits, goals: Mapping[str, Goal] = NO_GOALS
) -> Found:
    """The journeys that `tally_funnel` counts over the same rows, which keep their `event_number` if they have one."""
    plan = plan_of(name, funnel, goals)
    units, left_out = _unit_rows(rows, funnel, plan)
    return replace(_find(units, name, funnel, plan, limits), left_out=left_out)


def tally_journeys(found: Found, splits: Mapping[str, pl.Expr]) -> Tallies:
    """The tallies of journeys by these splits: the name of each, and the segments of the journeys."""
    return _tally(found.journeys, found.rows, found.plan, splits)


def tally_segments(found: Found, funnel: Funnel) -> Tallies:
    """The tallies of the segments of all journeys; of all together where there are none, as else they add up to that.

    What makes units by the values of all steps is no segment of a journey, and not among them.
    """
    segments = {
        breakdown.name: pl.lit(segment_series(found.journeys, found.rows, funnel, found.plan, index))
        for index, breakdown in enumerate(funnel.by)
        if breakdown.value != "all_steps"
    }
    splits = segments or {ALL: pl.lit(ALL)}
    return replace(tally_journeys(found, splits), left_out=found.left_out, whole=next(iter(splits)))


def _find(units: pl.DataFrame, name: str, funnel: Funnel, plan: Plan, limits: Limits) -> Found:
    indexed = index_rows(units, plan.watched)
    attempts = _candidates(indexed, name, funnel, plan, limits)
    return Found(plan, indexed, attempts, _journeys(attempts, indexed, funnel, plan, [UNIT]))


def _tally_units(units: pl.DataFrame, name: str, funnel: Funnel, plan: Plan, limits: Limits) -> Tallies:
    """The tallies of all units, of their segments and of the periods of a trend."""
    found = _find(units, name, funnel, plan, limits)
    whole = tally_segments(found, funnel)
    if limits.trend is None:
        return whole
    indexed, journeys = found.rows, found.journeys
    periods = found.attempts.with_columns(limits.period.alias(PERIOD))
    # Attempts that do not overlap are the same whatever the period; of other units each period has its own best.
    of_period = (
        journeys.with_columns(limits.period.alias(PERIOD))
        if funnel.count == "attempts"
        else _journeys(periods, indexed, funnel, plan, [UNIT, PERIOD])
    )
    return Tallies.added([whole, _tally(of_period, indexed, plan, {TREND: pl.col(PERIOD).cast(pl.String)})])


def unit_expr(funnel: Funnel) -> pl.Expr:
    """The unit of a row (UInt64); null where a part of it is missing."""
    fields = [pl.col(field_column(name)) for name in funnel.unit_columns]
    unit = pl.col(SESSION) if funnel.count == "sessions" else pl.struct(fields).hash() if fields else pl.col(USER)
    whole = pl.all_horizontal(field.is_not_null() for field in fields or [unit])
    return pl.when(whole).then(unit).alias(UNIT)


def in_order(rows: pl.DataFrame, unit: pl.Expr, funnel: Funnel) -> pl.DataFrame:
    """The rows, which are sorted by user and time, sorted by `unit` and time; Boolean columns must hold no nulls."""
    if funnel.count == "sessions":
        # Each is of one user, whose rows are in order of time already.
        order = pl.arg_sort_by(unit, maintain_order=True)
    elif funnel.unit_columns:
        order = pl.arg_sort_by(unit, TIME)
    else:
        return rows
    return fetch(rows, rows.select(order).to_series())


def _unit_rows(rows: pl.DataFrame, funnel: Funnel, plan: Plan) -> tuple[pl.DataFrame, int]:
    """The rows that the funnel looks at, sorted by unit and time, and how many have no unit."""
    chosen = rows.select(
        unit_expr(funnel),
        TIME,
        *([EVENT_NUMBER] if EVENT_NUMBER in rows.columns else []),
        *([SESSION_END] if funnel.count == "sessions" else []),
        *(column.alias(name) for name, column in (plan.columns | plan.money).items()),
        *(label_expr(breakdown).alias(segment_column(index)) for index, breakdown in enumerate(funnel.by)),
    )
    if funnel.order != "strict":
        chosen = chosen.filter(pl.any_horizontal(plan.matched))
    units = chosen.filter(pl.col(UNIT).is_not_null())
    return in_order(units, pl.col(UNIT), funnel), chosen.height - units.height


def _candidates(rows: pl.DataFrame, name: str, funnel: Funnel, plan: Plan, limits: Limits) -> pl.DataFrame:
    """All attempts with what tells them apart: unit, depth, when they close."""
    attempts = candidates(_attempts(rows, funnel, plan, limits), rows, len(plan.path.links))
    closes = [] if funnel.window is None else [pl.col(ENTERED) + funnel.window]
    if funnel.count == "sessions":
        closes.append(pl.lit(rows[SESSION_END].gather(attempts[ENTRY]) + limits.session_timeout))
    closing = pl.min_horizontal(closes) if closes else pl.lit(None, dtype=pl.Int64)
    attempts = attempts.with_columns(closing.alias(CLOSES), (closing > limits.data_end).alias(OPEN))
    if not funnel.exclude or funnel.on_exclusion == "end":
        return attempts
    free = plan_of(name, funnel, without_exclusions=True)
    unhindered = candidates(_attempts(rows, funnel, free, limits), rows, len(free.path.links))
    possible = unhindered.group_by(ENTRY, FIRST).agg(pl.col(DEPTH).max().alias(POSSIBLE))
    return attempts.join(possible, on=[ENTRY, FIRST], how="left", maintain_order="left")


def _attempts(rows: pl.DataFrame, funnel: Funnel, plan: Plan, limits: Limits) -> pl.DataFrame:
    path = plan.path
    fits = pl.any_horizontal(*path.steps).any()
    # One step has no order, and where no event fits any step there is nothing to put in order.
    if funnel.order == "any" and len(path.links) > 1 and rows.select(fits).item():
        return find_any_order(rows, path.steps, path.window, plan.exclusions, limits.entries)
    # Attempts of their own, those of each period, and what exclusions kept an attempt from take all attempts.
    best = (
        funnel.count != "attempts" and limits.trend is None and not (funnel.exclude and funnel.on_exclusion == "drop")
    )
    if not funnel.open:
        return find_attempts(rows, path, limits.entries, best=best)
    # Entering at a later step is the same funnel without the steps before it.
    parts = []
    for first in range(len(path.links)):
        part = find_attempts(rows, replace(path, links=path.links[first:]), limits.entries, best=best)
        parts.append(
            part.rename({at_column(i): at_column(i + first) for i in reversed(range(len(path.links) - first))})
        )
    return pl.concat(parts, how="diagonal")


def _without_dropped(attempts: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The attempts without those of units that some exclusion kept from going farther than they cleanly went."""
    cleanly = pl.when(pl.col(STOP) != EXCLUDED).then(DEPTH).otherwise(0)
    return attempts.filter(pl.col(POSSIBLE).max().over(keys) <= cleanly.max().over(keys))


def _journeys(
    attempts: pl.DataFrame, rows: pl.DataFrame, funnel: Funnel, plan: Plan, keys: Sequence[str]
) -> pl.DataFrame:
    """The journeys by `keys`, with `took_I` (Int64, microseconds; null where not taken) for each step of the funnel."""
    ranked = [segment_column(index) for index, breakdown in enumerate(funnel.by) if breakdown.value == "entry"]
    if funnel.entry == "first":
        attempts = attempts.filter(pl.col(ENTERED) == pl.col(ENTERED).min().over(keys))
    if POSSIBLE in attempts.columns:
        attempts = _without_dropped(attempts, keys)
    if funnel.count == "attempts":
        journeys = without_overlap(best_attempts(attempts, rows, [*keys, ENTERED], ranked))
    else:
        journeys = best_attempts(attempts, rows, keys, ranked)
    required = {step: pl.col(time_column(place)) for place, step in enumerate(plan.required)}
    skipped = {step: optional_row(journeys, rows, plan.path, each) for step, each in plan.optional.items()}
    return journeys.with_columns(
        *(time.alias(took_column(step)) for step, time in required.items()),
        *(row.alias(optional_column(step)) for step, row in skipped.items()),
        *(rows[TIME].gather(row).alias(took_column(step)) for step, row in skipped.items()),
    )


def _tally(journeys: pl.DataFrame, rows: pl.DataFrame, plan: Plan, splits: Mapping[str, pl.Expr]) -> Tallies:
    journeys = journeys.with_columns(worths(journeys, rows, plan))
    return tally(journeys, plan.required, list(plan.optional), list(plan.valued), splits)

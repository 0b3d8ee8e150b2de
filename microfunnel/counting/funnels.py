"""One funnel over whole users: rows in, tallies out."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import UNIT, find_attempts
from microfunnel.counting.journeys import find_journeys
from microfunnel.counting.sessions import SESSION_END
from microfunnel.counting.tallies import Tallies, tally
from microfunnel.events import SESSION, TIME, USER, field_column
from microfunnel.goals import Funnel


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


def tally_funnel(rows: pl.DataFrame, funnel: Funnel, steps: Sequence[str], limits: Limits) -> Tallies:
    """The tallies of one funnel over whole users.

    `rows` is sorted by user and time and holds `user`, `time`, the Boolean columns `steps` (one for each step, never
    null), `field:NAME` for each breakdown and, for a funnel of sessions, `session` and `session_end`.
    """
    by = {breakdown.column: field_column(breakdown.column) for breakdown in funnel.by}
    numbered = {f"step_{index}": column for index, column in enumerate(steps)}
    of_unit = (
        [pl.col(USER).alias(UNIT)] if funnel.count == "users" else [pl.col(SESSION).alias(UNIT), pl.col(SESSION_END)]
    )
    units = rows.filter(pl.any_horizontal(*set(steps))).select(
        *of_unit, TIME, *(pl.col(column).alias(step) for step, column in numbered.items()), *set(by.values())
    )
    if funnel.count == "sessions":
        units = units.filter(pl.col(UNIT).is_not_null()).sort(UNIT, TIME)
    attempts = find_attempts(units, list(numbered), funnel, limits.since, limits.until)
    journeys = find_journeys(attempts, units, funnel, list(by.values()), limits.session_timeout)
    return tally(journeys, by, len(steps), limits.data_end)

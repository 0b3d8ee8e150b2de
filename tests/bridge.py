"""From events written down in a test to the report that the program makes of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from microfunnel.analysis import analyse
from microfunnel.events import REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.goals import Goals
from microfunnel.questions import Period
from microfunnel.results import Report

Row = Mapping[str, str | int | None]


def report_of(
    rows: Sequence[Row],
    goals: Mapping[str, Any],
    since: int | None = None,
    until: int | None = None,
    as_of: int | None = None,
    trend: str | None = None,
) -> Report:
    """The report of these events: `user`, `time` (microseconds), `event` and any other fields as text."""
    checked = Goals.model_validate(goals)
    money = {field for goal in checked.goals.values() for field in goal.value_fields}
    names = sorted({name for row in rows for name in row} | {"event"} | money)
    table = pl.DataFrame(
        {name: [row.get(name) if row.get(name) != "" else None for row in rows] for name in {*names, "user", "time"}},
        schema_overrides={name: pl.Int64 if name == "time" else pl.String for name in {*names, "user", "time"}},
    )
    session = []
    if checked.need_sessions and "session" in names:
        visit = pl.struct("user", "session").hash()
        session = [pl.when(pl.col("session").is_not_null()).then(visit).alias(SESSION)]
    frame = table.lazy().select(
        pl.col("user").hash().alias(USER),
        pl.col("time").alias(TIME),
        *session,
        pl.lit(0, dtype=pl.UInt8).alias(REJECTED),
        *(pl.col(name).alias(field_column(name)) for name in names if name != "time"),
    )
    events = EventTable(frame, paths=(Path("events"),))
    return analyse(events, checked, Period(since, until, as_of, trend))

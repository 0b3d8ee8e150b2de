"""From a log that a test draws to what is explained of it.

In a drawing a letter is an event, a dot a second without one, and letters in brackets share an instant.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from strategies import PLAIN_GOALS, START, Log

from microfunnel.events import REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.explaining import explain
from microfunnel.explanations import ExplainedUnit, Explanation
from microfunnel.goals import Goals
from microfunnel.questions import Period

SECOND = 1_000_000
GOALS = {name: PLAIN_GOALS[name] for name in ("a", "b", "c", "d", "a_or_b")}
FILE: dict[str, Any] = {"version": 1, "goals": GOALS}


def log(drawing: str, user: str = "u", **fields: str | None) -> Log:
    """The rows of a drawing."""
    rows: Log = []
    second, together = 0, False
    for letter in drawing:
        if letter in "()":
            together = letter == "("
        elif letter != ".":
            rows.append({"user": user, "time": START + second * SECOND, "event": letter, **fields})
        second += not together and letter != "("
    return rows


def table_of(rows: Sequence[Mapping[str, Any]], goals: Goals, *, sessions: bool = False) -> EventTable:
    """The events of these rows, with the sessions that they name if these are wanted or the goals need them."""
    names = sorted({name for row in rows for name in row} | {"user", "event", "session", "order", "device", "price"})
    text = {name: [row.get(name) or None for row in rows] for name in names if name not in {"time", "rejected"}}
    frame = pl.DataFrame(
        {**text, "time": [row["time"] for row in rows], "rejected": [row.get("rejected", 0) for row in rows]},
        schema={**dict.fromkeys(text, pl.String), "time": pl.Int64, "rejected": pl.UInt8},
    )
    session = []
    if (sessions or goals.need_sessions) and any("session" in row for row in rows):
        visit = pl.struct("user", "session").hash()
        session = [pl.when(pl.col("session").is_not_null()).then(visit).alias(SESSION)]
    lazy = frame.lazy().select(
        pl.col("user").hash().alias(USER),
        pl.col("time").alias(TIME),
        *session,
        pl.col("rejected").alias(REJECTED),
        *(pl.col(name).alias(field_column(name)) for name in text),
    )
    return EventTable(lazy, paths=(Path("events"),))


def explained(rows: Log, steps: list[Any], user: str = "u", period: Period | None = None, **funnel: Any) -> Explanation:
    where = funnel.pop("where", None)
    events = {"session_timeout": "3s"} | ({"where": where} if where else {})
    options = {"steps": steps, "window": "none", **funnel}
    goals = Goals.model_validate({**FILE, "events": events, "funnels": {"f": options}})
    return explain(user, table_of(rows, goals), goals, period or Period())


def the_unit(found: Explanation) -> ExplainedUnit:
    (funnel,) = found.funnels
    (unit,) = funnel.units
    return unit


def verdicts(found: Explanation) -> list[str]:
    """The verdict on each event, with its step."""
    return [
        " ".join(f"{each.verdict}{'' if each.step is None else f' {each.step}'}" for each in event.verdicts)
        for event in the_unit(found).events
    ]

"""The units that reached a step, dropped at it or completed a goal: which they are, in a table for other programs."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.accounts import EventsResult
from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.attempts import ENTERED, STOP
from microfunnel.counting.funnels import Limits
from microfunnel.counting.journeys import DEPTH
from microfunnel.counting.members import AtStep, Wanted, find_completers, find_members, id_column, with_column
from microfunnel.counting.money import MICROS
from microfunnel.counting.sessions import SESSION_START
from microfunnel.counting.tallies import took_column
from microfunnel.events import SESSION, EventTable, field_column
from microfunnel.funnels import Funnel
from microfunnel.goals import Goals
from microfunnel.questions import Period, Question

USER_ID = "user"
SESSION_ID = "session"
SESSION_STARTED = "session_start"


@dataclass(frozen=True, slots=True)
class Members:
    """The units that were asked for."""

    events: EventsResult
    table: pl.DataFrame
    """One row for each, sorted by what names it. Times are Datetime in UTC, values floats, everything else is text."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which units, and what of them."""

    which: AtStep | str
    """At a step of a funnel, or with a goal of this name."""
    properties: tuple[str, ...] = ()
    """Fields whose last value is asked for."""


def fields_needed(goals: Goals, wish: Wish) -> set[str]:
    """The fields of the export that the reading has to find; that of the session only where there is one."""
    return _question(goals, wish.which, Wanted((), wish.properties), frozenset()).fields_needed


def find(events: EventTable, goals: Goals, wish: Wish, period: Period, options: Options = DEFAULTS) -> Members:
    """The members of a step of a funnel, or of a goal."""
    which = wish.which
    ids = _ids(events, None if isinstance(which, str) else goals.funnels[which.funnel])
    texts = frozenset(field for field, _ in ids.values() if field is not None)
    question = _question(goals, which, Wanted(tuple(expr for _, expr in ids.values()), wish.properties), texts)
    found = answer(events, question, period, options)
    names = list(ids)
    shaped = (
        _completers(found.found, names, wish.properties, is_valued=goals.goals[which].value is not None)
        if isinstance(which, str)
        else _at_step(found.found, names, goals.funnels[which.funnel], wish.properties)
    )
    return Members(found.events, shaped.sort(shaped.columns, nulls_last=True))


def _ids(events: EventTable, funnel: Funnel | None) -> dict[str, tuple[str | None, pl.Expr]]:
    """What names a unit: column to the field that it is read from, if it is, and how."""
    if funnel is not None and funnel.unit_columns:
        return {name: (name, pl.col(field_column(name))) for name in funnel.unit_columns}
    ids = {USER_ID: (None if events.whole_ids else USER_ID, events.user_text)}
    if funnel is None or funnel.count != "sessions":
        return ids
    if SESSION in events.frame.collect_schema():
        return ids | {SESSION_ID: (SESSION_ID, pl.col(field_column(SESSION_ID)))}
    return ids | {SESSION_STARTED: (None, pl.col(SESSION_START))}


def _question(goals: Goals, which: AtStep | str, wanted: Wanted, texts: frozenset[str]) -> Question[pl.DataFrame]:
    """What is asked of the rows of the one funnel, or of the goals alone."""
    funnels = {} if isinstance(which, str) else {which.funnel: _unsplit(goals.funnels[which.funnel])}
    chosen = goals.model_copy(update={"funnels": funnels})

    def count(rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
        if isinstance(which, str):
            return find_completers(rows, chosen, which, limits, wanted)
        return find_members(rows, chosen, which, limits, wanted)

    return Question(chosen, count, pl.concat, fields=frozenset(wanted.properties) | texts)


def _unsplit(funnel: Funnel) -> Funnel:
    return funnel.model_copy(update={"by": []})


def _at_step(found: pl.DataFrame, ids: Sequence[str], funnel: Funnel, properties: Sequence[str]) -> pl.DataFrame:
    labels = funnel.labels
    required = [label for label, step in zip(labels, funnel.steps, strict=True) if not step.optional]
    names = _distinct([*ids, ENTERED, *(f"{label}_at" for label in labels), "reached", "stopped", *properties])
    reached = pl.lit(pl.Series("reached", required).gather(found[DEPTH] - 1))
    columns = [
        *(_shown(found, id_column(index)) for index in range(len(ids))),
        *map(_moment, [ENTERED, *map(took_column, range(len(labels)))]),
        reached,
        pl.col(STOP),
        *(pl.col(with_column(index)) for index in range(len(properties))),
    ]
    return found.select(column.alias(name) for name, column in zip(names, columns, strict=True))


def _completers(found: pl.DataFrame, ids: Sequence[str], properties: Sequence[str], *, is_valued: bool) -> pl.DataFrame:
    names = _distinct([*ids, "first", "last", "completions", *(["value"] if is_valued else []), *properties])
    columns = [
        *(_shown(found, id_column(index)) for index in range(len(ids))),
        *map(_moment, ["first", "last"]),
        pl.col("completions"),
        *([_money("value")] if is_valued else []),
        *(pl.col(with_column(index)) for index in range(len(properties))),
    ]
    return found.select(column.alias(name) for name, column in zip(names, columns, strict=True))


def _shown(found: pl.DataFrame, name: str) -> pl.Expr:
    return _moment(name) if found.schema[name] == pl.Int64 else pl.col(name)


def _moment(name: str) -> pl.Expr:
    return pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC")


def _money(name: str) -> pl.Expr:
    """Millionths as a number, the float nearest to it."""
    # As floats, polars multiplies with the reciprocal: 0.07 would be 0.06999999999999999.
    return (pl.col(name).cast(pl.Decimal(38, 6)) / MICROS).cast(pl.String).cast(pl.Float64)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, those that were there before with a number."""
    found: list[str] = []
    for name in names:
        number, free = 2, name
        while free in found:
            number, free = number + 1, f"{name}_{number}"
        found.append(free)
    return found

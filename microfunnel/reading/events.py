"""Files become the canonical events, and each row that can't be used gets its reason."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import REASONS, REJECTED, SESSION, TIME, USER, EventTable, field_column
from microfunnel.goals import Events
from microfunnel.reading.fields import field_expr, find_columns, near_columns, text_expr
from microfunnel.reading.files import SAMPLE_LINES, Table, event_files, open_table
from microfunnel.reading.times import time_expr

POSSIBLE_TIMES = (0, 7_258_118_400_000_000)
"""The years 1970 to 2199, in microseconds; what lies outside was read in the wrong unit."""


@contextmanager
def open_events(
    sources: Sequence[str], stdin: BinaryIO | None, settings: Events, fields: Collection[str], *, sessions: bool
) -> Iterator[EventTable]:
    """The events of the files that `sources` name, readable inside the `with` block.

    `fields` are the fields that the goals look at, `sessions` says whether the export's sessions are wanted.
    """
    with event_files(sources, stdin) as files:
        opened = [(file.name, open_table(file)) for file in files]
        tables = [table for _, table in opened if table is not None]
        empty = [name for name, table in opened if table is None]
        if not tables:
            raise InputError(*(f"{path}: is empty" for path in empty))
        columns = [_columns(table, settings) for table in tables]
        missing = _missing_fields(tables, columns, fields)
        tables = [table.with_keys(missing) if table.is_open_ended and missing else table for table in tables]
        warnings = [("empty_file", f"{name} is empty") for name in empty]
        warnings += [
            ("unseen_field", f"none of the first {SAMPLE_LINES:,} rows has a field {name!r}") for name in missing
        ]
        has_sessions = sessions and any("session" in known for known in columns)
        parts = []
        for table, known in zip(tables, columns, strict=True):
            with reading_errors(f"{table.name}: "):
                parts.append((table.name, _canonical(table, known, settings, fields, sessions=has_sessions)))
        yield EventTable(tuple(parts), tuple(file.path for file in files), tuple(warnings))


def _columns(table: Table, settings: Events) -> dict[str, str]:
    with reading_errors(f"{table.name}: "):
        return find_columns(table.schema, settings.columns)


def _missing_fields(
    tables: Sequence[Table], columns: Sequence[Mapping[str, str]], fields: Collection[str]
) -> list[str]:
    """The fields that no file shows; an InputError where none can hold them either."""
    missing = [
        name
        for name in sorted(fields)
        if all(_field(name, table, known) is None for table, known in zip(tables, columns, strict=True))
    ]
    if missing and not any(table.is_open_ended for table in tables):
        place = tables[0].name if len(tables) == 1 else f"none of the {len(tables)} files"
        raise InputError(
            *(f"{place}: has no column {name!r}; {near_columns([name], tables[0].schema)}" for name in missing),
            hint="the goals file (or --by) names columns that the events do not have",
        )
    return missing


def _field(name: str, table: Table, known: Mapping[str, str]) -> tuple[pl.Expr, pl.DataType] | None:
    return field_expr(known.get(name, name), table.schema)


def _canonical(
    table: Table, known: Mapping[str, str], settings: Events, fields: Collection[str], *, sessions: bool
) -> pl.LazyFrame:
    """One file as canonical events."""

    def text(name: str) -> pl.Expr:
        found = _field(name, table, known)
        return text_expr(*found, known.get(name, name)) if found is not None else pl.lit(None, dtype=pl.String)

    time = pl.col("raw time")
    raw = _field("time", table, known)
    sample = table.frame.select(raw[0] if raw is not None else pl.lit(None)).head(SAMPLE_LINES).collect().to_series()
    no_time = time.is_null() | (time.str.strip_chars() == "") if sample.dtype == pl.String else time.is_null()
    session = text("session") if "session" in known else pl.lit(None, dtype=pl.String)
    raw_frame = table.frame.select(
        **{"user text": text("user"), "session text": session, "raw time": raw[0] if raw is not None else pl.lit(None)},
        **{field_column(name): text(name) for name in fields},
    )
    user, visit = pl.col("user text"), pl.col("session text")
    faults = {
        "blank_row": user.is_null() & no_time & pl.col(field_column("event")).is_null(),
        "empty_user": user.is_null(),
        "empty_time": no_time,
        "unreadable_time": pl.col(TIME).is_null(),
        "time_out_of_range": ~pl.col(TIME).is_between(*POSSIBLE_TIMES),
        "empty_event": pl.col(field_column("event")).is_null(),
    }
    verdict = pl.coalesce(
        *(pl.when(fault).then(pl.lit(REASONS.index(reason), dtype=pl.UInt8)) for reason, fault in faults.items()),
        pl.lit(0, dtype=pl.UInt8),
    )
    timed = raw_frame.with_columns(time_expr(time, sample, settings.time_format, settings.timezone).alias(TIME))
    visits = [pl.when(visit.is_not_null()).then(pl.struct(user, visit).hash()).alias(SESSION)] if sessions else []
    return timed.select(
        user.hash().alias(USER),
        TIME,
        *visits,
        verdict.alias(REJECTED),
        *(field_column(name) for name in sorted(fields)),
    )

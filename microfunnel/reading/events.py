"""Files become the canonical events, and each row that can't be used gets its reason."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import REASONS, REJECTED, SESSION, SPREAD, TIME, USER, EventTable, field_column
from microfunnel.goals import Events
from microfunnel.reading.expected import expected_rows
from microfunnel.reading.fields import field_expr, find_columns, near_columns, text_expr
from microfunnel.reading.files import SAMPLE_LINES, Source, Table, event_files, open_table
from microfunnel.reading.identity import ANONYMOUS, ID, PERSON, USER_TEXT, people
from microfunnel.reading.stores import Stored
from microfunnel.reading.times import time_expr
from microfunnel.wording import quoted

IDS = ("user", "anonymous", "session")
NO_TIME = "no time"
WHOLE_USER = "whole user"
POSSIBLE_TIMES = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The years 1 to 9999, in microseconds: what calendars can name."""


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
        if settings.columns.anonymous is not None and not any("anonymous" in known for known in columns):
            near = near_columns([settings.columns.anonymous], tables[0].schema)
            raise InputError(f"no file has a column {quoted(settings.columns.anonymous)} (for anonymous); {near}")
        missing = _missing_fields(tables, columns, fields)
        tables = [table.with_keys(missing) if table.is_open_ended and missing else table for table in tables]
        warnings = [("empty_file", f"{name} is empty") for name in empty]
        warnings += [
            ("unseen_field", f"none of the first {SAMPLE_LINES:,} rows has a field {name!r}") for name in missing
        ]
        has_sessions = sessions and any("session" in known for known in columns)
        read = []
        for table, known in zip(tables, columns, strict=True):
            with reading_errors(f"{table.name}: "):
                read.append(_canonical(table, known, settings, fields))
        joined = None
        if settings.columns.anonymous is not None:
            with reading_errors():
                joined = people([frame.drop_nulls([USER_TEXT, ANONYMOUS, TIME]) for frame in read])
            read = [_with_people(frame, joined) for frame in read]
        whole_ids = joined is None and all(
            _is_whole(_field("user", table, known)) for table, known in zip(tables, columns, strict=True)
        )
        key = pl.col(WHOLE_USER) * SPREAD if whole_ids else pl.col(USER_TEXT).hash()
        events = [_with_verdicts(frame, key, fields, sessions=has_sessions) for frame in read]
        names = (table.name for table in tables)
        yield EventTable(
            parts=tuple(zip(names, events, strict=True)),
            paths=tuple(file.path for file in files if isinstance(file, Source)),
            elsewhere=sum(isinstance(file, Stored) for file in files),
            warnings=tuple(warnings),
            joined_ids=None if joined is None else joined.height,
            whole_ids=whole_ids,
            expected=partial(
                expected_rows,
                [table.path for table in tables if table.path is not None],
                [table.frame for table in tables if table.path is None],
            ),
        )


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


def _canonical(table: Table, known: Mapping[str, str], settings: Events, fields: Collection[str]) -> pl.LazyFrame:
    """One file with the texts of its ids (`user text`, `anonymous text`, `session text`), `time` and its fields."""

    def text(name: str) -> pl.Expr:
        found = _field(name, table, known)
        return text_expr(*found, known.get(name, name)) if found is not None else pl.lit(None, dtype=pl.String)

    time = pl.col("raw time")
    raw = _field("time", table, known)
    sample = table.frame.select(raw[0] if raw is not None else pl.lit(None)).head(SAMPLE_LINES).collect().to_series()
    no_time = time.is_null()
    if sample.dtype == pl.String:
        no_time |= (pl.when(pl.col(TIME).is_null()).then(time).str.strip_chars() == "").fill_null(value=False)
    user = _field("user", table, known)
    whole_user = user[0] if user is not None and _is_whole(user) else pl.lit(None)
    ids = {f"{name} text": text(name) if name in known else pl.lit(None, dtype=pl.String) for name in IDS}
    return (
        table.frame.select(
            **ids,
            **{WHOLE_USER: whole_user.cast(pl.Int64, strict=False).reinterpret(signed=False)},
            **{"raw time": raw[0] if raw is not None else pl.lit(None)},
            **{field_column(name): text(name) for name in fields},
        )
        .with_columns(time_expr(time, sample, settings.time_format, settings.timezone).alias(TIME))
        .with_columns(no_time.alias(NO_TIME))
    )


def _is_whole(field: tuple[pl.Expr, pl.DataType] | None) -> bool:
    """Whether the values of a field are keys by themselves: whole numbers of at most 64 bits, with a sign."""
    return field is not None and field[1].is_integer() and field[1] not in {pl.UInt64, pl.Int128, pl.UInt128}


def _with_people(frame: pl.LazyFrame, joined: pl.DataFrame) -> pl.LazyFrame:
    """The events with the person behind their ids as `user text`."""
    own = frame.with_columns(pl.coalesce(USER_TEXT, ANONYMOUS).alias(USER_TEXT))
    person = own.join(joined.lazy(), left_on=USER_TEXT, right_on=ID, how="left")
    return person.with_columns(pl.coalesce(PERSON, USER_TEXT).alias(USER_TEXT))


def _with_verdicts(frame: pl.LazyFrame, key: pl.Expr, fields: Collection[str], *, sessions: bool) -> pl.LazyFrame:
    """The canonical events: ids as keys, and the reason why a row can't be used."""
    user, visit = pl.col(USER_TEXT), pl.col("session text")
    faults = {
        "blank_row": user.is_null() & pl.col(NO_TIME) & pl.col(field_column("event")).is_null(),
        "empty_user": user.is_null(),
        "empty_time": pl.col(NO_TIME),
        "unreadable_time": pl.col(TIME).is_null(),
        "time_out_of_range": ~pl.col(TIME).is_between(*POSSIBLE_TIMES),
        "empty_event": pl.col(field_column("event")).is_null(),
    }
    verdict = pl.coalesce(
        *(pl.when(fault).then(pl.lit(REASONS.index(reason), dtype=pl.UInt8)) for reason, fault in faults.items()),
        pl.lit(0, dtype=pl.UInt8),
    )
    visits = [pl.when(visit.is_not_null()).then(pl.struct(user, visit).hash()).alias(SESSION)] if sessions else []
    texts = {field_column(name): user if name == "user" else pl.col(field_column(name)) for name in sorted(fields)}
    return frame.select(
        key.alias(USER),
        TIME,
        *visits,
        verdict.alias(REJECTED),
        *(text.alias(column) for column, text in texts.items()),
    )

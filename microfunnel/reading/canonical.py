"""A table of a file becomes canonical events, and each row that can't be used gets its reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import DUPLICATE_OF, REASONS, REJECTED, SESSION, SPREAD, TIE, TIME, USER, field_column
from microfunnel.goals import Events
from microfunnel.reading.beginnings import SAMPLE_LINES
from microfunnel.reading.fields import find_columns, near_columns, value_expr
from microfunnel.reading.identity import ANONYMOUS, ID, PERSON, USER_TEXT, people
from microfunnel.reading.layouts.declaration import Value
from microfunnel.reading.nested import text_expr
from microfunnel.reading.tables import FAULT, LINE, Table
from microfunnel.reading.times import Writing, local_times, parse_moment, repeated_hours, time_expr, writing_of
from microfunnel.wording import quoted

IDS = ("user", "anonymous", "session")
NO_TIME = "no time"
RAW_TIME = "raw time"
WHOLE_USER = "whole user"
SAME = "same"
DIGITS = 20
"""Of the largest number of 64 bits."""
LARGEST_EXACT = 2**53
POSSIBLE_TIMES = (-62_135_424_000_000_000, 253_402_127_999_999_999)
"""The years 1 to 9999 without two days at each end, in microseconds: what calendars can name in any zone."""


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table, and what its fields mean."""

    table: Table
    values: Mapping[str, Value]
    same: tuple[str, ...] | None
    """Fields by which a row is known to be another one written twice; none at all means every column."""

    def field(self, name: str) -> tuple[pl.Expr, pl.DataType] | None:
        """What a canonical name, a name of the layout or a field of the file stands for; None without it."""
        return value_expr(self.values.get(name, name), self.table.schema, self.table.key_lists)

    def text(self, name: str) -> pl.Expr:
        """The same as text, null where there is none."""
        found = self.field(name)
        value = self.values.get(name, name)
        return (
            pl.lit(None, dtype=pl.String)
            if found is None
            else text_expr(*found, value if isinstance(value, str) else name)
        )

    def is_user(self, name: str) -> bool:
        """Whether the field of this name is the id of the user."""
        return "user" in self.values and self.values.get(name, name) == self.values["user"]

    @property
    def ties(self) -> tuple[str, ...]:
        """Fields by which events of one instant have an order."""
        return () if self.table.layout is None else self.table.layout.ties

    @property
    def is_of_whole_ids(self) -> bool:
        """Whether the users' ids are keys by themselves: whole numbers of at most 64 bits, with a sign."""
        found = self.field("user")
        return found is not None and found[1].is_integer() and found[1] not in {pl.UInt64, pl.Int128, pl.UInt128}


def know(table: Table, settings: Events) -> KnownTable:
    """The table with the columns that the settings name, its layout knows, or that are usual."""
    with reading_errors(f"{table.name}: "):
        values = find_columns(table.schema, settings.columns, table.layout, table.repeated)
        same: tuple[str, ...] | None = None
        if settings.duplicates == "drop":
            same = ()
        elif settings.columns.id is not None:
            same = (settings.columns.id,)
            if value_expr(settings.columns.id, table.schema, table.key_lists) is None:
                near = near_columns([settings.columns.id], table.schema)
                raise InputError(f"has no column {quoted(settings.columns.id)} (for id); {near}")
        elif table.layout is not None:
            there = (value_expr(name, table.schema, table.key_lists) for name in table.layout.duplicates)
            same = table.layout.duplicates if table.layout.duplicates and all(there) else None
        known = KnownTable(table, values, same)
        _refuse_blurred_ids(known)
    return known


@dataclass(frozen=True, slots=True)
class Canon:
    """How all tables of one reading become canonical events."""

    settings: Events
    fields: Collection[str]
    """What the goals look at."""
    has_sessions: bool
    whole_ids: bool
    """Whether the users' ids are keys by themselves in every table."""
    has_same: bool
    """Whether some table knows which rows are written twice."""
    has_ties: bool
    """Whether some table knows the order of events of one instant."""
    people: pl.DataFrame | None = None
    """Who is behind the anonymous ids, where these are joined."""

    def events(self, tables: Sequence[KnownTable], *, numbered: bool = False) -> pl.LazyFrame:
        """The events of some tables as EventTable describes them; `numbered` adds `number of the line`."""
        frames = [self._events(texts, numbered=numbered) for texts in self.texts(tables, numbered=numbered)]
        return frames[0] if len(frames) == 1 else pl.concat(frames)

    def _events(self, texts: pl.LazyFrame, *, numbered: bool) -> pl.LazyFrame:
        if self.people is not None:
            own = texts.with_columns(pl.coalesce(USER_TEXT, ANONYMOUS).alias(USER_TEXT))
            person = own.join(
                self.people.lazy(),
                left_on=USER_TEXT,
                right_on=ID,
                how="left",
                # Rows with their numbers are looked for in their order.
                maintain_order="left" if numbered else "none",
            )
            texts = person.with_columns(pl.coalesce(PERSON, USER_TEXT).alias(USER_TEXT))
        user, visit = pl.col(USER_TEXT), pl.col("session text")
        key = pl.col(WHOLE_USER) * SPREAD if self.whole_ids else user.hash()
        visits = pl.when(visit.is_not_null()).then(pl.struct(user, visit).hash())
        fields = {name: user if name == "user" else pl.col(field_column(name)) for name in sorted(self.fields)}
        return texts.select(
            key.alias(USER),
            TIME,
            *([visits.alias(SESSION)] if self.has_sessions else []),
            self._verdict().alias(REJECTED),
            *([pl.col(SAME).alias(DUPLICATE_OF)] if self.has_same else []),
            *([TIE] if self.has_ties else []),
            *(text.alias(field_column(name)) for name, text in fields.items()),
            *([LINE] if numbered else []),
        )

    def repeated_times(self, known: KnownTable, first: int, last: int) -> int:
        """How many local times of one table, between two moments, the clocks showed twice."""
        time_format, zone = self._how_times_are_written(known)
        hours = repeated_hours(zone, first, last)
        if not hours:
            return 0
        inside = pl.any_horizontal(pl.col(TIME).is_between(begin, end, closed="left") for begin, end in hours)
        with reading_errors(f"{known.table.name}: "):
            (texts,) = self.texts([known])
            times = texts.filter(inside).select(RAW_TIME).collect(engine="streaming").to_series()
        return local_times(times, time_format)

    def _how_times_are_written(self, known: KnownTable) -> tuple[str | None, str]:
        """Their format, None if it is one of the usual ones, and the zone of those that name none."""
        layout = known.table.layout
        time_format = self.settings.time_format or (layout.time_format if layout is not None else None)
        return time_format, (layout.timezone if layout is not None else None) or self.settings.timezone

    def texts(self, tables: Sequence[KnownTable], *, numbered: bool = False) -> list[pl.LazyFrame]:
        """The texts of the ids (`user text`, `anonymous text`, `session text`), `time` and the fields of some tables.

        Neighbours whose times are written alike are one frame: polars reads them in one go if they are alike at all.
        """
        found: list[tuple[Writing, list[pl.LazyFrame]]] = []
        for known in tables:
            with reading_errors(f"{known.table.name}: "):
                likely = found[-1][0].formats if found else ()
                written, frame = self._writing(known, likely), self._as_written(known, numbered=numbered)
            if not found or found[-1][0] != written:
                found.append((written, []))
            found[-1][1].append(frame)
        return [_with_times(pl.concat(frames), written) for written, frames in found]

    def _writing(self, known: KnownTable, likely: Sequence[str]) -> Writing:
        """How the times of a table are written."""
        raw_time, time_type = known.field("time") or (pl.lit(None), pl.Null())
        # What is a time already needs no look at how it is written.
        first = known.table.sample.select(raw_time.alias(RAW_TIME)).head(SAMPLE_LINES)
        sample = pl.Series(RAW_TIME, [], time_type) if time_type.is_temporal() else first.collect().to_series()
        return writing_of(sample, *self._how_times_are_written(known), likely)

    def _as_written(self, known: KnownTable, *, numbered: bool) -> pl.LazyFrame:
        """The ids and the fields of a table as text, and its times as they are."""
        raw_time, _ = known.field("time") or (pl.lit(None), pl.Null())
        user = known.field("user")
        whole = user[0] if user is not None and known.is_of_whole_ids else pl.lit(None)
        ids = {
            f"{name} text": known.text(name) if name in known.values else pl.lit(None, dtype=pl.String) for name in IDS
        }
        return (known.table.numbered if numbered else known.table.frame).select(
            **ids,
            **{WHOLE_USER: whole.cast(pl.Int64, strict=False).reinterpret(signed=False)},
            **{
                RAW_TIME: raw_time,
                FAULT: pl.col(FAULT) if known.table.kind == "log" else pl.lit(0, dtype=pl.UInt8),
            },
            **({SAME: _same(known)} if self.has_same else {}),
            **({TIE: _tie(known)} if self.has_ties else {}),
            **{field_column(name): known.text(name) for name in self.fields},
            **({LINE: pl.col(LINE)} if numbered else {}),
        )

    @property
    def has_time(self) -> pl.Expr:
        """Whether a time was read that lies in the range of possible ones; null where none was read."""
        earliest, latest = POSSIBLE_TIMES
        said = parse_moment(self.settings.earliest, self.settings.timezone)
        return pl.col(TIME).is_between(max(said, earliest), latest)

    def _verdict(self) -> pl.Expr:
        """The reason why a row can't be used, as an index of REASONS."""
        user, event = pl.col(USER_TEXT), pl.col(field_column("event"))
        faults = {
            "blank_row": user.is_null() & pl.col(NO_TIME) & event.is_null(),
            "empty_user": user.is_null(),
            "empty_time": pl.col(NO_TIME),
            "unreadable_time": pl.col(TIME).is_null(),
            "time_out_of_range": ~self.has_time,
            "empty_event": event.is_null(),
        }
        numbers = {reason: pl.lit(REASONS.index(reason), dtype=pl.UInt8) for reason in faults}
        judged = (pl.when(fault).then(numbers[reason]) for reason, fault in faults.items())
        return pl.coalesce(pl.when(pl.col(FAULT) > 0).then(FAULT), *judged, pl.lit(0, dtype=pl.UInt8))


def _with_times(frame: pl.LazyFrame, written: Writing) -> pl.LazyFrame:
    """The frame with `time` (Int64, null where none can be read) and `no time` (whether there is nothing to read)."""
    time = pl.col(RAW_TIME)
    no_time = time.is_null()
    if written.dtype == pl.String:
        no_time |= (pl.when(pl.col(TIME).is_null()).then(time).str.strip_chars() == "").fill_null(value=False)
    return frame.with_columns(time_expr(time, written).alias(TIME)).with_columns(no_time.alias(NO_TIME))


def join_people(canon: Canon, tables: Sequence[KnownTable]) -> pl.DataFrame:
    """Who is behind which anonymous id, in all tables."""
    with reading_errors():
        return people(
            [texts.drop_nulls([USER_TEXT, ANONYMOUS]).filter(canon.has_time) for texts in canon.texts(tables)]
        )


def _refuse_blurred_ids(known: KnownTable) -> None:
    """An InputError where ids are floats, as gaps make them in pandas, and too large to tell neighbours apart."""
    fields = {name: field for name in IDS if name in known.values and (field := known.field(name)) is not None}
    floats = {name: expr.abs() for name, (expr, dtype) in fields.items() if dtype.is_float()}
    if not floats:
        return
    blurred = known.table.frame.select(
        (size.is_finite() & (size > LARGEST_EXACT)).any().alias(name) for name, size in floats.items()
    )
    for name, found in blurred.collect(engine="streaming").row(0, named=True).items():
        if found:
            raise InputError(
                f"the ids of {quoted(known.values[name])} are floats beyond 2^53, where neighbours are one number",
                hint="export them as text or as whole numbers",
            )


def _same(known: KnownTable) -> pl.Expr:
    """A key that two rows share only if one is the other written twice; null where a row says nothing of it."""
    if known.same is None:
        return pl.lit(None, dtype=pl.UInt64)
    if not known.same:
        return pl.struct(pl.col(known.table.schema)).hash()
    texts = {name: known.text(name) for name in known.same}
    return pl.when(pl.all_horizontal(text.is_not_null() for text in texts.values())).then(
        pl.struct([text.alias(name) for name, text in texts.items()]).hash()
    )


def _tie(known: KnownTable) -> pl.Expr:
    """A text by which events of one instant sort in their order."""
    numbers = [known.text(name).str.zfill(DIGITS).fill_null("") for name in known.ties]
    return pl.concat_str(numbers) if numbers else pl.lit("")

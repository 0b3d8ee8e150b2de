"""A file as a lazy table of what stands in it: its kind told by its content, its layout by its fields."""

import csv
import json
import os
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from itertools import takewhile
from pathlib import Path

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import REASONS
from microfunnel.reading.beginnings import beginning, first_lines
from microfunnel.reading.characters import of_whole_characters
from microfunnel.reading.endings import ends_in_a_line, last_line, number_of_lines
from microfunnel.reading.files import Source
from microfunnel.reading.layouts.declaration import Delimited, Layout, Lines
from microfunnel.reading.long_lines import LONGEST_LINE
from microfunnel.reading.notices import Notice, cut_off, escaped_quotes
from microfunnel.reading.packed import PARQUET, is_packed
from microfunnel.reading.recognition import layout_of_fields, layout_of_lines, refuse_aggregates, unfolded_fields
from microfunnel.reading.stores import Stored
from microfunnel.reading.unfolding import unfolded
from microfunnel.wording import brief, quoted

FOOTER, SMALLEST_PARQUET = 8, 12
"""Bytes: the length of the directory and the mark at the end of a Parquet file; these and the mark at its begin."""
SEPARATORS = (",", ";", "\t", "|")
LINE = "number of the line"
FAULT = "fault of the line"
"""Why a line does not fit its log, as an index of REASONS; 0 where it does."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file, opened but not read."""

    name: str
    path: Path | None
    """Of text; None for Parquet."""
    kind: str
    """`Parquet`, `CSV`, `NDJSON` or `log`."""
    layout: Layout | None
    frame: pl.LazyFrame
    """The columns of the file; of a log also `fault of the line` (UInt8, an index of REASONS)."""
    numbered: pl.LazyFrame
    """The same with `number of the line` (UInt32, the first is 1), which is that of the row where none is blank."""
    sample: pl.LazyFrame
    """Its first rows, without `number of the line`; there may be more of them than needed."""
    schema: Mapping[str, pl.DataType]
    shape: Delimited | None = None
    """Of CSV and its like, with all names."""
    repeated: frozenset[str] = frozenset()
    """Names that several columns have."""
    lines_before: int = 0
    """Lines before the first row."""
    json_schema: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Of NDJSON, as its lines have it."""
    notices: tuple[Notice, ...] = ()
    """What is odd about it."""
    is_cut: bool = False
    """Whether its last line is known to be half a line."""

    @property
    def key_lists(self) -> Collection[str]:
        return () if self.layout is None else self.layout.key_lists

    @property
    def is_open_ended(self) -> bool:
        """Whether rows may hold fields that `schema` does not name."""
        return self.kind == "NDJSON"

    def with_keys(self, names: Collection[str]) -> "Table":
        """The table with these keys too, where a row further down may have one that the first rows lack."""
        tops = {name.partition(".")[0] for name in names} - set(self.schema)
        if not self.is_open_ended or self.path is None or not tops:
            return self
        more = dict.fromkeys(sorted(tops), pl.String())
        return replace(_json_lines(self.name, self.path, {**self.json_schema, **more}, self.layout), is_cut=self.is_cut)


def open_table(source: Source | Stored, layout: str | None, delimiter: str | None) -> Table | None:
    """The file as a table; None where it is empty. `layout` and `delimiter` are told by the content where None."""
    with reading_errors(f"{source.name}: "):
        if isinstance(source, Stored):
            return _parquet(source.name, source.frame, layout)
        with source.path.open("rb") as file:
            if file.read(4) == PARQUET:
                _refuse_cut_parquet(source.path)
                frame = pl.scan_parquet(source.path, glob=False, hive_partitioning=False)
                return _parquet(source.name, frame, layout)
        lines = first_lines(source.path)
        if not any(line.strip() for line in lines):
            return None
        return replace(_text(source, lines, layout, delimiter), is_cut=source.is_cut)


def _text(source: Source, lines: Sequence[str], layout: str | None, delimiter: str | None) -> Table:
    refuse_aggregates(lines)
    own = layout_of_lines(lines, layout)
    if own is not None and isinstance(own.text, Lines):
        return _log(source, own, own.text)
    if own is not None and isinstance(own.text, Delimited):
        return _delimited(source, replace(own.text, names=own.text.names_in(lines)), own, lines)
    first = next(line for line in lines if line.strip()).lstrip("\ufeff")
    if first.lstrip().startswith("{") or _are_mostly_objects(lines):
        keys, paths = _keys(lines, unfolded_fields())
        return _json_lines(source.name, source.path, keys, layout_of_fields(paths, layout))
    separator = delimiter or max(SEPARATORS, key=first.count)
    names, _ = _header(lines, separator)
    return _delimited(source, Delimited(separator=separator), layout_of_fields(names, layout), lines)


def _header(lines: Sequence[str], separator: str) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and how many lines they and what stands before them take."""
    reader = csv.reader((line.lstrip("\ufeff") + "\n" for line in lines), delimiter=separator)
    try:
        names = next(filter(None, reader))
    except csv.Error as error:
        raise InputError(f"its first line is no header of CSV: {quoted(brief(lines[0], 40))}") from error
    return tuple(names), reader.line_num


def _are_mostly_objects(lines: Sequence[str]) -> bool:
    """Whether most lines look like JSON, though the first does not."""
    some = [line.strip() for line in lines if line.strip()]
    return sum(line.startswith("{") and line.endswith("}") for line in some) > len(some) / 2


def _parquet(name: str, frame: pl.LazyFrame, layout: str | None) -> Table:
    schema = dict(frame.collect_schema())
    numbered = frame.with_row_index(LINE, offset=1)
    return Table(name, None, "Parquet", layout_of_fields(schema, layout), frame, numbered, frame, schema)


def _refuse_cut_parquet(path: Path) -> None:
    """An InputError where the directory at the end of the file is missing; polars may panic or ask for all memory."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - FOOTER))
        length, end = struct.unpack("<I4s", file.read()) if size >= SMALLEST_PARQUET else (0, b"")
    if end != PARQUET or length + SMALLEST_PARQUET > size:
        hint = "copy or download it again"
        raise InputError("is damaged or cut off: the directory of a Parquet file is not at its end", hint=hint)


def _log(source: Source, layout: Layout, shape: Lines) -> Table:
    line, cut = pl.col("line"), _cut_line(source, shape)
    is_bad = (line.str.strip_chars() != "") & ~line.str.contains(shape.pattern)
    is_cut = pl.lit(value=False) if cut is None else pl.col(LINE) == cut
    none, bad, broken_off = (pl.lit(REASONS.index(reason), dtype=pl.UInt8) for reason in ("", "bad_line", "cut_off"))
    fault = pl.when(is_cut).then(broken_off).when(is_bad).then(bad).otherwise(none).alias(FAULT)
    fields = line.str.extract_groups(shape.pattern).alias("fields")

    def rows(text: Path | BytesIO) -> pl.LazyFrame:
        lines = pl.scan_lines(text, glob=False, row_index_name=LINE, row_index_offset=1)
        return lines.select(LINE, fault, fields).unnest("fields")

    numbered, sample = rows(source.path), rows(beginning(source.path)).drop(LINE)
    schema = {name: dtype for name, dtype in numbered.collect_schema().items() if name not in {LINE, FAULT}}
    notices = () if cut is None else (cut_off(source.name),)
    return Table(
        source.name, source.path, "log", layout, numbered.drop(LINE), numbered, sample, schema, notices=notices
    )


def _cut_line(source: Source, shape: Lines) -> int | None:
    """The number of the last line of a log if it breaks off; for one that is packed, no line does."""
    if is_packed(source.path) or not ends_in_a_line(source.path):
        return None
    line = last_line(source.path, LONGEST_LINE)
    breaks_off = source.is_cut or (line.strip() and not shape.share([line]))
    return number_of_lines(source.path) if breaks_off else None


def _delimited(source: Source, shape: Delimited, layout: Layout | None, lines: Sequence[str]) -> Table:
    scan = partial(_scan_delimited, shape=shape, names=shape.names)
    first, before = _header(lines, shape.separator)
    if shape.names:
        first = shape.names
        before = sum(1 for _ in takewhile(lambda line: shape.comment and line.startswith(shape.comment), lines))
    table = Table(
        source.name,
        source.path,
        "CSV",
        layout,
        scan(source.path),
        scan(source.path, first_number=before + 1),
        scan(beginning(source.path, shape.quote)),
        {},
        # As polars tells apart columns of one name.
        replace(shape, names=tuple(scan(source.path).collect_schema())),
        repeated=frozenset(name for name in first if first.count(name) > 1),
        lines_before=before,
        notices=() if shape.quote is None else tuple(escaped_quotes(source.name, lines)),
    )
    return _unfolded(table)


def _scan_delimited(
    text: Path | BytesIO, shape: Delimited, names: Sequence[str] | None, first_number: int | None = None
) -> pl.LazyFrame:
    return pl.scan_csv(
        text,
        glob=False,
        infer_schema=False,
        separator=shape.separator,
        quote_char=shape.quote,
        comment_prefix=shape.comment,
        has_header=names is None,
        schema=dict.fromkeys(names, pl.String) if names is not None else None,
        row_index_name=None if first_number is None else LINE,
        row_index_offset=first_number or 0,
    )


def _unfolded(table: Table) -> Table:
    """The table with a row for each event, and its schema."""
    frame, numbered, sample = table.frame, table.numbered, table.sample
    if table.layout is not None and table.layout.unfold is not None:
        frame, numbered, sample = (unfolded(each, table.layout.unfold) for each in (frame, numbered, sample))
    return replace(table, frame=frame, numbered=numbered, sample=sample, schema=dict(frame.collect_schema()))


def lines_of(table: Table, column: str) -> pl.LazyFrame:
    """The lines of a text file: `number of the line` (UInt32) and what they say (String)."""
    if table.path is None:
        raise InputError(f"{table.name}: is no text, so it has no lines")
    return pl.scan_lines(table.path, glob=False, name=column, row_index_name=LINE, row_index_offset=1)


def numbered_copy(table: Table, copy: Path) -> Table:
    """The table from a copy of its rows whose lines begin with the numbers that they have in the file."""
    if table.shape is not None:
        names = (LINE, *(table.shape.names or ()))
        scan = partial(_scan_delimited, shape=replace(table.shape, comment=None), names=names)
        quote = table.shape.quote
    else:
        scan = partial(pl.scan_ndjson, schema={LINE: pl.String(), **table.json_schema})
        quote = None
    numbered = scan(copy).with_columns(pl.col(LINE).cast(pl.UInt32))
    sample = scan(beginning(copy, quote)).drop(LINE)
    return _unfolded(replace(table, frame=numbered.drop(LINE), numbered=numbered, sample=sample))


def _json_lines(name: str, path: Path, schema: Mapping[str, pl.DataType], layout: Layout | None) -> Table:
    """Each key as text, objects and lists as JSON text, so that a value that changes its type late can't hurt."""
    scan = partial(pl.scan_ndjson, schema=schema)
    numbered = scan(path, row_index_name=LINE, row_index_offset=1)
    return _unfolded(
        Table(name, path, "NDJSON", layout, scan(path), numbered, scan(beginning(path)), {}, json_schema=schema)
    )


def _keys(lines: Sequence[str], unfold: Collection[str]) -> tuple[dict[str, pl.DataType], set[str]]:
    """The keys of the objects on these lines with their types, and the paths to them and to the keys inside of them.

    Keys to `unfold` are lists of structs; lines that are no objects are left out.
    """
    keys: dict[str, pl.DataType] = {}
    paths: set[str] = set()
    parts: dict[str, dict[str, pl.DataType]] = {}
    bad = None
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(of_whole_characters(line.lstrip("\ufeff")) or "{}")
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            bad = bad or (number, line)
            continue
        for key, value in event.items():
            if key not in keys:
                keys[key] = pl.String()
                paths.add(key)
            if isinstance(value, dict):
                paths.update(f"{key}.{part}" for part in value)
            if key in unfold and isinstance(value, list):
                known = parts.setdefault(key, {})
                known |= {part: pl.String() for each in value if isinstance(each, dict) for part in each}
    if not keys and bad is not None:
        raise InputError(f"line {bad[0]} is not a JSON object but {quoted(brief(bad[1], 40))}")
    return keys | {key: pl.List(pl.Struct(known)) for key, known in parts.items()}, paths

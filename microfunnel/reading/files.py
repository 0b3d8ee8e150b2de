"""From the arguments of the command line to files that exist, and from a file to a lazy table."""

import glob
import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from microfunnel.errors import InputError, UsageError, reading_errors
from microfunnel.reading.stores import Address, Stored, find_objects, is_address, open_object
from microfunnel.scratch import scratch_folder
from microfunnel.wording import brief

SAMPLE_LINES = 1_000
SEPARATORS = (",", ";", "\t", "|")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """A file of events, and what people call it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Table:
    """One file, opened but not read."""

    name: str
    path: Path | None
    """None for an object that is read where it is."""
    frame: pl.LazyFrame
    schema: dict[str, pl.DataType]
    is_open_ended: bool
    """Whether rows may hold fields that `schema` does not name (NDJSON)."""

    def with_keys(self, names: Collection[str]) -> "Table":
        """The table with these keys too, where a row further down may have one that the first rows lack."""
        if self.path is None:
            return self
        schema = self.schema | {name.partition(".")[0]: pl.String() for name in names}
        return replace(self, frame=pl.scan_ndjson(self.path, schema=schema), schema=schema)


@contextmanager
def event_files(sources: Sequence[str], stdin: BinaryIO | None) -> Iterator[list[Source | Stored]]:
    """The files that the arguments name, each once, in a stable order; `-` is standard input, kept in a file."""
    problems: list[str] = []
    found: list[Source | Address] = []
    with scratch_folder() as folder:
        for source in dict.fromkeys(sources):
            try:
                found += [_standard_input(stdin, folder)] if source == "-" else _expand(source)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*problems)
        yield [_ready(source, folder, number) for number, source in enumerate(_distinct(found))]


def _ready(source: Source | Address, folder: Path, number: int) -> Source | Stored:
    if isinstance(source, Source):
        return _readable(source, folder)
    opened = open_object(source, folder / f"object {number}")
    return opened if isinstance(opened, Stored) else _readable(Source(opened, source.name), folder)


def _standard_input(stdin: BinaryIO | None, folder: Path) -> Source:
    if stdin is None:
        raise InputError("standard input: is closed")
    if stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe events into microfunnel, or name files instead of -"
        )
    return Source(_copied(stdin, folder / "standard input"), "standard input")


def _copied(stream: BinaryIO, path: Path) -> Path:
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, length=1 << 20)
    return path


def _expand(source: str) -> Sequence[Source | Address]:
    if is_address(source):
        return find_objects(source)
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{source}: is a directory; name its files, for example {source.rstrip('/')}/*.parquet")
    if path.exists():
        return [Source(path, source)]
    if glob.has_magic(source):
        names = sorted(name for name in glob.glob(source, recursive=True) if Path(name).is_file())
        if not names:
            raise InputError(f"{source}: no file matches this pattern")
        return [Source(Path(name), name) for name in names]
    raise InputError(f"{source}: no such file")


def _distinct(found: Sequence[Source | Address]) -> list[Source | Address]:
    """The files without those that were named before, also under another name."""
    files: dict[object, Source | Address] = {}
    for source in found:
        files.setdefault(_identity(source), source)
    return list(files.values())


def _identity(source: Source | Address) -> object:
    if isinstance(source, Address):
        return source.name
    status = source.path.stat()
    return status.st_dev, status.st_ino


def _readable(source: Source, folder: Path) -> Source:
    """The file, or a copy or a link where polars could not read it as it is.

    It can't map a pipe into memory, takes the byte order mark of NDJSON for a part of the first event, and knows no
    file whose name is not UTF-8.
    """
    stand_in = folder / str(source.path.stat().st_ino)
    with reading_errors(f"{source.name}: "):
        if not source.path.is_file():
            with source.path.open("rb") as pipe:
                return Source(_copied(pipe, stand_in), source.name)
        with source.path.open("rb") as file:
            if file.read(3) == BYTE_ORDER_MARK and file.read(1) == b"{":
                file.seek(3)
                return Source(_copied(file, stand_in), source.name)
        if not source.name.isprintable() and source.name.encode(errors="replace") != os.fsencode(source.name):
            stand_in.symlink_to(source.path.resolve())
            return Source(stand_in, source.name)
    return source


def open_table(source: Source | Stored) -> Table | None:
    """The file as a table, its format told by its content; None where it is empty."""
    with reading_errors(f"{source.name}: "):
        if isinstance(source, Stored):
            return Table(source.name, None, source.frame, dict(source.frame.collect_schema()), is_open_ended=False)
        with source.path.open("rb") as file:
            start = file.read(4)
        if not start:
            return None
        if start == b"PAR1":
            frame = pl.scan_parquet(source.path, glob=False, hive_partitioning=False)
            return Table(source.name, source.path, frame, dict(frame.collect_schema()), is_open_ended=False)
        if start[:2] in UTF_16:
            raise InputError("is UTF-16 text", hint="turn it into UTF-8: iconv -f utf-16 -t utf-8 FILE")
        lines = _first_lines(source.path)
        first = next((line.lstrip("\ufeff \t") for line in lines if line.strip()), "")
        if first.startswith("["):
            raise InputError("is a JSON array, not one event a line", hint="turn it into lines: jq -c '.[]' FILE")
        if first.startswith("{"):
            return _open_ndjson(source, lines)
        if not first:
            return None
        separator = max(SEPARATORS, key=first.count)
        frame = pl.scan_csv(source.path, glob=False, infer_schema=False, separator=separator)
        return Table(source.name, source.path, frame, dict(frame.collect_schema()), is_open_ended=False)


def _first_lines(path: Path) -> pl.Series:
    try:
        return pl.scan_lines(path, glob=False).head(SAMPLE_LINES).collect()["line"]
    except pl.exceptions.ComputeError as error:
        if "utf" not in str(error).lower():
            raise
        with path.open("rb") as file:
            is_binary = b"\0" in file.read(4_096)
        hint = "text in another encoding becomes UTF-8 with, for example: iconv -f latin1 -t utf-8 FILE"
        raise InputError(f"is {'neither Parquet nor' if is_binary else 'not'} UTF-8 text", hint=hint) from error


def _open_ndjson(source: Source, lines: pl.Series) -> Table:
    """Each key as text, objects and lists as JSON text, so that a value that changes its type late can't hurt."""
    keys: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line.lstrip("\ufeff") or "{}")
        except ValueError as error:
            raise InputError(f"line {number} is not JSON: {brief(error)}") from error
        if not isinstance(event, dict):
            raise InputError(f"line {number} is not a JSON object but {brief(line, 40)}")
        keys |= dict.fromkeys(event)
    schema: dict[str, pl.DataType] = dict.fromkeys(keys, pl.String())
    return Table(source.name, source.path, pl.scan_ndjson(source.path, schema=schema), schema, is_open_ended=True)

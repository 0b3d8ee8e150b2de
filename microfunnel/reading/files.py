"""From the arguments of the command line to files that exist, and from a file to a lazy table."""

import glob
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from microfunnel.errors import InputError, UsageError, polars_errors
from microfunnel.wording import brief

SAMPLE_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file of events, and what people call it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Table:
    """One file, opened but not read."""

    name: str
    frame: pl.LazyFrame
    schema: dict[str, pl.DataType]
    is_open_ended: bool
    """Whether rows may hold fields that `schema` does not name (NDJSON)."""


@contextmanager
def event_files(sources: Sequence[str], stdin: BinaryIO) -> Iterator[list[Source]]:
    """The files that the arguments name, each once, in a stable order; `-` is standard input, kept in a file."""
    problems: list[str] = []
    found: list[Source] = []
    with tempfile.TemporaryDirectory(prefix="microfunnel-") as folder:
        for source in dict.fromkeys(sources):
            try:
                found += [_spool(stdin, Path(folder))] if source == "-" else _expand(source)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*problems)
        yield _distinct(found)


def _spool(stdin: BinaryIO, folder: Path) -> Source:
    if stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe events into microfunnel, or name files instead of -"
        )
    path = folder / "events"
    with path.open("wb") as file:
        shutil.copyfileobj(stdin, file, length=1 << 20)
    return Source(path, "standard input")


def _expand(source: str) -> list[Source]:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source):
        raise InputError(f"{source}: only local files can be read; download it first")
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


def _distinct(found: Sequence[Source]) -> list[Source]:
    """The files without those that were named before, also under another name."""
    files: dict[tuple[int, int], Source] = {}
    for source in found:
        status = source.path.stat()
        files.setdefault((status.st_dev, status.st_ino), source)
    return list(files.values())


def open_table(source: Source) -> Table | None:
    """The file as a table, its format told by its content; None where it is empty."""
    path, name = source.path, source.name
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from error
    if not start:
        return None
    with polars_errors(f"{name}: "):
        if start == b"PAR1":
            frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            return Table(name, frame, dict(frame.collect_schema()), is_open_ended=False)
        lines = pl.scan_lines(path, glob=False).head(SAMPLE_LINES).collect()["line"]
        first = next((line.lstrip("\ufeff \t") for line in lines if line.strip()), "")
        if first.startswith("{"):
            return _open_ndjson(source, lines)
        if first.startswith("["):
            raise InputError(f"{name}: is a JSON array, not one event a line; turn it with: jq -c '.[]' FILE")
        if not first:
            return None
        frame = pl.scan_csv(path, glob=False, infer_schema=False)
        return Table(name, frame, dict(frame.collect_schema()), is_open_ended=False)


def _open_ndjson(source: Source, lines: pl.Series) -> Table:
    """Each key as text, objects and lists as JSON text, so that a value that changes its type late can't hurt."""
    keys: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        try:
            keys |= dict.fromkeys(json.loads(line)) if line.strip() else {}
        except ValueError as error:
            raise InputError(f"{source.name}: line {number} is not JSON: {brief(error)}") from error
    schema: dict[str, pl.DataType] = dict.fromkeys(keys, pl.String())
    return Table(source.name, pl.scan_ndjson(source.path, schema=schema), schema, is_open_ended=True)

"""Files that polars can't read as they stand become copies that it can: pipes, archives, other encodings, JSON arrays.

Copies are made piece by piece, so their size is that of the content on disk, never in memory.
"""

import codecs
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from microfunnel.errors import CUT_OFF, InputError, reading_errors
from microfunnel.reading.endings import half_a_character
from microfunnel.reading.long_lines import copy_cut_lines, has_huge_line
from microfunnel.reading.packed import DAMAGED, PARQUET, ZIP, begins, is_packed, packed_alike, unpacked
from microfunnel.reading.stores import Stored
from microfunnel.wording import quoted

if TYPE_CHECKING:
    from microfunnel.reading.files import Source

PIECE = 1 << 20
START = 1 << 16
"""Bytes by which a file is told."""
HARMLESS_SIZE = 1 << 30
"""Bytes that any archive may unpack to."""
MOST_UNPACKED = 300
"""Times its own size: no data of a shop becomes so small in a zip, a bomb does."""
MOSTLY = 0.7
"""The share of the bytes at even or at odd places that are zero in UTF-16 of mostly Latin letters."""
ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
FOREIGN = {
    b"PK\x05\x06": ("an archive without files", "name one that holds events"),
    b"%PDF": ("a PDF document", "export the events as CSV, Parquet or NDJSON"),
    b"BZh": ("packed with bzip2", "unpack it first: bunzip2 FILE"),
    b"\xfd7zXZ": ("packed with xz", "unpack it first: unxz FILE"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it first"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV"),
    b"ARROW1": ("an Arrow file", "write the table as Parquet"),
    b"Obj\x01": ("an Avro file", "write the table as Parquet"),
    b"ORC": ("an ORC file", "write the table as Parquet"),
}
"""How other kinds of files begin, what they are, and what to do."""


@dataclass(slots=True)
class Decoding:
    """How text becomes UTF-8."""

    encoding: str | None = None
    """Told by the file where it is None."""
    replace: bool = False
    """Whether bytes that are no text become the sign for it, and are counted, rather than ending the run."""
    replaced: dict[str, int] = field(default_factory=dict)
    """How many, by the name of the file."""


class Unpacker:
    """Makes readable copies in a folder."""

    def __init__(self, folder: Path, decoding: Decoding) -> None:
        self._folder = folder
        self._decoding = decoding
        self._numbers = count()

    def readable(self, sources: Iterable["Source | Stored"]) -> list["Source | Stored"]:
        """The files, or copies of what they hold; what is read where it is stays there."""
        found: list[Source | Stored] = []
        for source in sources:
            if isinstance(source, Stored):
                found.append(source)
                continue
            with reading_errors(f"{source.name}: "), _archive_errors():
                whole = source if source.path.is_file() else self._copy_of_pipe(source)
                members = self._unzipped(whole) if begins(whole.path, ZIP) else [whole]
            for member in members:
                with reading_errors(f"{member.name}: "), _archive_errors():
                    found.append(self._as_text(member))
        return found

    def _place(self) -> Path:
        return self._folder / f"copy {next(self._numbers)}"

    def _copy_of_pipe(self, source: "Source") -> "Source":
        with source.path.open("rb") as pipe:
            return replace(source, path=copied(pipe, self._place()))

    def _unzipped(self, source: "Source") -> list["Source"]:
        members = []
        with zipfile.ZipFile(source.path) as archive:
            infos = [info for info in archive.infolist() if _is_data(info)]
            if any(info.filename == "[Content_Types].xml" for info in infos):
                raise InputError("is an Excel workbook", hint="save the sheet as CSV")
            most = max(HARMLESS_SIZE, MOST_UNPACKED * source.path.stat().st_size)
            if sum(info.file_size for info in infos) > most:
                raise InputError(
                    "would unpack to far more than any events do", hint="unpack it yourself to look into it"
                )
            for info in infos:
                with archive.open(info) as packed:
                    members.append(
                        replace(source, path=copied(packed, self._place()), name=f"{source.name}/{info.filename}")
                    )
        if not members:
            raise InputError("is an archive without files")
        return members

    def _as_text(self, source: "Source") -> "Source":
        start = _start(source.path)
        if start.startswith(PARQUET):
            return self._with_plain_name(source)
        _refuse_foreign(start)
        encoding = self._decoding.encoding or _encoding_of(start)
        if encoding is None and not is_packed(source.path) and half_a_character(source.path):
            source = self._in_whole_characters(source)
        has_mark = start.startswith(codecs.BOM_UTF8) and start[3:].lstrip()[:1] in {b"{", b"["}
        only_returns = b"\r" in start and b"\n" not in start
        if encoding is not None or self._decoding.replace or has_mark or only_returns:
            source = self._decoded(source, encoding or "utf-8-sig")
            start = _start(source.path)
        if _is_json_at_large(start):
            source = self._json_lines(source)
        if has_huge_line(source.path):
            source = self._with_cut_lines(source)
        return self._with_plain_name(source)

    def _in_whole_characters(self, source: "Source") -> "Source":
        """The file without the half character at its end."""
        with source.path.open("rb") as whole:
            copy = copied(whole, self._place())
        half = half_a_character(copy)
        os.truncate(copy, copy.stat().st_size - half)
        return replace(source, path=copy, is_cut=source.is_cut or half > 0)

    def _decoded(self, source: "Source", encoding: str) -> "Source":
        replaced = _Replaced()
        codecs.register_error(_Replaced.NAME, replaced)
        place = self._place()
        errors = _Replaced.NAME if self._decoding.replace else "strict"
        try:
            with (
                unpacked(source.path) as packed,
                # It takes lone returns for ends of lines, too.
                io.TextIOWrapper(packed, encoding, errors) as text,
                place.open("w", encoding="utf-8", newline="\n") as whole,
            ):
                shutil.copyfileobj(text, whole, PIECE)
        except LookupError as error:
            raise InputError(f"{quoted(encoding)} is no encoding of text", hint="for example latin-1") from error
        except UnicodeError as error:
            hint = "name its encoding (--encoding latin-1), or count what is no text (--encoding-errors replace)"
            raise InputError(f"is not {encoding.removesuffix('-sig').upper()} text", hint=hint) from error
        if replaced.count:
            self._decoding.replaced[source.name] = replaced.count
        return replace(source, path=place)

    def _json_lines(self, source: "Source") -> "Source":
        """A JSON array, or objects over several lines, as one object a line."""
        import ijson

        place = self._place()
        is_array = _start(source.path).lstrip().startswith(b"[")
        try:
            with unpacked(source.path) as packed, place.open("w", encoding="utf-8") as lines:
                found = ijson.items(packed, "item" if is_array else "", use_float=True, multiple_values=not is_array)
                for event in found:
                    lines.write(json.dumps(event) + "\n")
        except ijson.JSONError as error:
            raise InputError("is neither JSON nor one JSON object a line") from error
        return replace(source, path=place, is_cut=False)

    def _with_cut_lines(self, source: "Source") -> "Source":
        place = self._place()
        with unpacked(source.path) as whole, packed_alike(place, source.path) as copy:
            copy_cut_lines(whole, copy)
        return replace(source, path=place)

    def _with_plain_name(self, source: "Source") -> "Source":
        """The file under a name that polars can take: it knows none that is not UTF-8."""
        name = str(source.path)
        if name.isprintable() or name.encode(errors="replace") == os.fsencode(name):
            return source
        link = self._place()
        link.symlink_to(source.path.resolve())
        return replace(source, path=link)


def copied(stream: BinaryIO | IO[bytes], path: Path) -> Path:
    """A copy of what comes out of a stream."""
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, length=PIECE)
    return path


def first_bad_line(path: Path) -> int | None:
    """The number of the first line that is not UTF-8."""
    with _archive_errors(), unpacked(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


class _Replaced:
    """Counts what it replaces."""

    NAME = "microfunnel-replace"

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        self.count += 1
        return codecs.replace_errors(error)  # type: ignore[return-value]


@contextmanager
def _archive_errors() -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise InputError(CUT_OFF) from error
    except (zipfile.BadZipFile, *DAMAGED, RuntimeError, NotImplementedError) as error:
        raise InputError("is damaged, cut off or locked: its packed data can't be read") from error


def _start(path: Path) -> bytes:
    """How the content begins, less where packed data ends early."""
    with unpacked(path) as file:
        try:
            return file.read(START)
        except (OSError, *DAMAGED):
            return b""


def _is_data(info: zipfile.ZipInfo) -> bool:
    name = info.filename
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return not info.is_dir() and not hidden and not name.endswith("manifest.json")


def _refuse_foreign(start: bytes) -> None:
    for magic, (what, hint) in FOREIGN.items():
        if start.startswith(magic):
            raise InputError(f"is {what}", hint=hint)
    if start[257:262] == b"ustar":
        raise InputError("is a tar archive", hint="unpack it first, and name the files in it")
    if start.startswith(ZIP):
        raise InputError("is an archive in an archive", hint="unpack it first")
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise InputError("is a web page, not events", hint="perhaps the download asked for a log-in")
    if start.lstrip().startswith(b"<?xml"):
        raise InputError("is XML", hint="export the events as CSV, Parquet or NDJSON")


def _encoding_of(start: bytes) -> str | None:
    """The encoding that the first bytes show, None for UTF-8."""
    known = next((name for mark, name in ENCODINGS.items() if start.startswith(mark)), None)
    if known is not None:
        return known
    few = start[:4096]
    even, odd = few[0::2].count(0) * 2 / (len(few) or 1), few[1::2].count(0) * 2 / (len(few) or 1)
    if max(even, odd) > MOSTLY and min(even, odd) < 1 - MOSTLY:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _is_json_at_large(start: bytes) -> bool:
    """Whether it is JSON, but not one object a line."""
    text = start.lstrip()
    if text.startswith(b"["):
        return text[1:].lstrip()[:1] in {b"{", b"]"}
    first, _, rest = text.partition(b"\n")
    goes_on = first.rstrip().endswith((b"{", b",", b"[")) and not rest.lstrip().startswith(b"{")
    return text.startswith(b"{") and goes_on and bool(rest)

"""From the arguments of the command line to files that exist, each once, in a stable order."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from microfunnel.errors import InputError, UsageError
from microfunnel.reading.stores import Address, Stored, find_objects, is_address, open_object
from microfunnel.reading.unpacking import copied


@dataclass(frozen=True, slots=True)
class Source:
    """A file of events, and what people call it."""

    path: Path
    name: str
    is_cut: bool = False
    """Whether its last line is known to be half a line: it ends within a character, or something writes to it."""


def find_files(sources: Sequence[str], stdin: BinaryIO | None, folder: Path) -> list[Source | Stored]:
    """The files that the arguments name; standard input (`-`) and text from elsewhere are kept in `folder`."""
    problems: list[str] = []
    found: list[Source | Address] = []
    for source in dict.fromkeys(sources):
        try:
            found += [_standard_input(stdin, folder)] if source == "-" else _expand(source)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return [
        source if isinstance(source, Source) else _opened(source, folder / f"object {number}")
        for number, source in enumerate(_distinct(found))
    ]


def _opened(address: Address, copy: Path) -> Source | Stored:
    opened = open_object(address, copy)
    return opened if isinstance(opened, Stored) else Source(opened, address.name)


def _standard_input(stdin: BinaryIO | None, folder: Path) -> Source:
    if stdin is None:
        raise InputError("standard input: is closed")
    if stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe events into microfunnel, or name files instead of -"
        )
    return Source(copied(stdin, folder / "standard input"), "standard input")


def _expand(source: str) -> Sequence[Source | Address]:
    if is_address(source):
        return find_objects(source)
    path = Path(source)
    if path.is_dir():
        names = sorted(_inside(path))
        if not names:
            raise InputError(f"{source}: is a directory without files")
        return [Source(Path(name), name) for name in names]
    if path.exists():
        return [Source(path, source)]
    if glob.has_magic(source):
        names = sorted(name for name in glob.glob(source, recursive=True) if Path(name).is_file())
        if not names:
            raise InputError(f"{source}: no file matches this pattern")
        return [Source(Path(name), name) for name in names]
    raise InputError(f"{source}: no such file")


def _inside(folder: Path) -> Iterator[str]:
    """The files of a folder and of those in it, without what is hidden and without manifests.

    Links to folders are not followed: they may lead in circles.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            if not name.startswith((".", "_")) and name != "manifest.json":
                yield str(Path(place) / name)


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

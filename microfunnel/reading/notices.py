"""What is odd about files that can be read all the same: each a short code and a message."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from microfunnel.errors import InputError
from microfunnel.reading.files import Source
from microfunnel.reading.packed import PARQUET, ZIP, begins
from microfunnel.reading.stores import Stored

Notice = tuple[str, str]
State = tuple[int, int]
PACKED = re.compile(r"\.(gz|gzip|zst|zstd|zip)$", re.IGNORECASE)
ESCAPED = re.compile(r'\\"(?!")')
"""Doubled quotes after a backslash are right: JSON within a cell has them."""


class Watch:
    """Looks at the files before they are read, and again after it."""

    def __init__(self, sources: Iterable[Source | Stored]) -> None:
        files = {source.name: source.path for source in sources if isinstance(source, Source)}
        self._before = {name: (path, _state(path)) for name, path in files.items() if path.is_file()}

    @property
    def same_name(self) -> list[Notice]:
        """A notice for each group of files that differ in how they are packed alone."""
        alike = defaultdict(list)
        for name in self._before:
            alike[PACKED.sub("", name)].append(name)
        message = "may be the same events, packed and not; then each counts twice"
        return [("same_name", f"{' and '.join(names)} {message}") for names in alike.values() if len(names) > 1]

    def grown(self) -> list[str]:
        """The names of files of text that have become longer."""
        now = {name: (old, _state(path)) for name, (path, old) in self._before.items()}
        longer = [name for name, (old, new) in now.items() if old is not None and new is not None and new[0] > old[0]]
        return [name for name in longer if not any(begins(self._before[name][0], magic) for magic in (PARQUET, ZIP))]

    def changed(self) -> list[Notice]:
        """A notice for each file that is no longer as it was; an InputError where one lost some of its content.

        One that is gone does no harm: what was opened can be read to its end.
        """
        now = {name: _state(path) for name, (path, _) in self._before.items()}
        changed = [(name, old, now[name]) for name, (_, old) in self._before.items() if now[name] not in {None, old}]
        shorter = [name for name, old, new in changed if old is not None and new is not None and new[0] < old[0]]
        if shorter:
            raise InputError(*(f"{name}: has become shorter while it was read; read it again" for name in shorter))
        message = "has changed while it was read; perhaps something still writes to it"
        return [("changed_file", f"{name} {message}") for name, _, _ in changed]


def escaped_quotes(name: str, lines: Sequence[str]) -> list[Notice]:
    """A notice where these lines of CSV have quotes behind a backslash."""
    found = next((number for number, line in enumerate(lines, start=1) if ESCAPED.search(line)), None)
    message = 'has a quote behind a backslash (\\"); CSV doubles quotes (""), so fields may be cut wrongly'
    return [] if found is None else [("escaped_quotes", f"{name}: line {found:,} {message}")]


def cut_off(name: str) -> Notice:
    """Of a file whose last line has no end and is no row."""
    return "cut_off", f"{name}: the last line breaks off, and is left out; perhaps something still writes to the file"


def _state(path: Path) -> State | None:
    """Size and time of the last change; None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns

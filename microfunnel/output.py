"""Reports reach standard output or a file, whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from microfunnel.errors import OutputError
from microfunnel.events import EventTable
from microfunnel.interrupts import temporary


def write_output(text: str | bytes, path: Path | None, inputs: Collection[Path]) -> None:
    """Writes the text to standard output or to a file, which is replaced only when the new one is complete.

    A file that was read (one of `inputs`) is never written to.
    """
    if path is not None:
        _write([_bytes(text)], path, inputs)
    elif sys.stdout is not None:
        _print(text)


def refuse_existing(path: Path | None, *, force: bool) -> None:
    """An OutputError where the file is there, before anything takes time."""
    if path is not None and path.is_file() and not force:
        raise OutputError(f"{path}: is there already", hint="choose another name, or replace it (--force)")


def write_rejects(events: EventTable, rows: int, path: Path, inputs: Collection[Path]) -> None:
    """Writes so many rejected rows to a file as NDJSON: `file`, `line`, `reason` and `raw`, what stands there."""
    frames = events.rejects(rows) if events.rejects is not None else ()
    _write((_bytes(frame.write_ndjson()) for frame in frames), path, inputs)


def _write(pieces: Iterable[bytes], path: Path, inputs: Collection[Path]) -> None:
    """Writes the pieces, one after the other, to a file that is replaced when all of them are there."""
    try:
        if path.exists() and any(path.samefile(read) for read in inputs if read.exists()):
            raise OutputError(f"{path}: was read for this report, so it is not written to")
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(pieces)
        else:
            _replace(path.resolve(), pieces)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror}") from error


def _print(text: str | bytes) -> None:
    if isinstance(text, str):
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
    sys.stdout.flush()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with temporary(draft), os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

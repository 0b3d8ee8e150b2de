"""Temporary files: readable by their owner alone, gone at the end, and swept by the next run where one was killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from microfunnel.errors import OutputError
from microfunnel.interrupts import temporary
from microfunnel.wording import brief

PREFIX = "microfunnel-"
LOCK = "lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder (mode 0700) that is removed at the end of the `with` block, whatever ends it."""
    with ExitStack() as stack:
        with scratch_errors():
            _sweep(Path(tempfile.gettempdir()))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX)))
            stack.enter_context(temporary(folder))
            # Locked under another name first, so that no folder in use ever has a lock that can be taken.
            lock = stack.enter_context((folder / "new lock").open("w"))
            _take(lock)
            (folder / "new lock").rename(folder / LOCK)
        yield folder


@contextmanager
def scratch_errors(place: Path | None = None) -> Iterator[None]:
    """Turns what goes wrong with temporary files into an OutputError that names their place."""
    try:
        yield
    except OSError as error:
        why = error.strerror or brief(str(error))
        hint = "set TMPDIR to a folder with more room, or allow more --memory"
        raise OutputError(
            f"{f'{place}: ' if place else ''}temporary files can't be written: {why}", hint=hint
        ) from error


def _sweep(place: Path) -> None:
    """Removes what killed runs have left: their locks can be taken."""
    for lock_file in place.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock_file.open("r+") as lock:
            if _take(lock) and lock_file.lstat().st_uid == os.geteuid():
                shutil.rmtree(lock_file.parent, ignore_errors=True)


def _take(lock: IO[str]) -> bool:
    """Whether the lock could be taken; the end of the process, however it comes, gives it back."""
    try:
        import fcntl
    except ImportError:
        # Windows has no such locks; nothing is swept there.
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

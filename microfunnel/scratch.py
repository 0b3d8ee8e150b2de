"""Temporary files: readable by their owner alone, gone at the end, and swept by the next run where one was killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PREFIX = "microfunnel-"
LOCK = "lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder (mode 0700) that is removed at the end of the `with` block, whatever ends it."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        # Locked under another name first, so that no folder in use ever has a lock that can be taken.
        with (folder / "new lock").open("w") as lock:
            _take(lock)
            (folder / "new lock").rename(folder / LOCK)
            yield folder


def _sweep(place: Path) -> None:
    """Removes what killed runs have left: their locks can be taken."""
    for lock_file in place.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock_file.open("r+") as lock:
            if _take(lock):
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

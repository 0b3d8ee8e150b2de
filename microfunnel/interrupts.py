"""Ctrl-C, SIGTERM and SIGHUP end a run at once, whatever it does, and nothing temporary stays behind."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_temporary: set[Path] = set()
_last_acts: list[Callable[[], None]] = []


def watch_signals() -> None:
    """From now on a thread waits for these signals, and ends the process when one comes.

    Handlers written in Python would run only when a query of polars has ended. Windows has no such waiting; there
    Ctrl-C stays what Python makes of it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "pthread_sigmask"):
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # Who starts a program in the background of a script has it ignore SIGINT, and nohup has it ignore SIGHUP.
    watched = {number for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


@contextmanager
def temporary(path: Path) -> Iterator[None]:
    """A file or a folder that is removed should a signal end the run within the `with` block."""
    _temporary.add(path)
    try:
        yield
    finally:
        _temporary.discard(path)


@contextmanager
def at_signal(act: Callable[[], None]) -> Iterator[None]:
    """Something that is done should a signal end the run within the `with` block."""
    _last_acts.append(act)
    try:
        yield
    finally:
        _last_acts.remove(act)


def _end_with(watched: Collection[signal.Signals]) -> None:
    number = signal.sigwait(watched)
    for act in _last_acts:
        act()
    for path in list(_temporary):
        # Another thread may be writing into the folder.
        while path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
    os._exit(128 + number)

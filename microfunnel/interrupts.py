"""Ctrl-C and SIGTERM end a run at once, cleaned up, also in the middle of a query."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
_received: list[int] = []


def watch_signals() -> None:
    """From now on SIGTERM and SIGHUP arrive as a KeyboardInterrupt too; `received_signal` tells which it was.

    Handlers written in Python only run when a query of polars has ended, but polars itself heeds SIGINT. So a thread
    that the arrival of a signal wakes sends that.
    """
    is_main = threading.current_thread() is threading.main_thread()
    # Who starts a program in the background of a script has it ignore SIGINT; then SIGTERM ends it as it always does.
    if not is_main or not hasattr(signal, "pthread_kill") or signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _ignore)
    threading.Thread(target=_pass_on, args=(reading,), daemon=True).start()


def received_signal() -> int:
    """The signal that ended the run; SIGINT where it was none of the others."""
    return _received[0] if _received else signal.SIGINT


def interruptible(query: Callable[[], T]) -> T:
    """The result of a query; a KeyboardInterrupt leaves it just once.

    An interrupted query raises it twice, the second time in whatever handles the first.
    """
    try:
        try:
            return query()
        except KeyboardInterrupt:
            time.sleep(0.05)
    except KeyboardInterrupt:
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """What happens instead happens in `_pass_on`."""


def _pass_on(reading: int) -> None:
    while number := os.read(reading, 1):
        if number[0] != signal.SIGINT:
            _received.append(number[0])
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

"""On a terminal, how far a long run has come: one line on standard error that is gone when the run is over.

It is drawn by a thread of its own. Who does the work leaves a number now and then, and never waits for the terminal.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, TextIO

from microfunnel.interrupts import at_signal
from microfunnel.progress import NOBODY, Ask, Expected, Listener, Phase, unknown
from microfunnel.rendering.text import duration, number
from microfunnel.screen import detect_screen, shows_progress

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 0.5
"""Seconds: what is over before needs no progress, and a line that comes and goes is a flicker."""
FRAME = 0.1
"""Seconds between two looks at how far it is."""
FAREWELL = 1.0
"""Seconds that a signal waits for the line to go; a terminal that takes nothing must not keep the process."""
LEAST_DONE = 0.02
"""The share that must be done before its pace says when the rest will be."""
MILLION = 1_000_000
UNITS = {Phase.READING: "rows", Phase.COUNTING: "parts"}


@contextmanager
def shown_progress(color: str) -> Iterator[Listener]:
    """Shows on standard error what it is told within the `with` block, where that is a terminal and it takes long."""
    # What is behind makes everything harmless which moves a cursor. Only our own words and numbers are written.
    stream = getattr(sys.stderr, "stream", sys.stderr)
    if stream is None or not shows_progress(stream):
        yield NOBODY
        return
    display = _Display(stream, color)
    with at_signal(partial(display.end, FAREWELL)):
        try:
            yield display
        finally:
            display.end()


def progress_words(phase: Phase, done: int, expected: Expected | None, seconds: float) -> str:
    """How far a phase is after so many seconds, such as `reading 2.0 of about 8.0 million rows, ...`."""
    unit = UNITS.get(phase)
    if unit is None or not (done or expected) or (expected is not None and expected.amount == 1):
        return str(phase)
    words = [f"{phase} {_share(done, expected)} {unit}"]
    if expected is not None and done >= expected.amount * LEAST_DONE:
        left = round(seconds * (expected.amount - done) / done)
        words += [f"about {duration(left)} left"] if left else []
    if done and phase is Phase.READING:
        words.append(f"{_amount(round(done / seconds))} a second")
    return ", ".join(words)


def _share(done: int, expected: Expected | None) -> str:
    if expected is None:
        return _amount(done)
    whole = _amount(expected.amount) if expected.is_exact else f"about {_amount(expected.amount)}"
    if not done:
        return whole
    return f"{number(done) if expected.amount < MILLION else f'{done / MILLION:,.1f}'} of {whole}"


def _amount(n: int) -> str:
    return number(n) if n < MILLION else f"{n / MILLION:,.1f} million"


class _Display:
    def __init__(self, stream: TextIO, color: str) -> None:
        self._stream = stream
        self._color = color
        self._work = _Work(Phase.OPENING, unknown)
        self._over = Event()
        self._thread = Thread(target=self._show, daemon=True)
        self._thread.start()

    def end(self, timeout: float | None = None) -> None:
        """The line is gone when this returns, and none comes any more."""
        self._over.set()
        self._thread.join(timeout)

    def begin(self, phase: Phase, ask: Ask) -> None:
        self._work = _Work(phase, ask)

    def advance(self, amount: int) -> None:
        self._work.done += amount

    def _show(self) -> None:
        if self._over.wait(PATIENCE):
            return
        with _line(self._stream, self._color) as line:
            while not self._over.wait(FRAME):
                work = self._work
                work.draw(line)
                work.look_ahead()


class _Work:
    """One phase, and how far it is."""

    def __init__(self, phase: Phase, ask: Ask) -> None:
        self.done = 0
        self._phase = phase
        self._began = time.monotonic()
        self._ask: Ask | None = ask
        self._expected: Expected | None = None

    def look_ahead(self) -> None:
        """Finds out how much there is in all; that may take a moment where the machine is busy."""
        if self._ask is not None:
            self._expected, self._ask = self._ask(), None

    def draw(self, line: "Progress") -> None:
        done = self.done
        # An estimate that turns out too small is none.
        expected = self._expected if self._expected is not None and self._expected.amount >= max(done, 1) else None
        words = progress_words(self._phase, done, expected, time.monotonic() - self._began)
        # A task of rich never forgets its total, so each look has a task of its own.
        for task in line.task_ids:
            line.remove_task(task)
        line.add_task("", completed=done, total=expected.amount if expected is not None and done else None, words=words)


def _line(stream: TextIO, color: str) -> "Progress":
    """A line on this terminal: words, and a bar where there is room for one."""
    # Loading it takes a tenth of a second, and a short run never gets here.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    class SteadyConsole(Console):
        """Leaves the cursor as it is: nothing has to be restored then, even after a kill."""

        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - as rich has it
            return False

    has_colour = detect_screen(stream, color).colour
    console = SteadyConsole(
        file=stream,
        force_terminal=True,
        force_interactive=True,
        force_jupyter=False,
        color_system="standard" if has_colour else None,
        no_color=not has_colour,
        markup=False,
        emoji=False,
        highlight=False,
    )
    return Progress(
        TextColumn("{task.fields[words]}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(
            None, complete_style="cyan", finished_style="cyan", pulse_style="cyan", table_column=Column(max_width=30)
        ),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )

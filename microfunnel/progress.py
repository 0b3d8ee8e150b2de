"""How far a long run has come, for whoever listens: the counting says it, and knows nothing of who hears it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """What takes its time."""

    OPENING = "opening files"
    READING = "reading"
    COUNTING = "counting"
    NAMING = "looking up event names"


@dataclass(frozen=True, slots=True)
class Expected:
    """How much there is in all."""

    amount: int
    is_exact: bool
    """An estimate is only good for a progress bar."""


Ask = Callable[[], Expected | None]
"""How much to expect, found out only when somebody wants to know; None where there is no telling."""


class Listener(Protocol):
    """Who is told how far it has come; called from any thread, so it may not take long."""

    def begin(self, phase: Phase, ask: Ask) -> None:
        """A phase begins, and the one before is over."""

    def advance(self, amount: int) -> None:
        """So much more of the phase is done: rows, or parts of the counting."""


class Nobody:
    """Does not listen."""

    def begin(self, phase: Phase, ask: Ask) -> None:
        pass

    def advance(self, amount: int) -> None:
        pass


NOBODY: Listener = Nobody()


def unknown() -> None:
    """What to expect where there is no telling."""

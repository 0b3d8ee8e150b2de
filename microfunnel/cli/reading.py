"""The events of a command, read while a terminal shows how far that is."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from microfunnel.cli.options import Color

if TYPE_CHECKING:
    from microfunnel.events import EventTable
    from microfunnel.reading.events import Request

Result = TypeVar("Result")


def read(wanted: "Request", use: Callable[["EventTable"], Result], color: Color) -> Result:
    """What `use` makes of the events; meanwhile a terminal shows how far it is."""
    from dataclasses import replace

    from microfunnel.display import shown_progress
    from microfunnel.reading.events import read_events

    stdin = sys.stdin.buffer if sys.stdin is not None else None
    with shown_progress(color) as listener:
        return read_events(replace(wanted, listener=listener), stdin, use)

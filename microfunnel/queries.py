"""Queries over the events: interruptible, and with the name of the file where one can't be read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import EventTable
from microfunnel.interrupts import interruptible

BATCH = 1_000_000


def collect(events: EventTable, *frames: pl.LazyFrame) -> list[pl.DataFrame]:
    """The frames, which are queries of these events, from one reading; an InputError names a broken file."""
    with _naming(events):
        return interruptible(partial(pl.collect_all, frames, engine="streaming"))


def read_batches(events: EventTable, frame: pl.LazyFrame, take: Callable[[pl.DataFrame], None]) -> None:
    """Hands the frame, a query of these events, over in batches, in its order; an InputError names a broken file."""
    failures: list[BaseException] = []

    def take_one(batch: pl.DataFrame) -> bool:
        # What is raised in here polars would take for a fault of the query.
        try:
            take(batch)
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)
        return bool(failures)

    with _naming(events):
        interruptible(partial(frame.sink_batches, take_one, chunk_size=BATCH, engine="streaming"))
    for failure in failures:
        raise failure


@contextmanager
def _naming(events: EventTable) -> Iterator[None]:
    try:
        with reading_errors():
            yield
    except InputError:
        # Errors of polars do not say which of many files is meant.
        for name, part in events.parts:
            with reading_errors(f"{name}: "):
                interruptible(partial(part.select(pl.all().null_count()).collect, engine="streaming"))
        raise

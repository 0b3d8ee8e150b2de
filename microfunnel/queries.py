"""Queries over the events, with the name of the file where one can't be read."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.events import EventTable
from microfunnel.progress import Phase

BATCH = 1_000_000


def collect(events: EventTable, *frames: pl.LazyFrame) -> list[pl.DataFrame]:
    """The frames, which are queries of these events, from one reading; an InputError names a broken file."""
    with _naming(events):
        return pl.collect_all(frames, engine="streaming")


def read_batches(
    events: EventTable, frame: pl.LazyFrame, take: Callable[[pl.DataFrame], None], rows: int | None = None
) -> None:
    """Hands the frame, a query of these events, over in batches of BATCH or so many rows, in its order.

    An InputError names a broken file.
    """
    events.listener.begin(Phase.READING, events.expected)
    taking: list[Future[None]] = []

    def hand_over(batch: pl.DataFrame) -> bool:
        """Whether to stop; what `take` raises is no fault of the query, so it is kept out of it."""
        if taking and taking[0].exception() is not None:
            return True
        taking[:] = [taker.submit(take, batch)]
        events.listener.advance(batch.height)
        return False

    # While one batch is taken the next one is read.
    with ThreadPoolExecutor(1) as taker:
        with _naming(events):
            frame.sink_batches(hand_over, chunk_size=rows or BATCH, engine="streaming")
        for last in taking:
            last.result()


@contextmanager
def _naming(events: EventTable) -> Iterator[None]:
    try:
        with reading_errors():
            yield
    except InputError:
        # Errors of polars do not say which of many files is meant.
        for name, part in events.by_file():
            with reading_errors(f"{name}: "):
                part.select(pl.all().null_count()).collect(engine="streaming")
        raise

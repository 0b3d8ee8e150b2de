"""Which user did what, how often and when first: for every event name of a log, however large."""

from pathlib import Path

import polars as pl

from microfunnel.duplicates import without_duplicates
from microfunnel.events import DUPLICATE_OF, TIME, USER, field_column
from microfunnel.partitions import Partition, Partitions

MOST_NAMES = 200_000
"""Names that are told apart; those met later count together."""
CODE = "code"
EVENTS = "events"
FIRST = "first"
USERS = "users"
EVENT = field_column("event")


class Acts:
    """Gathers them from batches of events, in about so much memory."""

    def __init__(self, folder: Path, memory: int) -> None:
        self._parts = Partitions(folder, memory)
        self._names = pl.DataFrame(schema={EVENT: pl.String, CODE: pl.UInt32})

    @property
    def names(self) -> list[str]:
        """The names of the events, each at the place of its code."""
        return self._names[EVENT].to_list()

    def add(self, rows: pl.DataFrame) -> None:
        """Adds used events: `user`, `time`, their name, and `duplicate of` where something tells duplicates."""
        self._learn(rows[EVENT])
        coded = rows.lazy().join(self._names.lazy(), on=EVENT, how="left")
        if DUPLICATE_OF in rows.columns:
            self._parts.add(coded.select(USER, TIME, CODE, DUPLICATE_OF).collect())
        else:
            self._parts.add(_summed(coded.with_columns(pl.lit(1, dtype=pl.UInt32).alias(EVENTS)), TIME).collect())

    def _learn(self, events: pl.Series) -> None:
        new = events.unique().rename(EVENT).to_frame().join(self._names, on=EVENT, how="anti").sort(EVENT)
        known = self._names.height
        if new.height and known < MOST_NAMES:
            new = new.head(MOST_NAMES - known)
            codes = pl.int_range(known, known + new.height, dtype=pl.UInt32, eager=True).alias(CODE)
            self._names = pl.concat([self._names, new.with_columns(codes)])

    def partitions(self) -> list[Partition]:
        """What was added, some users after the others; read each with `acts_of`."""
        return self._parts.partitions()


def acts_of(partition: Partition) -> tuple[pl.DataFrame, int]:
    """Of whole users: `user`, `code`, `events` and `first` (microseconds), and the rows that were there twice."""
    rows = partition.rows()
    if EVENTS in rows.columns:
        return _summed(rows.lazy(), FIRST).collect(), 0
    once, duplicates = without_duplicates(rows)
    return _summed(once.lazy().with_columns(pl.lit(1, dtype=pl.UInt32).alias(EVENTS)), TIME).collect(), duplicates


def _summed(acts: pl.LazyFrame, time: str) -> pl.LazyFrame:
    return acts.group_by(USER, CODE).agg(pl.col(EVENTS).sum(), pl.col(time).min().alias(FIRST))

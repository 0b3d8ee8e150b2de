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
USERS = "users"
EVENT = field_column("event")


class Acts:
    """Gathers them from batches of events, in about so much memory."""

    def __init__(self, folder: Path, memory: int, *, with_times: bool) -> None:
        """Only `with_times` can be told when somebody did something first; they take two fifths of the memory."""
        self._with_times = with_times
        self._parts = Partitions(folder, memory)
        self.names: list[str] = []
        """The names of the events, each at the place of its code."""
        self._codes = pl.Enum([])

    def add(self, rows: pl.DataFrame) -> None:
        """Adds used events: `user`, `time`, their name, and `duplicate of` where something tells duplicates."""
        codes = rows[EVENT].cast(self._codes, strict=False)
        if codes.has_nulls() and len(self.names) < MOST_NAMES:
            new = rows[EVENT].filter(codes.is_null()).unique().sort().head(MOST_NAMES - len(self.names))
            self.names += new.to_list()
            self._codes = pl.Enum(self.names)
            codes = rows[EVENT].cast(self._codes, strict=False)
        # Of rows that are one event the earliest stays.
        left_out = [EVENT] if self._with_times or DUPLICATE_OF in rows.columns else [EVENT, TIME]
        self._parts.add(rows.drop(left_out).with_columns(codes.to_physical().cast(pl.UInt32).alias(CODE)))

    def partitions(self) -> list[Partition]:
        """What was added, some users after the others; count each with `tally_of`."""
        return self._parts.partitions()


def tally_of(partition: Partition) -> tuple[pl.DataFrame, int, int]:
    """Of whole users: `tally` by code; how many users these are, and the rows that were there twice."""
    once, duplicates = without_duplicates(partition.rows())
    return tally(once.lazy(), CODE), once[USER].n_unique(), duplicates


def tally(rows: pl.LazyFrame, by: str) -> pl.DataFrame:
    """Of rows of whole users without duplicates: for each value of a column the `users` and `events` (UInt64)."""
    counts = rows.group_by(by).agg(pl.col(USER).n_unique().alias(USERS), pl.len().alias(EVENTS))
    return counts.with_columns(pl.col(USERS, EVENTS).cast(pl.UInt64)).collect()

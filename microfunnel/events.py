"""The canonical events: what every reading yields and every count starts from."""

from dataclasses import dataclass

import polars as pl

USER = "user"
TIME = "time"
SESSION = "session"
REJECTED = "rejected"

REASONS = ("", "empty_user", "empty_time", "unreadable_time", "empty_event")
"""Why a row is rejected, by the number in the column `rejected`; 0 is a good row."""


def field_column(field: str) -> str:
    """The column of the canonical events that holds a field of the export as text."""
    return f"field:{field}"


@dataclass(frozen=True, slots=True)
class EventTable:
    """Events of one reading, not yet read.

    `frame` has a row for each row of the files: `user` (UInt64, a hash of the id), `time` (Int64, microseconds since
    1970 UTC; null where it can't be read), `session` (UInt64, a hash of user and session id, null where the row has
    none; only where the export has sessions and something asks for them), `rejected` (UInt8, an index of REASONS) and
    `field:NAME` (String, null where missing) for each field that the goals look at.
    """

    frame: pl.LazyFrame
    files: int
    warnings: tuple[tuple[str, str], ...] = ()
    """What was noticed while opening the files: a short code and a message each."""

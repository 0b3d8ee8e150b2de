"""The canonical events: what every reading yields and every count starts from."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl

from microfunnel.forms import Form
from microfunnel.progress import NOBODY, Ask, Listener, unknown

USER = "user"
TIME = "time"
SESSION = "session"
REJECTED = "rejected"

SPREAD = 0x9E37_79B9_7F4A_7C15
"""Times this odd number, different whole ids of users are different keys, and far apart."""

DUPLICATE_OF = "duplicate of"
TIE = "tie"

REASONS = (
    "",
    "blank_row",
    "empty_user",
    "empty_time",
    "unreadable_time",
    "time_out_of_range",
    "empty_event",
    "duplicate",
    "too_few_fields",
    "too_many_fields",
    "bad_quote",
    "oversized_field",
    "bad_json",
    "bad_line",
    "cut_off",
)
"""Why a row is rejected, by the number in the column `rejected`; 0 is a good row."""


def field_column(field: str) -> str:
    """The column of the canonical events that holds a field of the export as text."""
    return f"field:{field}"


def in_period(since: int | None, until: int | None, time: str = TIME) -> pl.Expr:
    """Whether a moment lies in the period from `since` on and before `until` (microseconds since 1970 UTC)."""
    begun = pl.lit(value=True) if since is None else pl.col(time) >= since
    return begun if until is None else begun & (pl.col(time) < until)


class Rows(NamedTuple):
    """What became of the rows of a reading."""

    read: int
    used: int
    filtered: int
    rejected: Mapping[str, int]
    """Reason to rows; only reasons that occurred."""


@dataclass(frozen=True, slots=True)
class EventTable:
    """Events of one reading, not yet read.

    `frame`, as that of each file, has a row for each of their rows: `user` (UInt64, the key of the id), `time` (Int64,
    microseconds since 1970 UTC; null where it can't be read), `session` (UInt64, a hash of user and session id, null
    where the row has none; only where the export has sessions and something asks for them), `rejected` (UInt8, an index
    of REASONS), `duplicate of` (UInt64, the same in rows of one user that are one event written twice, null where a row
    does not say; only where something tells), `tie` (String, by which events of one instant have an order; only
    where the layout of some file knows it) and `field:NAME` (String, null where missing) for each field that the goals
    look at.
    """

    frame: pl.LazyFrame
    """The events of all files."""
    by_file: Callable[[], Iterable[tuple[str, pl.LazyFrame]]] = tuple
    """The name of each file and its events, where these have to be told apart."""
    paths: tuple[Path, ...] = ()
    """The files of this machine, as people call them; those in an archive are none of their own."""
    elsewhere: int = 0
    """How many more were read elsewhere."""
    warnings: tuple[tuple[str, str], ...] = ()
    """What was noticed while opening the files: a short code and a message each."""
    noticed: Callable[[int | None, int | None], Sequence[tuple[str, str]]] | None = None
    """What more was noticed while the events were read, asked for when their first and last time are known."""
    joined_ids: int | None = None
    """Anonymous ids that were found to belong to a user; None where no column of them is declared."""
    layouts: tuple[str, ...] = ()
    """Of which tools the files are exports, where that was recognised."""
    broken: Mapping[str, int] = field(default_factory=dict)
    """Lines of the files that are no rows: how many for which reason."""
    rejects: Callable[[int], Iterator[pl.DataFrame]] | None = None
    """Reads again which rows were rejected, so many at most: `file`, `line` (UInt32), `reason`, `raw` (else String)."""
    forms: tuple[Form, ...] = ()
    """What the files look like, where that was asked for."""
    problems: tuple[str, ...] = ()
    """What was not found in the files, where that was asked for: user, time or event."""
    is_user: Callable[[str], bool] = "user".__eq__
    """Whether the field of a name is the id of the user in every file: rows that have it in common are one user's."""
    whole_ids: bool = False
    """Whether the ids of users are whole numbers in every file; these are their own keys, others are hashed."""

    expected: Ask = unknown
    """How many rows there are."""
    listener: Listener = NOBODY
    """Who is told how far the reading and the counting of these events is."""

    def user_key(self, user: str) -> int:
        """What stands in the column `user` for this id."""
        if self.whole_ids and re.fullmatch(r"0|-?[1-9]\d{0,18}", user, re.ASCII) and -(2**63) <= int(user) < 2**63:
            return int(user) * SPREAD % 2**64
        return int(pl.Series([user], dtype=pl.String).hash().item())

    def whole_id(self, key: int) -> str | None:
        """The id with this key, where the ids are whole numbers."""
        number = key * pow(SPREAD, -1, 2**64) % 2**64
        return str(number - 2**64 if number >= 2**63 else number) if self.whole_ids else None

    @property
    def user_text(self) -> pl.Expr:
        """The id of the user of a row as text; of `field:user` where the ids are no whole numbers."""
        if not self.whole_ids:
            return pl.col(field_column("user"))
        return (pl.col(USER) * pow(SPREAD, -1, 2**64)).reinterpret(signed=True).cast(pl.String)

    @property
    def files(self) -> int:
        """How many were read, here and elsewhere."""
        return len(self.paths) + self.elsewhere

    def account(self, read: int, used: int, rejected: Counter[str], duplicates: int) -> Rows:
        """The account of all rows: those that became events, with duplicates among the used, and the broken lines."""
        all_rejected = rejected + Counter(self.broken) + Counter({"duplicate": duplicates})
        all_read, all_used = read + sum(self.broken.values()), used - duplicates
        reasons = {reason: all_rejected[reason] for reason in REASONS[1:] if all_rejected[reason]}
        return Rows(all_read, all_used, all_read - all_used - all_rejected.total(), reasons)

"""Who has a large part of all rows, noticed batch by batch without counting the rows of everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from microfunnel.events import USER, field_column

ID = field_column("user")

BUSY = 20
"""A user is busy with more than the twentieth part of all rows."""
PARTS = 32
"""By their high bits, keys fall into so many parts; a twentieth is much for one that no busy user is in."""
WIDTH = 256 // PARTS


@dataclass(frozen=True, slots=True)
class Suspect:
    """An event name, or a user."""

    rows: int
    """How many of the used rows are of it."""
    columns: frozenset[str]
    """The conditions that tell events apart and hold for some of these rows."""
    text: str | None
    """The id of a user; None where the events do not have it as text."""


class BusyUsers:
    """Takes in batches; keeps a few keys of each, and all that there is to say of who is busy all the time."""

    def __init__(self, columns: Sequence[str]) -> None:
        """`columns` are the conditions that tell events apart."""
        self._columns = columns
        self._rows = 0
        self._of_parts = [0] * PARTS
        self._candidates: set[int] = set()
        self._followed: dict[int, Suspect] = {}

    def take(self, used: pl.DataFrame, needed: pl.DataFrame) -> None:
        """Takes in the used rows of a batch, and at least those of them that a condition holds for.

        Columns: `user` (UInt64), of the used rows the id if they have one, of the needed ones the conditions.
        """
        users = used[USER]
        is_first = not self._rows
        self._note(users)
        if is_first:
            self._followed = {user: Suspect(0, frozenset(), _id(used, user)) for user in self._candidates}
        followed = {user: self._more_of(user, seen, used, needed) for user, seen in self._followed.items()}
        self._followed = {user: seen for user, seen in followed.items() if seen.rows * BUSY > self._rows}

    def _more_of(self, user: int, seen: Suspect, used: pl.DataFrame, needed: pl.DataFrame) -> Suspect:
        """What there is to say of a user after another batch."""
        own = needed.filter(_is(user))
        holding = {column for column in self._columns if own[column].any()}
        rows = int(used.select(_is(user).sum()).item())
        return Suspect(seen.rows + rows, seen.columns | holding, seen.text)

    def _note(self, users: pl.Series) -> None:
        """Counts the rows of each part, and keeps the keys of those who have many of this batch."""
        high = (users // 2**56).cast(pl.UInt8, wrap_numerical=True)
        # Comparing bytes and counting what holds takes a tenth of the time of grouping.
        below = [0, *(int((high < part * WIDTH).sum()) for part in range(1, PARTS)), len(users)]
        counts = [end - begin for begin, end in pairwise(below)]
        self._rows += len(users)
        self._of_parts = [all_rows + n for all_rows, n in zip(self._of_parts, counts, strict=True)]
        for part, n in enumerate(counts):
            # A user with half of that makes it much for a part; of its halves it is much for one only if one is busy.
            lower = int((high < part * WIDTH + WIDTH // 2).sum()) - below[part] if n * BUSY > len(users) else 0
            if max(lower, n - lower) * BUSY > len(users):
                own = users.filter((high >= part * WIDTH) & (high <= part * WIDTH + WIDTH - 1)).value_counts()
                busy = own.filter(pl.col("count").cast(pl.Int64) * BUSY > len(users))
                self._candidates.update(busy.to_series())

    @property
    def candidates(self) -> Mapping[int, Suspect | None]:
        """All users who can have more than a twentieth of all rows, by key; None where a second look must tell of one.

        Who has that has more than a twentieth of the rows of some batch, and the part of its key has it of all.
        """
        much = {part for part, n in enumerate(self._of_parts) if n * BUSY > self._rows}
        return {user: self._followed.get(user) for user in self._candidates if (user >> 56) // WIDTH in much}


def _is(user: int) -> pl.Expr:
    return pl.col(USER) == pl.lit(user, dtype=pl.UInt64)


def _id(used: pl.DataFrame, user: int) -> str | None:
    return used.filter(_is(user)).select(pl.col(ID).min()).item() if ID in used.columns else None

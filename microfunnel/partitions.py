"""Rows of whole users, some users after the others: in memory while they fit there, else in temporary files."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

import polars as pl

from microfunnel.errors import InputError
from microfunnel.events import USER
from microfunnel.fetching import fetch
from microfunnel.scratch import scratch_errors

PARTITIONS = 64
"""Few enough for their files, and enough that each is a small part of any log."""
DIVIDED = 1_000_000
"""So many rows are divided at once."""
COUNTS_IN = 170
"""Bytes that counting takes for each row of a partition."""
LARGEST = 35_000_000
"""Rows of a partition that are counted whatever memory is allowed."""
COUNTED = 500
"""Partitions are counted together while they have a row for so many bytes of memory: each also takes some by itself."""
FEWEST = 250_000
"""Rows of a partition that is not taken apart whatever memory is allowed."""
RANGES = 2**14
"""A partition that is too large is taken apart between ranges of keys, of which there are so many in all."""
LOOKED_AT = 8
"""Pieces of a partition that tell where it is taken apart: which users have most rows shows in some of them."""
KEYS = 2**64
"""So many different keys there can be."""


@dataclass(frozen=True, slots=True)
class Partition:
    """All rows of some users."""

    pieces: tuple[pl.DataFrame | Path, ...]
    most: int = LARGEST
    """Rows that can be counted together."""
    keys: tuple[int, int] | None = None
    """The first and the last key of the users that are meant; None for all in the pieces."""

    def rows(self) -> pl.DataFrame:
        """The rows in no order; an InputError where they are too many: the rows of a user can't be taken apart."""
        frames = [self._own(_loaded(piece)) for piece in self.pieces]
        rows = sum(frame.height for frame in frames)
        if rows > self.most:
            memory = f"--memory {math.ceil(rows * COUNTS_IN / 10**9)}GB"
            raise InputError(
                f"{rows:,} rows that goals look at must be counted together: they are those of one user, or of few",
                hint=f"leave users out who are none (events: {{where: ...}}), or allow more memory: {memory}",
            )
        return _in_one_piece(frames)

    def taken_apart(self, number: int) -> list["Partition"]:
        """Up to so many partitions of some of the users each, of about as many rows each where no user has more."""
        some = self.pieces[:: math.ceil(len(self.pieces) / LOOKED_AT)]
        found = pl.concat(_loaded(piece).select(_range_of(RANGES).alias("range")) for piece in some)
        ranges = found.group_by("range").agg(pl.len().cast(pl.Int64)).sort("range")
        rows = pl.col("len")
        parts = ranges.group_by((rows.cum_sum() - rows) * number // rows.sum()).agg(pl.col("range").min())
        cuts = [begin * (KEYS // RANGES) for begin in sorted(parts["range"])[1:]]
        return [replace(self, keys=(begin, end - 1)) for begin, end in pairwise([0, *cuts, KEYS])]

    def _own(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows if self.keys is None else rows.filter(pl.col(USER).is_between(*self.keys))


@dataclass(frozen=True, slots=True)
class _Divided:
    """Rows that were divided at once."""

    pieces: list[tuple[int, pl.DataFrame]]
    """With the numbers of their partitions."""
    size: int
    """Bytes in memory."""


def _range_of(ranges: int) -> pl.Expr:
    """In which of so many equal ranges of all keys a user is (UInt16)."""
    # The high bits: multiples of 64 have multiples of 64 as keys.
    return (pl.col(USER) // (KEYS // ranges)).cast(pl.UInt16, wrap_numerical=True)


def _in_one_piece(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One after the other; of a single frame `concat` would leave the pieces apart, which slows all that follows."""
    return pl.concat(frames).rechunk()


def _loaded(piece: pl.DataFrame | Path) -> pl.DataFrame:
    if isinstance(piece, pl.DataFrame):
        return piece
    with scratch_errors(piece.parent.parent):
        return pl.read_ipc(piece)


class Partitions:
    """Rows with `user` (UInt64), to be had again as rows of whole users."""

    def __init__(self, folder: Path, memory: int, *, divisible: bool = True) -> None:
        """About `memory` bytes of the rows stay in memory, the others go into `folder`; all together if indivisible."""
        self._folder = folder
        self._memory = memory
        self._divisible = divisible
        self._waiting: list[pl.DataFrame] = []
        self._divided: deque[_Divided] = deque()
        """What is in memory, the oldest first."""
        self._files: list[list[Path]] = [[] for _ in range(PARTITIONS)]
        self._heights = [0] * PARTITIONS
        self._size = 0
        self._written = 0

    def add(self, rows: pl.DataFrame) -> None:
        self._waiting.append(rows)
        if self._divisible and sum(each.height for each in self._waiting) >= DIVIDED:
            self._divide()

    def partitions(self) -> list[Partition]:
        """The rows added so far; at least one partition once something was added."""
        most = max(LARGEST, self._memory * 4 // COUNTS_IN)
        if not any(self._heights):
            return [Partition(tuple(self._waiting), most)]
        if self._waiting:
            self._divide()
        own: list[list[pl.DataFrame | Path]] = [list(files) for files in self._files]
        for part, rows in chain.from_iterable(each.pieces for each in self._divided):
            own[part].append(rows)
        allowed = max(FEWEST, 2 * self._memory // COUNTED)
        found: list[Partition] = []
        pieces: list[pl.DataFrame | Path] = []
        height = 0
        for part, more in enumerate(self._heights):
            pieces += own[part]
            height += more
            if height * COUNTED >= self._memory:
                whole = Partition(tuple(pieces), most)
                found += whole.taken_apart(math.ceil(height / allowed)) if height > allowed else [whole]
                pieces, height = [], 0
        return [*found, Partition(tuple(pieces), most)] if pieces else found

    def _divide(self) -> None:
        rows = _in_one_piece(self._waiting)
        self._waiting.clear()
        number = _range_of(PARTITIONS).alias("number")
        # Numbers of rows are grouped, and all else is fetched in that order, which takes half of the time of
        # `partition_by` or of a sort.
        grouped = rows.select(number).with_row_index("row").group_by("number").agg(pl.len().alias("height"), "row")
        divided = fetch(rows, grouped["row"].explode())
        pieces: list[tuple[int, pl.DataFrame]] = []
        begin = 0
        for part, height in grouped.select("number", "height").iter_rows():
            pieces.append((part, divided.slice(begin, height)))
            self._heights[part] += height
            begin += height
        self._divided.append(_Divided(pieces, int(divided.estimated_size())))
        self._size += self._divided[-1].size
        if self._size > self._memory:
            self._write()

    def _write(self) -> None:
        """Writes the older half: what is divided at once lies in one piece of memory, and leaves it together."""
        pieces: list[list[pl.DataFrame]] = [[] for _ in range(PARTITIONS)]
        while self._size > self._memory // 2:
            oldest = self._divided.popleft()
            self._size -= oldest.size
            for part, rows in oldest.pieces:
                pieces[part].append(rows)
        for part, frames in enumerate(pieces):
            if frames:
                path = self._folder / f"{id(self)}-{self._written}-{part}"
                with scratch_errors(self._folder.parent):
                    pl.concat(frames).write_ipc(path)
                self._files[part].append(path)
        self._written += 1


class Users:
    """Which users there are."""

    def __init__(self, folder: Path, memory: int) -> None:
        """Keeps about `memory` bytes at most, and in `folder` what is more than that."""
        self._most = memory // 16
        """Users of eight bytes each that take half of the memory; the rest is for finding the different ones."""
        self._users: list[pl.Series] = []
        self._held = 0
        self._divided = Partitions(folder, memory // 4)
        self._is_divided = False

    def add(self, users: pl.Series) -> None:
        """Adds users (UInt64), whether known already or not."""
        # People act several times within minutes, so most repetitions are found near, where it is cheap.
        different = users.unique(maintain_order=True)
        self._users.append(different)
        self._held += len(different)
        if self._held > self._most:
            self._users = [pl.concat(self._users).unique()]
            self._held = len(self._users[0])
            if self._held > self._most // 2:
                self._divide()

    def count(self) -> int:
        """How many different ones were added."""
        if not self._is_divided:
            return _different(pl.concat(self._users)) if self._users else 0
        if self._users:
            self._divide()
        return sum(_different(part.rows()[USER]) for part in self._divided.partitions())

    def _divide(self) -> None:
        self._is_divided = True
        for some in pl.DataFrame({USER: pl.concat(self._users)}).iter_slices(DIVIDED):
            self._divided.add(some)
        self._users.clear()
        self._held = 0


def _different(users: pl.Series) -> int:
    """How many different ones there are: of many, sorting tells in less time than hashing."""
    # Partitions are counted beside this, so one core is what there is.
    return users.sort(multithreaded=False).n_unique()

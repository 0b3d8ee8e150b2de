"""Who has a large part of all rows, noticed batch by batch without counting the rows of everybody."""

import polars as pl

BUSY = 20
"""A user is busy with more than the twentieth part of all rows."""
PARTS = 32
"""By their high bits, keys fall into so many parts; a twentieth is much for one of them."""
WIDTH = 256 // PARTS


class BusyUsers:
    """Takes in the users of batches; keeps a few keys of each at most."""

    def __init__(self) -> None:
        self._rows = 0
        self._of_parts = [0] * PARTS
        self._candidates: set[int] = set()

    def take(self, users: pl.Series) -> None:
        """Takes in the keys (UInt64) of the users of a batch."""
        high = (users // 2**56).cast(pl.UInt8, wrap_numerical=True)
        # Comparing bytes and counting what holds takes a tenth of the time of grouping.
        below = [int((high < part * WIDTH).sum()) for part in range(1, PARTS)]
        counts = [end - begin for begin, end in zip([0, *below], [*below, len(users)], strict=True)]
        self._rows += len(users)
        self._of_parts = [all_rows + n for all_rows, n in zip(self._of_parts, counts, strict=True)]
        for part, n in enumerate(counts):
            if n * BUSY > len(users):
                own = users.filter((high >= part * WIDTH) & (high <= part * WIDTH + WIDTH - 1)).value_counts()
                busy = own.filter(pl.col("count").cast(pl.Int64) * BUSY > len(users))
                self._candidates.update(busy.to_series())

    @property
    def candidates(self) -> frozenset[int]:
        """The keys of all users who can have more than a twentieth of all rows.

        Who has that has more than a twentieth of the rows of some batch, and the part of its key has it of all.
        """
        much = {part for part, n in enumerate(self._of_parts) if n * BUSY > self._rows}
        return frozenset(user for user in self._candidates if (user >> 56) // WIDTH in much)

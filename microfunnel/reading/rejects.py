"""The rows that could not be used: which line of which file, why, and what it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from microfunnel.errors import reading_errors
from microfunnel.events import REASONS, REJECTED
from microfunnel.reading.canonical import Canon, KnownTable
from microfunnel.reading.mending import BrokenRows
from microfunnel.reading.tables import LINE, lines_of

FILE, RAW, AT = "file", "raw", "at"


@dataclass(frozen=True, slots=True)
class Rejects:
    """Finds them in a reading of its own: who has none does not pay for it."""

    canon: Canon
    tables: tuple[KnownTable, ...]
    broken: Mapping[str, BrokenRows]
    """The lines of each file that were no rows."""

    def __call__(self, most: int | None = None) -> Iterator[pl.DataFrame]:
        """`file`, `line` (UInt32), `reason` and `raw` (String), file by file and line by line; of all or the first."""
        left = most
        for known in self.tables:
            if left == 0:
                return
            with reading_errors(f"{known.table.name}: "):
                found = self._of(known, left)
            left = None if left is None else left - found.height
            yield found

    def _of(self, known: KnownTable, most: int | None) -> pl.DataFrame:
        reason = pl.col(REJECTED).replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String)
        events = self.canon.events([known], numbered=True).filter(pl.col(REJECTED) > 0)
        rows = events.select(LINE, reason.alias("reason")).sort(LINE)
        judged = (rows if most is None else rows.head(most)).collect(engine="streaming")
        broken = self.broken.get(known.table.name, BrokenRows())
        kept = [pl.concat(broken.frames())] if broken.pieces else []
        lines = [(each if most is None else each.head(most)).collect() for each in kept]
        own = judged.join(self._raw(known, judged), on=LINE, how="left").with_columns(pl.coalesce(AT, LINE).alias(LINE))
        found = pl.concat([own.drop(AT), *lines], how="diagonal").sort(LINE)
        named = found.select(pl.lit(known.table.name).alias(FILE), pl.col(LINE).alias("line"), "reason", RAW)
        return named if most is None else named.head(most)

    def _raw(self, known: KnownTable, judged: pl.DataFrame) -> pl.DataFrame:
        """What stands on these lines: `number of the line`, `raw`, and `at` which line it stands where that is another.

        Of Parquet it is what the columns hold.
        """
        table = known.table
        if table.kind == "Parquet":
            rows = table.numbered.select(LINE, pl.struct(pl.col(table.schema)).struct.json_encode().alias(RAW))
        else:
            rows = lines_of(table, RAW)
        if table.kind == "NDJSON" and table.name not in self.broken:
            # polars counts the objects; mended copies hold the numbers of the lines.
            objects = rows.filter(pl.col(RAW).str.strip_chars() != "").rename({LINE: AT})
            rows = objects.with_row_index(LINE, offset=1)
        else:
            rows = rows.with_columns(pl.lit(None, dtype=pl.UInt32).alias(AT))
        wanted = judged.lazy().select(LINE).unique()
        return rows.join(wanted, on=LINE, how="semi").collect(engine="streaming")

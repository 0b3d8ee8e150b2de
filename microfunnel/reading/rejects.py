"""The rows that could not be used: which line of which file, why, and what it says."""

from collections.abc import Iterator, Mapping, Sequence
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

    def __call__(self, most: int) -> Iterator[pl.DataFrame]:
        """`file`, `line` (UInt32), `reason` and `raw` (String), file by file and line by line, of the first so many.

        Files after the last one of these are not looked at.
        """
        suspects = self._suspects()
        while most and (known := next(suspects, None)):
            with reading_errors(f"{known.table.name}: "):
                found = self._of(known, most)
            most -= found.height
            yield found

    def _suspects(self) -> Iterator[KnownTable]:
        """The tables that may have any: the longer there are none, the more tables are asked at once."""
        tables, size = self.tables, 1
        while tables:
            group, tables = tables[:size], tables[size:]
            size *= 2
            if len(group) == 1:
                yield from group
            elif self._some_in(group):
                yield from group
                size = 1

    def _some_in(self, tables: Sequence[KnownTable]) -> bool:
        """Whether any of these tables has a row that could not be used."""
        if any(known.table.name in self.broken for known in tables):
            return True
        with reading_errors():
            rejected = self.canon.events(tables).select(REJECTED).filter(pl.col(REJECTED) > 0)
            return not rejected.head(1).collect(engine="streaming").is_empty()

    def _of(self, known: KnownTable, most: int) -> pl.DataFrame:
        reason = pl.col(REJECTED).replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String)
        events = self.canon.events([known], numbered=True).filter(pl.col(REJECTED) > 0)
        judged = events.select(LINE, reason.alias("reason")).sort(LINE).head(most).collect(engine="streaming")
        broken = self.broken.get(known.table.name, BrokenRows())
        kept = [pl.concat(broken.frames())] if broken.pieces else []
        lines = [each.head(most).collect() for each in kept]
        own = judged.join(self._raw(known, judged), on=LINE, how="left").with_columns(pl.coalesce(AT, LINE).alias(LINE))
        found = pl.concat([own.drop(AT), *lines], how="diagonal").sort(LINE)
        return found.select(pl.lit(known.table.name).alias(FILE), pl.col(LINE).alias("line"), "reason", RAW).head(most)

    def _raw(self, known: KnownTable, judged: pl.DataFrame) -> pl.DataFrame:
        """What stands on these lines: `number of the line`, `raw`, and `at` which line it stands where that is another.

        Of Parquet it is what the columns hold.
        """
        table = known.table
        if judged.is_empty():
            return pl.DataFrame(schema={LINE: pl.UInt32, RAW: pl.String, AT: pl.UInt32})
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

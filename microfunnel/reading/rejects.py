"""The rows that could not be used: which line of which file, why, and what it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.errors import reading_errors
from microfunnel.events import REASONS, REJECTED
from microfunnel.reading.canonical import Canon, KnownTable
from microfunnel.reading.mending import BrokenRows
from microfunnel.reading.tables import LINE, Table, lines_of

FILE, RAW, AT = "file", "raw", "at"
BATCH = 100_000
"""Rows whose text is held at once."""


@dataclass(frozen=True, slots=True)
class Rejects:
    """Finds them in a reading of its own: who has none does not pay for it."""

    canon: Canon
    tables: tuple[KnownTable, ...]
    broken: Mapping[str, BrokenRows]
    """The lines of each file that were no rows."""

    def __call__(self, most: int) -> Iterator[pl.DataFrame]:
        """`file`, `line` (UInt32), `reason` and `raw` (String), file by file and line by line, of the first so many.

        They come in pieces, so that any number of them fits into memory. Files after the last one of these are not
        looked at.
        """
        suspects = self._suspects()
        while most and (known := next(suspects, None)):
            with reading_errors(f"{known.table.name}: "):
                for rows in self._of(known, most):
                    found = rows.head(most)
                    most -= found.height
                    yield found
                    if not most:
                        return

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

    def _of(self, known: KnownTable, most: int) -> Iterator[pl.DataFrame]:
        """At least the first so many of one table."""
        broken = self.broken.get(known.table.name, BrokenRows())
        kept = (frame.collect() for frame in broken.frames())
        for rows in _in_order(self._judged(known, most), kept):
            yield rows.select(pl.lit(known.table.name).alias(FILE), pl.col(LINE).alias("line"), "reason", RAW)

    def _judged(self, known: KnownTable, most: int) -> Iterator[pl.DataFrame]:
        """The rows that could not be used, but no broken lines: `number of the line`, `reason` and `raw`, in order."""
        events = self.canon.events([known], numbered=True).filter(pl.col(REJECTED) > 0)
        # Numbers alone: what stands on all these lines may be more than fits into memory.
        judged = events.select(LINE, REJECTED).head(most).collect(engine="streaming")
        if judged.is_empty():
            return
        reason = pl.col(REJECTED).replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String).alias("reason")
        written, at, raw = self._written(known.table)
        begin, first, last = 0, judged[LINE][0], judged[LINE][-1]
        for batch in written.slice(first - 1, last - first + 1).collect_batches(chunk_size=BATCH):
            end = judged[LINE].search_sorted(batch[LINE][-1], side="right")
            rows = judged[begin:end]
            own = batch.join(rows, on=LINE, how="semi").select(LINE, at.alias(AT), raw.alias(RAW))
            found = rows.join(own, on=LINE, maintain_order="left")
            begin = end
            if not found.is_empty():
                yield found.select(pl.col(AT).alias(LINE), reason, RAW)

    def _written(self, table: Table) -> tuple[pl.LazyFrame, pl.Expr, pl.Expr]:
        """What stands in the file, numbered as its rows are; on which line each row stands, and as what text."""
        if table.kind == "Parquet":
            return table.numbered, pl.col(LINE), pl.struct(pl.col(table.schema)).struct.json_encode()
        lines = lines_of(table, RAW)
        if table.kind == "NDJSON" and table.name not in self.broken:
            # polars counts the objects; mended copies hold the numbers of the lines.
            objects = lines.filter(pl.col(RAW).str.strip_chars() != "").rename({LINE: AT})
            return objects.with_row_index(LINE, offset=1), pl.col(AT), pl.col(RAW)
        return lines, pl.col(LINE), pl.col(RAW)


def _in_order(*streams: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The rows of all streams in order of `number of the line`, in which each of them is."""
    waiting = [(stream, next(stream, None)) for stream in streams]
    while there := [(stream, rows) for stream, rows in waiting if rows is not None]:
        # What is still to come lies beyond the first of the lines that these end with.
        until = min(rows[LINE][-1] for _, rows in there)
        yield pl.concat(rows.filter(pl.col(LINE) <= until) for _, rows in there).sort(LINE, maintain_order=True)
        later = ((stream, rows.filter(pl.col(LINE) > until)) for stream, rows in there)
        waiting = [(stream, next(stream, None) if rows.is_empty() else rows) for stream, rows in later]

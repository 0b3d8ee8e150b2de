"""Lines that are no rows are kept apart with their reason, and the rows of a file go into a copy that can be read."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from microfunnel.errors import reading_errors
from microfunnel.reading.characters import HALF, of_whole_characters
from microfunnel.reading.endings import ends_in_a_line
from microfunnel.reading.layouts.declaration import Delimited
from microfunnel.reading.lines import TEXT, is_plain, is_too_long
from microfunnel.reading.long_lines import LONGEST_LINE
from microfunnel.reading.tables import LINE, Table, lines_of, numbered_copy
from microfunnel.scratch import scratch_errors

BATCH = 100_000
MOST_LINES = 100
"""A field of more lines, or of more bytes than LONGEST_FIELD, is a quote that was never meant to be closed."""
LONGEST_FIELD = 1 << 16
PLAIN = "plain"
UNFINISHED = {"too_few_fields", "bad_quote", "bad_json"}
"""Why a line is no row that may become one when more of it is written."""
csv.field_size_limit(LONGEST_LINE)


@dataclass(slots=True)
class BrokenRows:
    """The lines of one file that are no rows: how many for which reason, and where they are kept."""

    reasons: Counter[str] = field(default_factory=Counter)
    pieces: list[Path] = field(default_factory=list)
    """IPC files of `number of the line` (UInt32), `reason` (String) and `raw` (String)."""
    mended: int = 0
    """Lines with half a character, of which the sign for what is no text was made."""

    def frames(self) -> Iterator[pl.LazyFrame]:
        return (pl.scan_ipc(piece) for piece in self.pieces)


def without_broken_lines(table: Table, folder: Path) -> tuple[Table, BrokenRows]:
    """The table of a copy that only has rows, in a new `folder`, and what is not in it."""
    folder.mkdir()
    copy = folder / "rows"
    mender = _Mender(table, folder)
    with reading_errors(f"{table.name}: "), scratch_errors(folder), copy.open("wb") as file:
        whole = pl.col(TEXT)
        # Of a line too long for any row its beginning is enough.
        some = pl.when(is_too_long()).then(whole.str.head(LONGEST_LINE + 1)).otherwise(whole)
        lines = lines_of(table, TEXT).with_columns(some)
        if table.shape is None:
            lines = lines.with_columns(pl.col(TEXT).map_batches(mender.of_whole_characters, return_dtype=pl.String))
        for batch in lines.with_columns(is_plain(table).alias(PLAIN)).collect_batches(chunk_size=BATCH):
            file.write(mender.mended(batch))
        file.write(mender.rest())
    return numbered_copy(table, copy), mender.broken


class _Mender:
    """Goes through the lines of one file, some at a time."""

    def __init__(self, table: Table, folder: Path) -> None:
        self.broken = BrokenRows()
        self._table = table
        self._folder = folder
        self._waiting: pl.DataFrame | None = None
        """The last lines so far: what begins there may end in lines to come."""

    def mended(self, batch: pl.DataFrame) -> bytes:
        """The rows that begin in these lines but the last ones, one a line that begins with its number."""
        lines = batch if self._waiting is None else pl.concat([self._waiting, batch])
        held_back = 1 if self._table.shape is None else MOST_LINES
        return self._rows(lines, max(lines.height - held_back, 0))

    def of_whole_characters(self, lines: pl.Series) -> pl.Series:
        """The lines with the sign for what is no text in place of each half of a character."""
        suspects = lines.str.contains(HALF).arg_true()
        wholes = [of_whole_characters(lines[each]) for each in suspects]
        self.broken.mended += sum(whole != lines[each] for each, whole in zip(suspects, wholes, strict=True))
        return lines.scatter(suspects, wholes) if wholes else lines

    def rest(self) -> bytes:
        """The rows that begin in the last lines."""
        if self._waiting is None:
            return b""
        is_last = pl.int_range(pl.len()) == pl.len() - 1
        lines = self._waiting.with_columns(pl.col(PLAIN) & ~(is_last & self._table.is_cut))
        return self._rows(lines, lines.height, is_end=True)

    def _rows(self, lines: pl.DataFrame, until: int, *, is_end: bool = False) -> bytes:
        verdicts, end = self._verdicts(lines, until)
        self._waiting = lines[end:]
        judged = pl.DataFrame(
            [(index, row, reason) for index, (row, reason) in verdicts.items()],
            schema={"index": pl.UInt32, "row": pl.String, "reason": pl.String},
            orient="row",
        )
        is_blank = (pl.col(TEXT).str.strip_chars() == "") & ~is_too_long()
        known = (
            lines[:end]
            .with_row_index("index")
            .filter(pl.col(LINE) > self._table.lines_before)
            .join(judged.with_columns(judged=pl.lit(value=True)), on="index", how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col("judged")).then("row").when(pl.col(PLAIN) & ~is_blank).then(TEXT).alias("row"),
                pl.when(pl.col("judged"))
                .then("reason")
                .when(is_blank)
                .then(pl.lit("blank_row"))
                .when(~pl.col(PLAIN))
                .then(self._fault())
                .alias("reason"),
            )
        )
        if is_end and self._breaks_off(known[-1:]):
            is_last = pl.int_range(pl.len()) == pl.len() - 1
            known = known.with_columns(
                pl.when(~is_last).then("row").alias("row"),
                pl.when(is_last).then(pl.lit("cut_off")).otherwise("reason").alias("reason"),
            )
        self._keep(known.filter(pl.col("reason").is_not_null()))
        return self._numbered(known.filter(pl.col("row").is_not_null()))

    def _verdicts(self, lines: pl.DataFrame, until: int) -> tuple[dict[int, tuple[str | None, str | None]], int]:
        """The verdicts on lines with quotes, by their place, and how many lines, at least so many, are done with.

        A verdict is the row that begins on the line, or why there is none; neither for a part of the row before.
        """
        shape, texts = self._table.shape, lines[TEXT]
        verdicts: dict[int, tuple[str | None, str | None]] = {}
        following = 0
        if shape is None or shape.quote is None:
            return verdicts, until
        quoted = ~pl.col(PLAIN) & ~is_too_long() & pl.col(TEXT).str.contains('"', literal=True)
        of_rows = quoted & (pl.col(LINE) > self._table.lines_before)
        for index in lines[:until].select(of_rows.arg_true()).to_series().to_list():
            if index < following:
                continue
            row, reason, length = _quoted_row(shape, texts, index)
            following = index + length
            verdicts |= dict.fromkeys(range(index + 1, following), (None, None))
            verdicts[index] = (row, reason)
        return verdicts, max(until, following)

    def _fault(self) -> pl.Expr:
        """Why a line without quotes that is not plain is no row; null for a comment."""
        too_long = pl.when(is_too_long()).then(pl.lit("oversized_field"))
        shape = self._table.shape
        if shape is None:
            return too_long.otherwise(pl.lit("bad_json"))
        is_comment = pl.lit(value=False) if shape.comment is None else pl.col(TEXT).str.starts_with(shape.comment)
        separators = pl.col(TEXT).str.count_matches(shape.separator, literal=True)
        few, many = (pl.lit(f"too_{which}_fields") for which in ("few", "many"))
        count_fault = pl.when(separators + 1 < len(shape.names or ())).then(few).otherwise(many)
        return too_long.when(~is_comment).then(count_fault)

    def _keep(self, rejected: pl.DataFrame) -> None:
        if self._table.shape is None:
            rejected = rejected.filter(pl.col("reason") != "blank_row")
        if rejected.height:
            self.broken.reasons += Counter(dict(rejected["reason"].value_counts().rows()))
            piece = self._folder / f"broken {len(self.broken.pieces)}"
            rejected.select(LINE, "reason", pl.col(TEXT).alias("raw")).write_ipc(piece)
            self.broken.pieces.append(piece)

    def _numbered(self, rows: pl.DataFrame) -> bytes:
        number, row = pl.col(LINE).cast(pl.String), pl.col("row")
        if self._table.shape is not None:
            line = pl.concat_str(number, pl.lit(self._table.shape.separator), row.str.strip_prefix("\ufeff"))
        else:
            inside = row.str.strip_prefix("\ufeff").str.strip_chars().str.slice(1).str.strip_chars_start()
            comma = pl.when(inside.str.starts_with("}")).then(pl.lit("")).otherwise(pl.lit(","))
            line = pl.concat_str(pl.lit(f'{{"{LINE}":'), number, comma, inside)
        return "".join(f"{each}\n" for each in rows.select(line).to_series()).encode()

    def _breaks_off(self, last: pl.DataFrame) -> bool:
        """Whether the last line of the file is one whose end is not yet written."""
        path = self._table.path
        if last.is_empty() or last[PLAIN].item():
            return False
        ((row, reason),) = last.select("row", "reason").rows()
        if row is None and reason is None:
            return False
        return self._table.is_cut or (reason in UNFINISHED and path is not None and ends_in_a_line(path))


def _quoted_row(shape: Delimited, texts: pl.Series, index: int) -> tuple[str | None, str | None, int]:
    """The row that begins on a line with quotes, or why there is none; and how many lines it takes."""
    wanted = len(shape.names or ())
    whole = ""
    for length in range(1, min(MOST_LINES, len(texts) - index) + 1):
        whole += ("\n" if whole else "") + texts[index + length - 1]
        if len(whole) > LONGEST_FIELD and length > 1:
            break
        cells, is_open = _cells(whole, shape)
        if not is_open:
            if cells is None or (length > 1 and len(cells) != wanted):
                break
            if len(cells) != wanted:
                return None, "too_few_fields" if len(cells) < wanted else "too_many_fields", 1
            return _written(cells, shape), None, length
    return None, "bad_quote", 1


def _cells(text: str, shape: Delimited) -> tuple[list[str] | None, bool]:
    """The cells of a row, if it is one, and whether a quote is still open."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=shape.separator, strict=True)), False
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None, True
    if "\n" in text:  # what closes the quote may well be the first of the next row
        return None, False
    try:  # a quote within a cell
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=shape.separator)), False
    except csv.Error:
        return None, False


def _written(cells: list[str], shape: Delimited) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=shape.separator, lineterminator="\n").writerow(cells)
    return line.getvalue().removesuffix("\n")

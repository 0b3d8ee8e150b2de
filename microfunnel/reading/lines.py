"""Lines of a text that are no rows, or that would be read wrong: whether a file has any."""

from pathlib import Path

import polars as pl

from microfunnel.errors import reading_errors
from microfunnel.reading.characters import HALF, WHOLE
from microfunnel.reading.layouts.declaration import Delimited
from microfunnel.reading.long_lines import LONGEST_LINE
from microfunnel.reading.packed import is_packed
from microfunnel.reading.tables import LINE, Table, lines_of

PIECE = 1 << 18
"""Bytes: what is counted while it is near the processor."""
TEXT = "line"


def may_have_broken_lines(table: Table) -> bool:
    """Whether lines could be no rows, or be read wrong, without the reading taking notice."""
    if table.shape is not None:
        return (table.is_cut or not _adds_up(table, table.shape)) and has_broken_lines(table)
    return table.is_open_ended and (table.is_cut or has_odd_objects(table))


def _adds_up(table: Table, shape: Delimited) -> bool:
    """Whether a text without quotes has as many separators as rows for all its lines have.

    Too many in one line and too few in another add up, too, but too many are an error of the reading. To count bytes
    takes a fraction of the time that looking at each line takes.
    """
    if table.path is None:
        return True
    with reading_errors(f"{table.name}: "):
        return not is_packed(table.path) and _has_all_separators(table.path, shape)


def _has_all_separators(path: Path, shape: Delimited) -> bool:
    # numpy counts a byte in a tenth of the time of Python, and leaves others the lock meanwhile.
    import numpy as np

    lines = separators = 0
    end = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            text = np.frombuffer(piece, dtype=np.uint8)
            found = int(np.count_nonzero(text == ord("\n")))
            if b'"' in piece or (not found and len(piece) == PIECE):
                return False
            lines += found
            separators += int(np.count_nonzero(text == ord(shape.separator)))
            end = piece[-1:]
    lines += end != b"\n"
    return separators == lines * (len(shape.names or ()) - 1)


def has_broken_lines(table: Table) -> bool:
    """Whether some line of a text file may be no row, or goes over several lines."""
    with reading_errors(f"{table.name}: "):
        lines = lines_of(table, TEXT).filter(pl.col(LINE) > table.lines_before)
        broken = lines.select((~is_plain(table)).any())
        return table.is_cut or bool(broken.collect(engine="streaming").item())


def has_odd_objects(table: Table) -> bool:
    r"""Whether some line of NDJSON is too long, or has half a character: of `\ud83d` alone polars makes a zero."""
    with reading_errors(f"{table.name}: "):
        some = lines_of(table, TEXT).filter(is_too_long() | pl.col(TEXT).str.contains(HALF))
        left = pl.col(TEXT).str.replace_all(WHOLE, "").str.contains(HALF)
        return bool(some.select((is_too_long() | left).any()).collect(engine="streaming").item())


def is_plain(table: Table) -> pl.Expr:
    """Whether a line is a row by itself, for certain and as it stands; never null."""
    line = pl.when(~is_too_long()).then(TEXT)
    if table.shape is None:
        plain = (line.str.strip_chars() == "") | line.str.json_path_match("$").str.starts_with("{")
    else:
        plain = (line == "") | _has_separators(line, table.shape, len(table.shape.names or ()) - 1)
    return plain.fill_null(value=False)


def is_too_long() -> pl.Expr:
    """Whether a line is longer than any row may be."""
    return pl.col(TEXT).str.len_bytes() > LONGEST_LINE


def _has_separators(line: pl.Expr, shape: Delimited, number: int) -> pl.Expr:
    by_count = line.str.count_matches(shape.separator, literal=True) == number
    if shape.quote is None:
        return by_count
    separator = "\\" + shape.separator
    cell = rf'(?:"(?:[^"]|"")*"|[^"{separator}]*)'
    whole = rf"^\x{{feff}}?{cell}(?:{separator}{cell}){{{number}}}$"
    # The pattern costs much more than counting, which is enough where nothing is quoted.
    return pl.when(line.str.contains('"', literal=True)).then(line.str.contains(whole)).otherwise(by_count)

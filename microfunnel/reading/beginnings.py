"""How texts begin: their first lines, found without reading much more than these."""

from io import BytesIO
from itertools import accumulate
from pathlib import Path

import polars as pl

from microfunnel.errors import InputError
from microfunnel.reading.long_lines import LONGEST_LINE
from microfunnel.reading.packed import is_packed

SAMPLE_LINES = 1_000
PIECE = 1 << 18
MOST = 1 << 25
"""Bytes: where lines are longer, nothing is gained."""


def beginning(path: Path, quote: str | None = None) -> Path | BytesIO:
    """At least SAMPLE_LINES lines of a text, but none after which a quote is open; all of a short or packed one.

    polars by itself reads some 60 MB where a few lines are asked for.
    """
    if is_packed(path):
        return path
    text = bytearray()
    ends = 0
    with path.open("rb") as file:
        while ends < SAMPLE_LINES and len(text) < MOST:
            piece = file.read(PIECE)
            if not piece:
                return path
            text += piece
            ends += piece.count(b"\n")
    lines = bytes(text[: text.rfind(b"\n") + 1])
    if quote is not None and quote.encode() in lines:
        lines = _closed(lines, quote.encode())
    return BytesIO(lines) if lines else path


def _closed(lines: bytes, quote: bytes) -> bytes:
    """The lines up to the last one after which no quote is open."""
    each = lines.removesuffix(b"\n").split(b"\n")
    quotes = accumulate(line.count(quote) for line in each)
    closed = max((number for number, n in enumerate(quotes, start=1) if not n % 2), default=0)
    return b"".join(line + b"\n" for line in each[:closed])


def first_lines(path: Path) -> list[str]:
    """The beginnings of the first lines of a text; an InputError where it is none."""
    try:
        first = pl.scan_lines(beginning(path), glob=False).head(SAMPLE_LINES)
        return first.select(pl.col("line").str.head(LONGEST_LINE)).collect()["line"].to_list()
    except pl.exceptions.ComputeError as error:
        if "utf" not in str(error).lower():
            raise
        with path.open("rb") as file:
            is_binary = b"\0" in file.read(4_096)
        if is_binary:
            raise InputError("is neither Parquet nor UTF-8 text") from error
        raise

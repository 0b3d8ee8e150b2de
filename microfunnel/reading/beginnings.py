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
    *lines, _ = text.split(b"\n")
    if quote is not None:
        quotes = accumulate(line.count(quote.encode()) for line in lines)
        closed = max((number for number, n in enumerate(quotes, start=1) if not n % 2), default=0)
        lines = lines[:closed]
    return BytesIO(b"".join(line + b"\n" for line in lines)) if lines else path


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

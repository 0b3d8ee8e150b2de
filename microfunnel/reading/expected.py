"""How many rows files have, without reading them: as Parquet says it, about so many for text."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from microfunnel.errors import InputError, reading_errors
from microfunnel.progress import Expected
from microfunnel.reading.packed import GZIP, PARQUET, ZSTD

SAMPLE = 1 << 18
"""Bytes: enough lines to be like the others, and read in no time."""


def expected_rows(paths: Sequence[Path], tables: Sequence[pl.LazyFrame] = ()) -> Expected | None:
    """The rows of these files, and of these tables of Parquet.

    None where there is no telling, because of how a file is compressed or of a fault.
    """
    with suppress(OSError, InputError, zlib.error):
        of_parquet = [table.select(pl.len()) for table in tables]
        of_text: list[int | None] = []
        for path in paths:
            with path.open("rb") as file:
                start = file.read(SAMPLE)
            if start.startswith(PARQUET):
                of_parquet.append(pl.scan_parquet(path, glob=False, hive_partitioning=False).select(pl.len()))
            else:
                of_text.append(_lines(start, path.stat().st_size))
        known = [lines for lines in of_text if lines is not None]
        if len(known) == len(of_text):
            with reading_errors():
                counted = [frame.item() for frame in pl.collect_all(of_parquet)]
            return Expected(sum(known) + sum(counted), is_exact=not known)
    return None


def _lines(start: bytes, size: int) -> int | None:
    """About how many lines a text of this size has."""
    if start.startswith(ZSTD):
        return None
    text = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(start) if start.startswith(GZIP) else start
    lines = text.count(b"\n")
    if len(start) < SAMPLE:
        return lines
    return lines * size // len(start) if lines else None

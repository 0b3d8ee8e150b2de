"""What files begin with that are packed, and what they hold."""

import gzip
import mmap
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD, ZIP, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError)
"""What unpacking raises where data is broken, or ends too early."""
GZIP_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)
"""How each of several parts of a file begins."""
ZSTD_HEADER = 18
"""Bytes at most."""


def begins(path: Path, magic: bytes) -> bool:
    """Whether these are the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def is_packed(path: Path) -> bool:
    """Whether a file holds a text that is packed."""
    return begins(path, GZIP) or begins(path, ZSTD)


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """What a plain file or a packed text holds."""
    if begins(path, GZIP):
        with gzip.open(path) as packed:
            yield cast("IO[bytes]", packed)
    elif begins(path, ZSTD):
        with zstd.open(path) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with path.open("rb") as file:
            yield file


@contextmanager
def packed_alike(place: Path, other: Path) -> Iterator[IO[bytes]]:
    """A new file that takes as little room as the other one, whatever is written into it."""
    if is_packed(other):
        with gzip.open(place, "wb", compresslevel=1) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with place.open("wb") as file:
            yield file


def unpacked_size(path: Path) -> int | None:
    """How many bytes a packed text has, as its file says; None where it does not say it for sure."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _size_in_gzip(data) if data[:2] == GZIP else _size_in_zstd(data)


def _size_in_gzip(data: mmap.mmap) -> int | None:
    several = len([*islice(GZIP_MEMBER.finditer(data), 2)]) > 1
    size = int.from_bytes(data[-4:], "little")
    # It counts up to 4 GiB and then from 0 again; hardly any text takes more room when it is packed.
    return None if several or size < len(data) else size


def _size_in_zstd(data: mmap.mmap) -> int | None:
    size = place = 0
    while place < len(data):
        with memoryview(data) as whole, whole[place:] as rest:
            try:
                more = zstd.get_frame_info(bytes(rest[:ZSTD_HEADER])).decompressed_size
                place += zstd.get_frame_size(rest)
            except zstd.ZstdError:
                return None
        if more is None:
            return None
        size += more
    return size

"""What files begin with that are packed, and what they hold."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

GZIP, ZSTD, ZIP, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"


def begins(path: Path, magic: bytes) -> bool:
    """Whether these are the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """What a plain file or one of gzip holds."""
    if begins(path, GZIP):
        with gzip.open(path) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with path.open("rb") as file:
            yield file

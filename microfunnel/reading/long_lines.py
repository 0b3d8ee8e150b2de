"""Lines longer than any row are cut, while nothing has to hold one as a whole, to what still shows that they are."""

from contextlib import suppress
from pathlib import Path
from typing import IO

from microfunnel.reading.characters import LONGEST_CHARACTER
from microfunnel.reading.packed import DAMAGED, is_packed, unpacked, unpacked_size

LONGEST_LINE = 1_000_000
"""Bytes: what is longer is no row."""
KEPT = LONGEST_LINE + 2 * LONGEST_CHARACTER
HUGE = 1 << 23
"""Bytes: up to here it costs less to read a long line as it is than to look into all files for one."""
MOST_PACKED = 100
"""Times its own size: no text of events becomes so small."""
PIECE = 1 << 18
GLANCE = 1 << 12
INNER_BYTES = bytes(range(0x80, 0xC0))
"""All bytes of a character in UTF-8 but the first."""


def has_huge_line(path: Path) -> bool:
    """Whether some line of a text may be HUGE; of a packed one, only where it is so large that it may be a bomb."""
    if is_packed(path):
        size = unpacked_size(path)
        return (size is None or size > MOST_PACKED * path.stat().st_size) and _has_huge_line(path)
    # Then somewhere half as many bytes have no end of a line among them.
    part = HUGE // 2
    with path.open("rb") as file:
        for place in range(0, path.stat().st_size - part + 1, part):
            file.seek(place)
            if b"\n" not in file.read(GLANCE) and b"\n" not in file.read(part - GLANCE):
                return True
    return False


def _has_huge_line(path: Path) -> bool:
    """The same of any text, by a look at all of it, or up to where its packed data is broken."""
    length = 0
    with suppress(*DAMAGED), unpacked(path) as text:
        while piece := text.read(PIECE):
            line, end, _ = piece.partition(b"\n")
            length += len(line)
            if length >= HUGE:
                return True
            if end:
                length = len(piece) - piece.rfind(b"\n") - 1
    return False


def copy_cut_lines(text: IO[bytes], copy: IO[bytes]) -> None:
    """Copies a text in UTF-8; of a line longer than KEPT it takes whole characters of about as many bytes."""
    left, is_cut = KEPT, False
    while piece := text.read(PIECE):
        line, end, rest = piece.partition(b"\n")
        if is_cut:
            line = b""
        elif len(line) > (most := max(left, LONGEST_CHARACTER)):
            line, is_cut = line[:most].rstrip(INNER_BYTES)[:-1], True
        copy.write(line + end + rest)
        left -= len(line)
        if end:
            left, is_cut = KEPT - (len(rest) - rest.rfind(b"\n") - 1), False

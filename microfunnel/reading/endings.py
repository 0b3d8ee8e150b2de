"""How texts end: while something still writes to one, it may end anywhere in a line."""

import codecs
import os
from pathlib import Path

from microfunnel.reading.characters import LONGEST_CHARACTER
from microfunnel.reading.packed import is_packed, unpacked

PIECE = 1 << 18


def ends_in_a_line(path: Path) -> bool:
    """Whether the last line of a text, which is not empty, has no end."""
    end = b""
    with unpacked(path) as text:
        if not is_packed(path):
            text.seek(-1, os.SEEK_END)
        while piece := text.read(PIECE):
            end = piece[-1:]
    return end != b"\n"


def half_a_character(path: Path) -> int:
    """How many bytes at the end of a plain text begin a character in UTF-8 that does not end."""
    with path.open("rb") as text:
        text.seek(-min(LONGEST_CHARACTER, path.stat().st_size), os.SEEK_END)
        decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        decoder.decode(text.read())
    return len(decoder.getstate()[0])


def last_line(path: Path, longest: int) -> str:
    """What the last line of a plain text says, or the end of one of more bytes than `longest`."""
    with path.open("rb") as text:
        text.seek(-min(longest, path.stat().st_size), os.SEEK_END)
        return text.read().removesuffix(b"\n").rpartition(b"\n")[2].decode(errors="replace")


def number_of_lines(path: Path) -> int:
    """Of a plain text whose last line has no end."""
    with path.open("rb") as text:
        return 1 + sum(piece.count(b"\n") for piece in iter(lambda: text.read(PIECE), b""))

"""What the place that a report goes to can show."""

import os
import shutil
from collections.abc import Mapping
from typing import TextIO

from microfunnel.rendering import Screen


def detect_screen(stream: TextIO | None, color: str, environment: Mapping[str, str] = os.environ) -> Screen:
    """The width, colours and characters of a stream, or of a file that we write as UTF-8, which is None.

    What is no terminal has no width and no colours of its own.
    """
    is_terminal = stream is not None and stream.isatty()
    encoding = "utf-8" if stream is None else (getattr(stream, "encoding", None) or "ascii").lower()
    return Screen(
        width=_width(environment, is_terminal=is_terminal),
        colour=_colour(color, environment, is_terminal=is_terminal),
        unicode=encoding.replace("-", "").startswith("utf"),
    )


def shows_progress(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal on which a line can be written again and again."""
    return stream.isatty() and environment.get("TERM") != "dumb"


def _width(environment: Mapping[str, str], *, is_terminal: bool) -> int | None:
    columns = environment.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    return shutil.get_terminal_size().columns if is_terminal else None


def _colour(color: str, environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_terminal and environment.get("CLICOLOR") != "0" and environment.get("TERM") != "dumb"

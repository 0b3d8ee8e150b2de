"""How words of a user or of a file are shown: harmless, short, counted, beside the nearest known name."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

LONGEST_SHOWN = 80
MOST_COMPARED = 500
MOST_LISTED = 12

REASONS = {
    "blank_row": "blank",
    "duplicate": "written twice",
    "too_few_fields": "with too few fields",
    "too_many_fields": "with too many fields",
    "bad_quote": "with a quote that is never closed",
    "oversized_field": "with a field too large",
    "bad_json": "that is no JSON object",
    "bad_line": "that does not fit the log",
    "cut_off": "cut off",
    "empty_user": "without user",
    "empty_time": "without time",
    "empty_event": "without event",
    "unreadable_time": "with an unreadable time",
    "time_out_of_range": "with a time out of range",
}
"""Why a row was rejected, after a number of rows."""
# Controls, zero-width and direction marks, line separators, lone surrogates and tags act on a terminal or hide in it.
HARMFUL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str, *, unicode: bool = True) -> str:
    r"""Text from a file that can only be read: what would act shows as `\x1b`, and without `unicode` all is ASCII."""
    harmless = HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return harmless if unicode else harmless.encode("ascii", "backslashreplace").decode("ascii")


def plural(n: int, noun: str) -> str:
    """A count and what it counts: `1 file`, `2 files`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shortened(text: str) -> str:
    """The text, or the beginning of a long one."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def quoted(value: object) -> str:
    """A value of the file in a few words: text as it stands, a list or a mapping by its kind."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "mapping"
        return f"a {kind}" if value else f"an empty {kind}"
    return f"`{shortened(str(value))}`" if value else "an empty text"


def listed(words: Iterable[str]) -> str:
    """The words as a choice: `a`, `b` or `c`."""
    *others, last = (quoted(word) for word in words)
    return f"{', '.join(others)} or {last}" if others else last


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like this one, if any does."""
    return next(iter(all_near([name], known)), None)


def all_near(names: Iterable[str], known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that look like any of these, the likest of each first."""
    folded = {each[:LONGEST_SHOWN].casefold(): each for each in islice(known, MOST_COMPARED)}
    close = (near for name in names for near in get_close_matches(name[:LONGEST_SHOWN].casefold(), folded, n=most))
    return list(dict.fromkeys(folded[near] for near in close))[:most]


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The end of a message: the nearest known name, or else all of a few."""
    if near := nearest(name, known):
        return f"; did you mean {quoted(near)}?"
    return f"; expected {listed(known)}" if 0 < len(known) <= MOST_LISTED else ""


def brief(text: object, limit: int = 300) -> str:
    """The beginning of a text that may quote megabytes of somebody's data."""
    whole = " ".join(str(text)[: limit * 4].split())
    return whole if len(whole) <= limit else whole[:limit] + " ..."

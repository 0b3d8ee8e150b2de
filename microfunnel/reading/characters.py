r"""Characters, and half ones in JSON: a lone `\ud83d`, such as a cut emoji leaves behind, is no text."""

import re

LONGEST_CHARACTER = 4
"""Bytes in UTF-8."""
HALF = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
WHOLE = r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
"""A backslash, or both halves of a character."""
NO_TEXT = "\ufffd"
_EITHER = re.compile(f"({WHOLE})|{HALF}")


def of_whole_characters(line: str) -> str:
    """The line with the sign for what is no text in place of each half of a character."""
    return _EITHER.sub(lambda found: found[1] or NO_TEXT, line) if r"\u" in line else line

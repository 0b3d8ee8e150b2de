"""What a YAML parser's complaint means for the person who wrote the file."""

from typing import Literal, NamedTuple, Protocol

import yaml


class Mark(Protocol):
    """A place in the text, whichever parser (in C or in Python) names it."""

    line: int
    column: int
    index: int


class Complaint(NamedTuple):
    """Part of the parser's context and problem, whether to look where the matter began or ended, what to say."""

    context: str
    problem: str
    look: Literal["began", "ended"]
    message: str


ESCAPE = r"a backslash in double quotes starts an escape; use single quotes, as in 'C:\x'"
COMPLAINTS = (
    Complaint("quoted scalar", "end of stream", "began", "this quote is never closed"),
    Complaint("quoted scalar", "", "ended", ESCAPE),
    Complaint("double-quoted", "", "ended", ESCAPE),
    Complaint("flow", "", "began", "this bracket is not closed, or a comma is missing after a value in it"),
    Complaint("plain scalar", "", "ended", "a colon here needs a space after it, or quotes around the whole value"),
    Complaint("simple key", "", "began", "expected `key: value`, with a space after the colon"),
    Complaint("alias", "", "began", "a value can't start with `*`; quote it"),
    Complaint("anchor", "", "began", "a value can't start with `&`; quote it"),
    Complaint("tag", "", "began", "a value can't start with `!`; quote it"),
    Complaint("directive", "", "began", "a line can't start with `%`; quote it"),
    Complaint(
        "block scalar", "", "ended", "after `|` or `>` the text begins on the next line; quote a value that starts so"
    ),
    Complaint(
        "",
        "mapping values",
        "ended",
        "a `: ` that can't be here; quote the text that holds it, or mend the indentation",
    ),
    Complaint("block node", "", "ended", "expected a value; quote it if it starts with this character"),
    Complaint(
        "block", "", "ended", "this does not fit what stands above; mend the indentation, or quote the whole value"
    ),
    Complaint("", "document start", "ended", "nothing may follow the end of the document (`...`)"),
)


def in_words(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark | None, str]:
    """Where to look, and what to do about it."""
    context, problem = error.context or "", error.problem or ""
    if "next token" in context and error.problem_mark:
        return error.problem_mark, _odd_start(text[error.problem_mark.index :][:1])
    for known in COMPLAINTS:
        if known.context in context and known.problem in problem:
            mark = error.context_mark if known.look == "began" else error.problem_mark
            return mark or error.problem_mark, known.message
    return error.problem_mark or error.context_mark, f"this is no YAML: {problem}"


def _odd_start(char: str) -> str:
    if char == "\t":
        return "a tab can't indent a line; use spaces"
    return f"a value can't start with `{char}`; quote it"

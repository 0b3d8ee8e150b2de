"""Random files with random faults: an obvious account of every line, made beside the program, must be its account."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from program import GOALS

from microfunnel.__main__ import _run

NOON = "2026-10-01T12:00:00Z"


@dataclass(frozen=True)
class Piece:
    """Some lines of a file that stand for themselves; `|` separates the cells of CSV."""

    text: str
    reason: str | None = None
    """Why it is rejected; None where it is used, an empty text where it is no row at all."""


CSV = (
    Piece(f"ann|{NOON}|view"),
    Piece(f"ben|{NOON}|buy"),
    Piece(f'"ann"|{NOON}|"buy"'),
    Piece(f'ann|"{NOON}"|"two\nlines"'),
    Piece(f'ann|{NOON}|"in ""quotes"""'),
    Piece(f'ann|{NOON}|6" wide'),
    Piece(f'ann|{NOON}|"6" wide'),
    Piece("", "blank_row"),
    Piece("   ", "blank_row"),
    Piece("||", "blank_row"),
    Piece(f"|{NOON}|view", "empty_user"),
    Piece(f'""|{NOON}|view', "empty_user"),
    Piece("ann||view", "empty_time"),
    Piece("ann|  |view", "empty_time"),
    Piece("ann|soon|view", "unreadable_time"),
    Piece("ann|1970-01-01T00:00:00Z|view", "time_out_of_range"),
    Piece("ann|1989-12-31 23:59|view", "time_out_of_range"),
    Piece(f"ann|{NOON}|", "empty_event"),
    Piece("ann", "too_few_fields"),
    Piece(f"ann|{NOON}", "too_few_fields"),
    Piece(f"ann|{NOON}|view|", "too_many_fields"),
    Piece(f'ann|{NOON}|"view"|"more"', "too_many_fields"),
    Piece(f'"ann|{NOON}|view', "bad_quote"),
    Piece(f'ann|{NOON}|"view', "bad_quote"),
)
NDJSON = (
    Piece(f'{{"user_id": "ann", "timestamp": "{NOON}", "event": "view"}}'),
    Piece(f'{{"event": "buy", "user_id": "ben", "timestamp": "{NOON}", "more": {{"a": [1, null]}}}}'),
    Piece(f'  {{"user_id": 7, "timestamp": "{NOON}", "event": "buy"}}  '),
    Piece("", ""),
    Piece("   ", ""),
    Piece("{}", "blank_row"),
    Piece(f'{{"user_id": null, "timestamp": "{NOON}", "event": "view"}}', "empty_user"),
    Piece(f'{{"timestamp": "{NOON}", "event": "view"}}', "empty_user"),
    Piece('{"user_id": "ann", "event": "view"}', "empty_time"),
    Piece('{"user_id": "ann", "timestamp": "soon", "event": "view"}', "unreadable_time"),
    Piece('{"user_id": "ann", "timestamp": "1970-01-01T00:00:00Z", "event": "view"}', "time_out_of_range"),
    Piece(f'{{"user_id": "ann", "timestamp": "{NOON}", "event": ""}}', "empty_event"),
    Piece('{"user_id": "ann",', "bad_json"),
    Piece("[1, 2]", "bad_json"),
    Piece("null", "bad_json"),
    Piece("ann", "bad_json"),
    Piece('{"user_id": NaN}', "bad_json"),
    Piece('{"user_id": "ann"} {"user_id": "ben"}', "bad_json"),
)


UNFINISHED = {"too_few_fields", "bad_quote", "bad_json"}
"""What half a line may look like."""


def account(pieces: Sequence[Piece], first_line: int) -> list[tuple[int, str]]:
    """Line and reason of each rejected row."""
    rejected, line = [], first_line
    for piece in pieces:
        if piece.reason:
            rejected.append((line, piece.reason))
        line += piece.text.count("\n") + 1
    return rejected


def unended(pieces: Sequence[Piece]) -> list[Piece]:
    """The same where the last line has no end: an empty one is no line then, and what is no row is half of one."""
    *others, last = pieces
    if not last.text:
        return others
    return [*others, Piece(last.text, "cut_off" if last.reason in UNFINISHED else last.reason)]


def csv_of(pieces: Sequence[Piece], separator: str, end: str) -> str:
    rows = ("user_id|timestamp|event", *(piece.text for piece in pieces))
    return "".join(f"{row}\n" for row in rows).replace("|", separator).replace("\n", end)


def read(content: str) -> tuple[dict[str, object], list[tuple[int, str]]]:
    """The report and the list of rejected rows."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "goals.yaml").write_text(GOALS, encoding="utf-8")
        (folder / "events").write_bytes(content.encode())
        command = "run /events -g /goals.yaml --max-bad 100% --rejects /rejects --json -o /report"
        assert _run(command.replace("/", f"{folder}/").split(), debug=False) == 0
        report = json.loads((folder / "report").read_text(encoding="utf-8"))
        rejects = [json.loads(line) for line in (folder / "rejects").read_text(encoding="utf-8").splitlines()]
    return report, [(each["line"], each["reason"]) for each in rejects]


def check(content: str, pieces: Sequence[Piece], first_line: int) -> None:
    expected = account(pieces, first_line)
    report, rejects = read(content)
    events = report["events"]
    assert isinstance(events, dict)
    assert rejects == expected
    assert events["rejected"] == Counter(reason for _, reason in expected)
    assert events["rows_used"] == sum(piece.reason is None for piece in pieces)
    assert events["rows_read"] == events["rows_used"] + events["rows_filtered"] + len(expected)


def dirty(kinds: Sequence[Piece]) -> st.SearchStrategy[list[Piece]]:
    """Some rows, of which one at least shows how times are written."""
    some = st.lists(st.sampled_from(kinds), max_size=12)
    return st.tuples(some, some).map(lambda around: [*around[0], kinds[0], *around[1]])


@settings(max_examples=60, deadline=None, derandomize=True)
@example(pieces=list(CSV), separator=",", end="\n")
@example(pieces=[piece for piece in CSV for _ in range(110)], separator=",", end="\n")
@given(pieces=dirty(CSV), separator=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n"]))
def test_every_line_of_csv(pieces: list[Piece], separator: str, end: str) -> None:
    check(csv_of(pieces, separator, end), pieces, first_line=2)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", CSV, ids=lambda piece: piece.text)
def test_csv_whose_last_line_has_no_end(last: Piece, end: str) -> None:
    pieces = [CSV[0], CSV[3], CSV[-1], last]
    check(csv_of(pieces, ",", end).removesuffix(end), unended(pieces), first_line=2)


@pytest.mark.parametrize("last", NDJSON, ids=lambda piece: piece.text)
def test_ndjson_whose_last_line_has_no_end(last: Piece) -> None:
    pieces = [NDJSON[0], NDJSON[-1], last]
    check("\n".join(piece.text for piece in pieces), unended(pieces), first_line=1)


@settings(max_examples=60, deadline=None, derandomize=True)
@example(pieces=list(NDJSON))
@given(pieces=dirty(NDJSON).map(lambda pieces: [NDJSON[0], *pieces]))
def test_every_line_of_ndjson(pieces: list[Piece]) -> None:
    """The first line says that it is NDJSON."""
    check("".join(f"{piece.text}\n" for piece in pieces), pieces, first_line=1)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(pieces=dirty(CSV), seed=st.integers(0, 99))
def test_the_order_of_dirty_rows_changes_nothing(pieces: list[Piece], seed: int) -> None:
    shuffled = random.Random(seed).sample(pieces, len(pieces))
    one, other = (read(csv_of(each, ",", "\n"))[0] for each in (pieces, shuffled))
    for report in (one, other):
        assert isinstance(report["events"], dict)
        # Its lines are others.
        del report["events"]["rejected_samples"]
    assert one == other

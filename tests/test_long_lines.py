"""Lines longer than any row: cut as plain Python would cut them, and read for no more than others cost."""

import io
import json
import sys
from pathlib import Path

import program
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.reading import long_lines
from microfunnel.reading.long_lines import copy_cut_lines, has_huge_line

KEPT, PIECE, HUGE, GLANCE = 40, 16, 64, 8
MOST_MORE = 8
"""Bytes that a cut line may have beyond KEPT, or lack."""
NOON = "2026-10-01T12:00:00Z"
VERY_LONG = 100_000_000
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=open("cost", "w"))
sys.exit(code)
"""
"""Runs a command and writes down its cost; the memory of the tests, of which it would be a fork, is not in it."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"KEPT": KEPT, "PIECE": PIECE, "HUGE": HUGE, "GLANCE": GLANCE}.items():
        monkeypatch.setattr(long_lines, name, value)


RUNS = st.tuples(st.sampled_from(["a", "ü", "€", "😀", "\n", "\r\n", ","]), st.integers(1, 90))
TEXTS = st.lists(RUNS, max_size=8).map(lambda runs: "".join(character * number for character, number in runs))


@examples(500)
@given(text=TEXTS)
@example(text="")
@example(text="a" * KEPT)
@example(text="a" * (KEPT - 1) + "😀" * 20)
@example(text="😀" * 10 + "\n" + "😀" * 11 + "\n" + "😀" * 12)
def test_long_lines_are_cut_to_whole_characters_and_all_else_stays(text: str) -> None:
    copy = io.BytesIO()
    copy_cut_lines(io.BytesIO(text.encode()), copy)
    before, after = text.split("\n"), copy.getvalue().decode().split("\n")
    assert len(after) == len(before)
    for whole, line in zip(before, after, strict=True):
        size = len(line.encode())
        assert whole.startswith(line)
        assert line == whole or KEPT - MOST_MORE < size <= KEPT + MOST_MORE
        assert line == whole or len(whole.encode()) > KEPT
        assert len(whole.encode()) <= KEPT + MOST_MORE or line != whole


@examples(300)
@given(text=TEXTS)
@example(text="a" * (HUGE - 1) + "\n" + "a" * (HUGE + 1))
@example(text="a\n" * 100)
def test_no_huge_line_is_overlooked_and_no_ordinary_one_is_suspected(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(text.encode())
    longest = max(len(line) for line in text.encode().split(b"\n"))
    found = has_huge_line(path)
    assert found or longest <= HUGE
    assert not found or longest >= HUGE // 2


def csv_row(value: str) -> str:
    return f"ann,{NOON},{value}\n"


def csv_of(value: str) -> str:
    return "user_id,timestamp,event\n" + csv_row("view") * 9 + csv_row(value) + csv_row("buy")


def ndjson_of(value: str) -> str:
    events = [{"user_id": "ann", "timestamp": NOON, "event": event} for event in (*["view"] * 9, value, "buy")]
    return "".join(json.dumps(event) + "\n" for event in events)


def cost(folder: Path) -> tuple[str, float, int]:
    """What the program says, the seconds that it takes of a processor, and bytes of memory at most."""
    command = (*program.RUN, "--max-bad", "50%", "--rejects", "rejects")
    done = program.run(folder, *command, program=(sys.executable, "-c", MEASURED, *program.PROGRAM))
    assert done.returncode == 0, done.stderr
    seconds, memory = (folder / "cost").read_text(encoding="utf-8").split()
    return done.stdout.decode(), float(seconds), int(memory) * 1024


@pytest.mark.parametrize("form", ["csv", "quoted", "ndjson"])
def test_a_very_long_line_costs_little_more_than_an_ordinary_one(form: str, tmp_path: Path) -> None:
    write = ndjson_of if form == "ndjson" else csv_of
    mark = '"' if form == "quoted" else ""
    program.lay_out(tmp_path, events=write("view"))
    _, seconds, memory = cost(tmp_path)
    program.lay_out(tmp_path, events=write(f"{mark}{'b' * VERY_LONG}{mark}"))
    said, seconds_now, memory_now = cost(tmp_path)
    assert "11 rows read, 10 used, 1 rejected (1 with a field too large)" in said
    (rejected,) = (tmp_path / "rejects").read_text(encoding="utf-8").splitlines()
    assert (json.loads(rejected)["line"], len(rejected) < 2_000_000) == (10 if form == "ndjson" else 11, True)
    assert seconds_now - seconds < 2
    assert memory_now - memory < VERY_LONG

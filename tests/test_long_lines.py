"""Lines longer than any row: cut as plain Python would cut them, and read for no more than others cost."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import program
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.reading import long_lines
from microfunnel.reading.long_lines import copy_cut_lines, has_huge_line
from microfunnel.reading.packed import unpacked_size

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

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


def zstd_without_size(text: bytes) -> bytes:
    packer = zstd.ZstdCompressor()
    return packer.compress(text) + packer.flush()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": partial(gzip.compress, compresslevel=1),
    "gzip in pieces": lambda text: gzip.compress(text[:-9]) + gzip.compress(text[-9:]),
    "zstd": zstd.compress,
    "zstd in pieces": lambda text: zstd.compress(text[:-9]) + zstd.compress(text[-9:]),
    "zstd without a size": zstd_without_size,
}


@pytest.mark.parametrize("packing", ["gzip", "zstd", "zstd in pieces"])
@pytest.mark.parametrize("text", [b"one\ntwo\n" * 1_000, b"0" * 10_000])
def test_the_size_of_packed_text_is_known(packing: str, text: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "packed").write_bytes(whole := PACKINGS[packing](text))
    assert unpacked_size(path) == len(text)
    if packing != "gzip":  # whose end says the size
        path.write_bytes(whole[:-1])
        assert unpacked_size(path) is None


@pytest.mark.parametrize("packing", ["gzip in pieces", "zstd without a size"])
def test_a_size_of_packed_text_that_is_not_sure_is_not_guessed(packing: str, tmp_path: Path) -> None:
    (path := tmp_path / "packed").write_bytes(PACKINGS[packing](b"one\ntwo\n" * 1_000))
    assert unpacked_size(path) is None


@pytest.mark.parametrize("packing", PACKINGS)
def test_huge_lines_are_found_in_packed_text_and_none_where_there_is_none(packing: str, tmp_path: Path) -> None:
    pack, path = PACKINGS[packing], tmp_path / "packed"
    for text, is_huge in {
        b"one\n" + b"a" * 100_000 + b"\ntwo\nthree\n": True,
        b"one\n" * 10 + b"a" * 100_000: True,
        b"a" * (HUGE // 4) + (b"\n" + b"a" * (HUGE // 4)) * 5_000: False,
    }.items():
        path.write_bytes(pack(text))
        assert has_huge_line(path) == is_huge
    path.write_bytes(pack(b"\n".join([b"a" * (HUGE // 4)] * 5_000))[:-30])
    assert not has_huge_line(path)


VERY_LONG_LINES = {
    "csv": ("plain", "gzip", "gzip in pieces"),
    "quoted": ("plain", "zstd without a size"),
    "ndjson": ("plain", "gzip", "zstd"),
}


@pytest.mark.parametrize(
    ("form", "packing"), [(form, packing) for form, packings in VERY_LONG_LINES.items() for packing in packings]
)
def test_a_very_long_line_costs_little_more_than_an_ordinary_one(form: str, packing: str, tmp_path: Path) -> None:
    write = ndjson_of if form == "ndjson" else csv_of
    mark = '"' if form == "quoted" else ""
    program.lay_out(tmp_path, events=write("view"))
    _, seconds, memory = cost(tmp_path)
    program.lay_out(tmp_path, events=PACKINGS[packing](write(f"{mark}{'b' * VERY_LONG}{mark}").encode()))
    said, seconds_now, memory_now = cost(tmp_path)
    assert "11 rows read, 10 used, 1 rejected (1 with a field too large)" in said
    (rejected,) = (tmp_path / "rejects").read_text(encoding="utf-8").splitlines()
    assert (json.loads(rejected)["line"], len(rejected) < 2_000_000) == (10 if form == "ndjson" else 11, True)
    assert seconds_now - seconds < 2
    assert memory_now - memory < VERY_LONG

"""How far a run has come: shown on a terminal alone, while it takes long, and gone when it ends, whatever ends it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from program import RUN, environment, lay_out, run

from microfunnel.display import progress_words
from microfunnel.progress import Expected, Phase
from microfunnel.reading.expected import SAMPLE, expected_rows

pty = pytest.importorskip("pty", reason="needs the terminals and signals of POSIX")

SLOW = """
from microfunnel.interrupts import watch_signals
watch_signals()  # as in the program before polars starts its threads
import time
from microfunnel import answering, display, gathering, queries
display.PATIENCE, queries.BATCH = {patience}, 1_000
take, count = gathering.Gathered.take, answering.count
gathering.Gathered.take = lambda *batch: time.sleep({pause}) or take(*batch)
answering.count = lambda *rows, **options: time.sleep(4 * {pause}) or count(*rows, **options)
from microfunnel.__main__ import main
main()
"""
"""The program, with a pause after each thousand rows and four before it counts; it shows progress after `patience`."""
ERASED = b"\x1b[2K"
CURSOR_HIDDEN = b"\x1b[?25l"
XTERM = {"TERM": "xterm", "COLUMNS": "100"}
ROWS = 8_000


def slow(patience: float, pause: float) -> tuple[str, ...]:
    return (sys.executable, "-c", SLOW.format(patience=patience, pause=pause))


LONG = slow(0, 0.15)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = "".join(f"u{n % 900},{1_790_848_800 + n},{'buy' if n % 3 else 'view'}\n" for n in range(ROWS))
    return lay_out(tmp_path_factory.mktemp("long"), events=f"user_id,timestamp,event\n{rows}")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Programs that the tests start hear of a hang-up, also where the tests were started with `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@dataclass
class Shown:
    """What a terminal as standard error got, and what else the program did."""

    process: subprocess.Popen[bytes]
    all: bytes = b""
    out: bytes = b""


@contextmanager
def on_a_terminal(
    folder: Path, *arguments: str, program: Sequence[str] = LONG, env: Mapping[str, str] = XTERM
) -> Iterator[tuple[Shown, Iterator[bytes]]]:
    """The program with a terminal as standard error, and what it shows there, piece by piece."""
    screen, end = pty.openpty()
    with subprocess.Popen(
        [*program, *arguments],
        cwd=folder,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
    ) as process:
        os.close(end)
        shown = Shown(process)
        assert process.stdout
        reader = threading.Thread(target=lambda: setattr(shown, "out", process.stdout and process.stdout.read()))
        reader.start()

        def pieces() -> Iterator[bytes]:
            with suppress(OSError):  # Linux says EIO where the last writer is gone
                while piece := os.read(screen, 1 << 16):
                    shown.all += piece
                    yield piece

        try:
            yield shown, pieces()
            process.wait(timeout=30)
            reader.join()
        finally:
            process.kill()
            os.close(screen)


def shown_by(folder: Path, *arguments: str, program: Sequence[str] = LONG, env: Mapping[str, str] = XTERM) -> Shown:
    with on_a_terminal(folder, *arguments, program=program, env=env) as (shown, pieces):
        for _ in pieces:
            pass
    return shown


def left(shown: bytes) -> bytes:
    """What still stands on the terminal: what came after the line was erased."""
    return shown.rpartition(ERASED)[2]


def test_a_long_run_says_how_far_it_is_and_leaves_nothing(folder: Path) -> None:
    shown = shown_by(folder, *RUN)
    assert f"of about {ROWS + 1:,} rows, about ".encode() in shown.all
    assert b"counting" in shown.all
    assert shown.all.index(b"reading") < shown.all.index(b"counting")
    assert left(shown.all) == b""
    assert CURSOR_HIDDEN not in shown.all
    assert (shown.process.returncode, shown.out) == (0, run(folder, *RUN).stdout)


def test_explaining_shows_that_it_reads(folder: Path) -> None:
    slow_query = SLOW.replace("import answering", "import explaining").replace("answering.count", "explaining.collect")
    program = (sys.executable, "-c", slow_query.format(patience=0, pause=0.1))
    shown = shown_by(folder, "explain", "u1", *RUN[1:], program=program)
    assert f"reading about {ROWS + 1:,} rows".encode() in shown.all
    assert left(shown.all) == b""
    assert shown.process.returncode == 0


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_takes_the_line_away_too(folder: Path, name: str, code: int) -> None:
    with on_a_terminal(folder, *RUN, program=slow(0, 1)) as (shown, pieces):
        while b"reading" not in shown.all:
            next(pieces)
        shown.process.send_signal(signal.Signals[name])
        for _ in pieces:
            pass
    assert (shown.process.returncode, shown.out) == (code, b"")
    assert left(shown.all) == b""
    assert CURSOR_HIDDEN not in shown.all


def test_a_message_stands_where_the_line_was(folder: Path) -> None:
    shown = shown_by(folder, *RUN, "-o", "missing/report.txt")
    assert (shown.process.returncode, shown.out) == (4, b"")
    assert b"reading" in shown.all
    assert left(shown.all).startswith(b"missing/report.txt: ")
    assert CURSOR_HIDDEN not in shown.all


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_a_terminal_that_can_not_erase_gets_nothing(folder: Path, env: dict[str, str]) -> None:
    assert shown_by(folder, *RUN, env=env).all == b""


@pytest.mark.parametrize("env", [XTERM, {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}])
def test_a_pipe_gets_nothing(folder: Path, env: dict[str, str]) -> None:
    done = run(folder, *RUN, program=LONG, env=environment(**env))
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_short_run_shows_nothing_and_loads_nothing(folder: Path) -> None:
    probe = SLOW.replace("main()\n", "os._exit = lambda _: print(*sys.modules, file=sys.stderr)\nmain()\n")
    program = (sys.executable, "-c", f"import os, sys\n{probe.format(patience=30, pause=0)}")
    shown = shown_by(folder, *RUN, "--json", program=program)
    assert shown.all.startswith(b"sys ")
    assert b"rich" not in shown.all


def test_without_colour_there_is_none(folder: Path) -> None:
    shown = shown_by(folder, *RUN, env={**XTERM, "NO_COLOR": "1"})
    assert b"reading" in shown.all
    assert not re.search(rb"\x1b\[[0-9;]*m", shown.all)


MILLION = 1_000_000


@pytest.mark.parametrize(
    ("phase", "done", "expected", "seconds", "words"),
    [
        (Phase.READING, 0, None, 1.0, "reading"),
        (Phase.READING, 0, Expected(900, is_exact=True), 1.0, "reading 900 rows"),
        (Phase.READING, 0, Expected(9 * MILLION, is_exact=False), 1.0, "reading about 9.0 million rows"),
        (Phase.READING, 3 * MILLION, None, 2.0, "reading 3.0 million rows, 1.5 million a second"),
        (
            Phase.READING,
            500,
            Expected(2_000, is_exact=True),
            1.0,
            "reading 500 of 2,000 rows, about 3 s left, 500 a second",
        ),
        (
            Phase.READING,
            MILLION,
            Expected(401 * MILLION, is_exact=False),
            0.5,
            "reading 1.0 of about 401.0 million rows, 2.0 million a second",
        ),
        (
            Phase.READING,
            MILLION * 10,
            Expected(2_410 * MILLION, is_exact=False),
            1.0,
            "reading 10.0 of about 2,410.0 million rows, 10.0 million a second",
        ),
        (Phase.READING, 7, Expected(7, is_exact=True), 1.0, "reading 7 of 7 rows, 7 a second"),
        (Phase.COUNTING, 0, Expected(1, is_exact=True), 1.0, "counting"),
        (Phase.COUNTING, 0, Expected(9, is_exact=True), 1.0, "counting 9 parts"),
        (Phase.COUNTING, 3, Expected(9, is_exact=True), 60.0, "counting 3 of 9 parts, about 2 min left"),
        (Phase.NAMING, 0, None, 1.0, "looking up event names"),
    ],
)
def test_words(phase: Phase, done: int, expected: Expected | None, seconds: float, words: str) -> None:
    assert progress_words(phase, done, expected, seconds) == words


# --- how many rows to expect ------------------------------------------------------------------------------------------

LINES = 60_000
COMPRESSIONS: dict[str, Literal["gzip", "zstd"]] = {".gz": "gzip", ".zst": "zstd"}
TABLE = pl.DataFrame({"user_id": [f"u{n % 7}" for n in range(LINES)], "event": ["view"] * LINES})


def written(folder: Path, name: str, rows: int = LINES) -> Path:
    path = folder / name
    table = TABLE.head(rows)
    if name.endswith("parquet"):
        table.write_parquet(path)
    elif "ndjson" in name:
        table.lazy().sink_ndjson(path, compression=COMPRESSIONS.get(path.suffix, "uncompressed"))
    else:
        table.lazy().sink_csv(path, compression=COMPRESSIONS.get(path.suffix, "uncompressed"))
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.ndjson", "a.ndjson.gz"])
@pytest.mark.parametrize("rows", [5, LINES])
def test_text_has_about_as_many_rows_as_expected(tmp_path: Path, name: str, rows: int) -> None:
    path = written(tmp_path, name, rows)
    assert rows == 5 or name.endswith(".gz") or path.stat().st_size > SAMPLE
    expected = expected_rows([path])
    assert expected is not None
    assert not expected.is_exact
    assert expected.amount == pytest.approx(rows, rel=0.02, abs=1)


def test_parquet_says_how_many_rows_it_has(tmp_path: Path) -> None:
    paths = [written(tmp_path, "[a].parquet"), written(tmp_path, "b.parquet", 7)]
    assert expected_rows(paths) == Expected(LINES + 7, is_exact=True)
    assert expected_rows([], [pl.scan_parquet(paths, glob=False)]) == Expected(LINES + 7, is_exact=True)
    mixed = expected_rows([*paths, written(tmp_path, "c.csv", 10)])
    assert mixed == Expected(LINES + 18, is_exact=False)


def test_where_there_is_no_telling_nothing_is_expected(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "broken.csv.gz").write_bytes(b"\x1f\x8b and no more")
    (tmp_path / "one line.csv").write_bytes(b"x" * 2 * SAMPLE)
    names = ["broken.parquet", "broken.csv.gz", "one line.csv", "missing.csv"]
    for path in [written(tmp_path, "a.csv.zst"), *(tmp_path / name for name in names)]:
        assert expected_rows([path]) is None
        assert expected_rows([written(tmp_path, "b.csv"), path]) is None

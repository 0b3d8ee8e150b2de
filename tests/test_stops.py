"""Signals while files are unpacked, mended or waited for; and files that would unpack to more than there is memory."""

import gzip
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from program import PROGRAM, RUN, environment, lay_out, started

AT_ONCE = 0.5
"""Seconds of the processor; what is interrupted takes several."""
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0
NOON = "2026-10-01T12:00:00Z"
GIGABYTES = 2
MEGABYTES = 200

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def with_stray_quotes(folder: Path) -> str:
    """Each line is looked at by itself."""
    (folder / "events.csv").write_text(
        "user_id,timestamp,event\n" + f'ann,{NOON},"view" x\n' * 400_000, encoding="utf-8"
    )
    return "events.csv"


def zipped(folder: Path) -> str:
    part = b"ann,2026-10-01T12:00:00Z,view\n" * 33_000
    with (
        zipfile.ZipFile(folder / "events.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a", "w") as file,
    ):
        for _ in range(600):
            file.write(part)
    return "events.zip"


def in_latin_1(folder: Path) -> str:
    text = "user_id,timestamp,event\n" + f"müller,{NOON},view\n" * 3_000_000
    (folder / "events.csv").write_bytes(text.encode("latin-1"))
    return "events.csv"


def size(temporary: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in temporary.glob(pattern))


def seconds_used(process: "subprocess.Popen[bytes]") -> float:
    """By the processor."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize(
    ("write", "pattern"),
    [(with_stray_quotes, "*/mended 0/rows"), (zipped, "*/copy 0"), (in_latin_1, "*/copy 0")],
    ids=["mending", "unpacking", "decoding"],
)
def test_a_signal_while_a_copy_is_written(
    write: Callable[[Path], str], pattern: str, name: str, code: int, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    encoding = ("--encoding", "latin-1") if write is in_latin_1 else ()
    arguments = ("run", write(lay_out(tmp_path)), *RUN[2:], *encoding)
    before = children()
    with started(tmp_path, *arguments, env=environment(TMPDIR=str(temporary))) as process:
        until = time.monotonic() + 60
        while not size(temporary, pattern):
            assert time.monotonic() < until
            assert process.poll() is None, process.communicate()
            time.sleep(0.002)
        used = seconds_used(process)
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, b"", b"")
    assert not list(temporary.iterdir())
    assert children() - before - used < AT_ONCE


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_while_a_slow_pipe_is_waited_for(name: str, code: int, tmp_path: Path) -> None:
    """One that is named like a file, of which nothing has come yet."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    os.mkfifo(lay_out(tmp_path) / "pipe")
    with (
        started(tmp_path, "run", "pipe", *RUN[2:], env=environment(TMPDIR=str(temporary))) as process,
        # It can be opened for writing once the program has opened it for reading.
        (tmp_path / "pipe").open("wb", buffering=0) as pipe,
    ):
        pipe.write(b"user_id,")
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, b"", b"")
    assert not list(temporary.iterdir())


# --- more than there is memory ----------------------------------------------------------------------------------------


def rows() -> bytes:
    line = f"ann,{NOON},view\n"
    return ("user_id,timestamp,event\n" + line * (MEGABYTES * 1_000_000 // len(line))).encode()


def gzip_bomb(path: Path) -> int:
    text = rows()
    path.write_bytes(gzip.compress(text, 6))
    return text.count(b"\n") - 1


def zip_bomb(path: Path) -> int:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", text := rows())
    return text.count(b"\n") - 1


def parquet_bomb(path: Path, event: str = "other") -> int:
    """Of events that nobody asks for, or of one user, whose events must be counted together."""
    number = 50_000_000
    values = {
        "user_id": pl.lit("ann"),
        "timestamp": pl.lit(datetime(2026, 10, 1, 12, tzinfo=UTC)),
        "event": pl.lit(event),
    }
    whole = pl.LazyFrame({"n": pl.int_range(number, dtype=pl.Int32, eager=True)}).with_columns(**values)
    whole.drop("n").sink_parquet(path)
    return number


@pytest.mark.parametrize("write", [gzip_bomb, zip_bomb, parquet_bomb], ids=lambda write: write.__name__)
def test_a_small_file_of_many_rows_takes_no_gigabytes(write: Callable[[Path], int], tmp_path: Path) -> None:
    number = write(lay_out(tmp_path) / "bomb")
    assert (tmp_path / "bomb").stat().st_size < 1_000_000
    command = [*PROGRAM, "run", "bomb", *RUN[2:], "--without-users"]
    with (
        (tmp_path / "report").open("wb") as report,
        subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=report) as process,
    ):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert f"{number:,} rows read, {number:,} used" in (tmp_path / "report").read_text(encoding="utf-8")
    assert used.ru_maxrss * 1024 < GIGABYTES << 30


def test_more_rows_of_one_user_than_can_be_counted_are_refused(tmp_path: Path) -> None:
    number = parquet_bomb(lay_out(tmp_path) / "bomb", "view")
    command = [*PROGRAM, "run", "bomb", *RUN[2:], "--without-users"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE) as process:
        message = process.stderr.read().decode() if process.stderr is not None else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 3
    assert message.startswith(f"{number:,} rows that goals look at must be counted together")
    assert "--memory 9GB" in message
    assert used.ru_maxrss * 1024 < GIGABYTES << 30

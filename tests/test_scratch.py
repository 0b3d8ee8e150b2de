"""Temporary files: nobody else's business, and gone at the end, whatever ends the run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import EVENTS, GOALS, RUN, environment, lay_out, run, started

from microfunnel.scratch import LOCK, PREFIX, scratch_folder

fcntl = pytest.importorskip("fcntl", reason="needs the locks and signals of POSIX")

TINY = """
from microfunnel.interrupts import watch_signals
watch_signals()  # as in the program before polars starts its threads
from pathlib import Path
from microfunnel import answering, choice, partitions, queries
choice.LEAST_MEMORY, partitions.DIVIDED, queries.BATCH = 0, 2_000, 2_000
count = answering.count
answering.count = lambda *rows, **options: Path("counting").touch() or count(*rows, **options)
from microfunnel.__main__ import main
main()
"""
"""The program with limits so small that it is writing temporary files most of the time; says when it counts."""
SPILLING = (sys.executable, "-c", TINY)
SPILLED = (*RUN, "--memory", "1kB")
INDIVISIBLE = (*RUN[:-1], "indivisible.yaml")
AT_ONCE = 1.5
"""Seconds; what is interrupted takes several."""
MANY = 400_000


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What TMPDIR names, in this process too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose reading takes seconds where little memory is allowed, and whose counting takes seconds."""
    funnels = "\n".join(f"  f{n}: {{steps: [view, buy, view], order: any, count: [page]}}" for n in range(8))
    goals = GOALS.replace("funnels:\n", f"funnels:\n{funnels}\n")
    folder = tmp_path_factory.mktemp("large")
    rows = "".join(
        f"u{n % 50_000},{1_790_848_800 + n},{'buy' if n % 3 else 'view'},{n % 40_000}\n" for n in range(MANY)
    )
    lay_out(folder, GOALS, f"user_id,timestamp,event,page\n{rows}")
    (folder / "indivisible.yaml").write_text(goals, encoding="utf-8")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the folder -------------------------------------------------------------------------------------------------------


def test_nobody_else_can_look_into_it(temporary: Path) -> None:
    before = os.umask(0)
    try:
        with scratch_folder() as folder:
            assert folder.parent == temporary
            assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize("end", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_it_is_gone_at_the_end(end: type[BaseException] | None, temporary: Path) -> None:
    def use() -> None:
        with scratch_folder() as folder:
            (folder / "inner").mkdir()
            (folder / "inner" / "file").write_text("x", encoding="utf-8")
            if end is not None:
                raise end

    if end is None:
        use()
    else:
        with pytest.raises(end):
            use()
    assert not names(temporary)


def test_those_in_use_are_never_removed(temporary: Path) -> None:
    with scratch_folder() as one, scratch_folder() as other:
        assert {one.name, other.name} == names(temporary)
        assert one != other


def test_what_killed_runs_have_left_is_removed(temporary: Path) -> None:
    left = temporary / f"{PREFIX}left"
    (left / "inner").mkdir(parents=True)
    (left / LOCK).touch()
    with scratch_folder() as folder:
        assert names(temporary) == {folder.name}


def test_what_belongs_to_others_is_not_removed(temporary: Path) -> None:
    """Another name, no lock, a lock that is none, and a plain file."""
    (temporary / "other").mkdir()
    (temporary / "other" / LOCK).touch()
    (temporary / f"{PREFIX}no-lock").mkdir()
    (temporary / f"{PREFIX}folder" / LOCK).mkdir(parents=True)
    (temporary / f"{PREFIX}pipe").mkdir()
    os.mkfifo(temporary / f"{PREFIX}pipe" / LOCK)
    (temporary / f"{PREFIX}file").touch()
    before = names(temporary)
    with scratch_folder():
        pass
    assert names(temporary) == before


# --- the program ------------------------------------------------------------------------------------------------------


@contextmanager
def spilling(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "counting").unlink(missing_ok=True)
    with started(folder, *arguments, program=SPILLING) as process:
        yield process


def wait_until(happened: Callable[[], object]) -> None:
    for _ in range(2_000):
        if happened():
            return
        time.sleep(0.01)
    pytest.fail("what the test waits for did not happen")


def has_spilled(temporary: Path) -> bool:
    """Whether temporary files have been written, some of them in full."""
    return sum(path.name != LOCK for path in temporary.glob(f"{PREFIX}*/*")) > 100


def ended(process: subprocess.Popen[bytes], name: str) -> tuple[float, tuple[int, bytes, bytes]]:
    """How many seconds it took to end after the signal, and how it did."""
    sent = time.monotonic()
    process.send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=60)
    return time.monotonic() - sent, (process.returncode, out, err)


SIGNALS = pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])


def test_a_run_with_temporary_files_says_the_same_and_leaves_none(tmp_path: Path, temporary: Path) -> None:
    rows = "".join(f"u{n % 900},{1_790_848_800 + n},{'buy' if n % 3 else 'view'}\n" for n in range(9_000))
    folder = lay_out(tmp_path, events=f"user_id,timestamp,event\n{rows}")
    done = run(folder, *SPILLED, "--json", program=SPILLING)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run(folder, *RUN, "--json").stdout
    assert not names(temporary)


@pytest.mark.alone
@SIGNALS
def test_a_signal_while_temporary_files_are_written(large: Path, temporary: Path, name: str, code: int) -> None:
    with spilling(large, *SPILLED) as process:
        wait_until(lambda: has_spilled(temporary))
        took, end = ended(process, name)
    assert end == (code, b"", b"")
    assert not names(temporary)
    assert not (large / "counting").exists(), "the whole log had been read before"
    assert took < AT_ONCE


@pytest.mark.alone
@SIGNALS
def test_a_signal_while_it_counts(large: Path, temporary: Path, name: str, code: int) -> None:
    with spilling(large, *INDIVISIBLE) as process:
        wait_until((large / "counting").exists)
        time.sleep(0.2)
        took, end = ended(process, name)
    assert end == (code, b"", b"")
    assert not names(temporary)
    assert took < AT_ONCE


def test_what_a_killed_run_leaves_is_removed_by_the_next_one(large: Path, tmp_path: Path, temporary: Path) -> None:
    with spilling(large, *SPILLED) as process:
        wait_until(lambda: has_spilled(temporary))
        process.kill()
        process.wait()
    assert names(temporary)
    assert run(lay_out(tmp_path), *RUN).returncode == 0
    assert not names(temporary)


def test_what_a_running_one_needs_is_left_to_it(tmp_path: Path, temporary: Path) -> None:
    folder = lay_out(tmp_path)
    with started(folder, "run", "-", *RUN[2:]) as process:
        wait_until(lambda: list(temporary.glob(f"*/{LOCK}")))
        used = names(temporary)
        assert run(folder, *RUN).returncode == 0
        assert names(temporary) == used
        out, err = process.communicate(EVENTS.encode(), timeout=30)
    assert (process.returncode, out, err) == (0, run(folder, *RUN).stdout, b"")
    assert not names(temporary)


# --- places where nothing can be written ------------------------------------------------------------------------------


def limited(blocks: int) -> tuple[str, ...]:
    """The program where no file may be larger than this."""
    return ("bash", "-c", f'ulimit -f {blocks} && exec "$@"', "bash", *SPILLING)


@pytest.mark.parametrize("place", ["missing", "events.csv", "/proc"])
def test_another_place_is_taken_where_tmpdir_is_no_folder_to_write_to(tmp_path: Path, place: str) -> None:
    folder = lay_out(tmp_path)
    done = run(folder, *RUN, env=environment(TMPDIR=str(folder / place)))
    assert (done.returncode, done.stdout, done.stderr) == (0, run(folder, *RUN).stdout, b"")
    assert names(folder) == {"events.csv", "goals.yaml"}


def test_a_place_without_room_is_named(large: Path, temporary: Path) -> None:
    done = run(large, *SPILLED, program=limited(1))
    assert (done.returncode, done.stdout) == (4, b"")
    problem, hint = done.stderr.decode().splitlines()
    assert problem.startswith(f"{temporary}: temporary files can't be written: File too large")
    assert hint.startswith("hint: set TMPDIR")
    assert not names(temporary)


def test_where_nothing_can_be_written_it_says_what(tmp_path: Path, temporary: Path) -> None:
    folder = lay_out(tmp_path)
    for arguments in (RUN, ("explain", "u1", *RUN[1:])):
        done = run(folder, *arguments, program=limited(0))
        assert (done.returncode, done.stdout) == (4, b"")
        assert "temporary" in done.stderr.decode()
        assert not done.stderr.startswith(b"standard output"), "that is not where it fails"
    assert not names(temporary)

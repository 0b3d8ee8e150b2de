"""The program among others: pipes, signals, terminals, locales, and what it loads before it works."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from program import EVENTS, GOALS, PROGRAM, RUN, environment, lay_out, run, started
from rich.cells import cell_len

from microfunnel.__main__ import _allocation

pty = pytest.importorskip("pty", reason="needs the terminals and signals of POSIX")

BASH = shutil.which("bash") or "bash"
ESC = b"\x1b["
MANY = 600_000
FULL = Path("/dev/full")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose counting takes seconds, in a single query."""
    tests = "\n".join(
        f"  g{n}: {{kind: secondary, match: {{page: {{regex: '[ab].{{{n}}}[^a]+[x-z]'}}}}}}" for n in range(50)
    )
    goals = GOALS.replace("goals:\n", f"goals:\n{tests}\n")
    page = "/catalogue/" + "ab" * 40
    rows = "".join(f"u{n % 50_000},{1_790_848_800 + n},{'buy' if n % 3 else 'view'},{page}{n}\n" for n in range(MANY))
    return lay_out(tmp_path_factory.mktemp("large"), goals, f"user_id,timestamp,event,page\n{rows}")


def one_message(text: bytes) -> bool:
    """Whether it is one line, with at most a hint below it."""
    problem, *hints = text.decode().splitlines()
    return (
        bool(problem) and text.endswith(b"\n") and len(hints) < 2 and all(hint.startswith("hint: ") for hint in hints)
    )


# --- pipes ------------------------------------------------------------------------------------------------------------


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    rows = "".join(f"u{n},2026-10-01T10:00:00Z,view\n" for n in range(400))
    folder = lay_out(tmp_path, events=f"user_id,timestamp,event\n{rows}")
    arguments = (*RUN, "--json", "--by", "user_id", "--top", "400")
    done = run(folder, *PROGRAM, *arguments, program=(BASH, "-c", 'set -o pipefail; "$@" | head -1', "bash"))
    assert (done.returncode, done.stdout, done.stderr) == (141, b"{\n", b"")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [RUN, (*RUN, "--json"), ("--version",), ("--help",), ("validate", "goals.yaml"), ("schema", "report")],
    ids=lambda arguments: arguments[-1],
)
def test_a_full_disk_is_one_line_and_exit_4(folder: Path, arguments: Sequence[str]) -> None:
    done = run(folder, *PROGRAM, *arguments, program=(BASH, "-c", '"$@" >/dev/full', "bash"))
    assert done.returncode == 4
    assert one_message(done.stderr)


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", [(*RUN, "-o", "report.txt"), ("--version",)], ids=["run", "version"])
def test_closed_streams_are_nobodys_business(folder: Path, closed: str, arguments: Sequence[str]) -> None:
    done = run(folder, *PROGRAM, *arguments, program=(BASH, "-c", f'"$@" {closed}', "bash"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert arguments[0] != "run" or (folder / "report.txt").read_text(encoding="utf-8").startswith("shop")


def test_a_report_for_a_closed_stream_ends_without_a_defect(folder: Path) -> None:
    done = run(folder, *PROGRAM, *RUN, program=(BASH, "-c", '"$@" >&-', "bash"))
    assert done.returncode in {0, 4}
    assert done.stderr == b"" or one_message(done.stderr)


def test_a_closed_standard_input_holds_no_events(folder: Path) -> None:
    done = run(folder, *PROGRAM, "run", "-", *RUN[2:], program=(BASH, "-c", '"$@" <&-', "bash"))
    assert done.returncode in {2, 3}
    assert one_message(done.stderr)


def test_a_named_pipe_is_read_like_a_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_text, args=(EVENTS,), daemon=True)
    writer.start()
    done = run(folder, "run", "pipe", *RUN[2:], timeout=10)
    assert (done.returncode, done.stdout, done.stderr) == (0, run(folder, *RUN).stdout, b"")


# --- files that are written -------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file(folder: Path) -> None:
    (folder / "report.json").write_text("old", encoding="utf-8")
    before = sorted(folder.iterdir())
    limited = (BASH, "-c", 'ulimit -f 1 && exec "$@"', "bash", *PROGRAM)
    done = run(folder, *RUN, "--json", "-o", "report.json", program=limited)
    assert done.returncode == 4
    assert done.stderr == b"report.json: can't be written: File too large\n"
    assert (folder / "report.json").read_text(encoding="utf-8") == "old"
    assert sorted(folder.iterdir()) == before


def test_a_written_file_keeps_its_permissions(folder: Path) -> None:
    (folder / "report.txt").touch(mode=0o640)
    assert run(folder, *RUN, "-o", "report.txt").returncode == 0
    assert (folder / "report.txt").stat().st_mode & 0o777 == 0o640


def test_the_log_is_never_overwritten_by_its_report(folder: Path) -> None:
    (folder / "link.csv").symlink_to("events.csv")
    for output in ("events.csv", "link.csv", "goals.yaml"):
        done = run(folder, *RUN, "-o", output)
        assert done.returncode in {2, 4}, output
        assert one_message(done.stderr)
    assert (folder / "events.csv").read_text(encoding="utf-8") == EVENTS
    assert (folder / "goals.yaml").read_text(encoding="utf-8") == GOALS


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "link.txt").symlink_to("report.txt")
    (folder / "report.txt").write_text("old", encoding="utf-8")
    assert run(folder, *RUN, "-o", "link.txt").returncode == 0
    assert (folder / "link.txt").is_symlink()
    assert (folder / "report.txt").read_text(encoding="utf-8").startswith("shop")


def test_what_is_no_plain_file_is_not_replaced_by_one(folder: Path) -> None:
    """A named pipe here; `/dev/null` must survive root in the same way."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = run(folder, *RUN, "-o", "pipe")
        assert pipe.is_fifo()
        assert (done.returncode, os.read(reader, 1 << 16)[:4]) == (0, b"shop") or done.returncode == 4
    finally:
        os.close(reader)


# --- signals ----------------------------------------------------------------------------------------------------------

SIGNALS = pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])


def wait_for_spool(temporary: Path, size: int) -> None:
    """Until standard input lies in a file, so many bytes of it."""
    for _ in range(1_000):
        if sum(path.stat().st_size for path in temporary.glob("*/*")) >= size:
            return
        time.sleep(0.01)
    pytest.fail("standard input was not kept in TMPDIR")


@pytest.mark.alone
@SIGNALS
def test_a_signal_while_it_counts_ends_it_at_once_and_quietly(
    large: Path, tmp_path: Path, name: str, code: int
) -> None:
    events = (large / "events.csv").read_bytes()
    began = time.monotonic()
    with started(large, "run", "-", *RUN[2:], env=environment(TMPDIR=str(tmp_path))) as process:
        assert process.stdin
        process.stdin.write(events)
        process.stdin.close()
        process.stdin = None
        wait_for_spool(tmp_path, len(events))
        ready = time.monotonic() - began
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - sent
    assert (process.returncode, out, err) == (code, b"", b"")
    assert list(tmp_path.iterdir()) == []
    assert took < max(1, 2 * ready), "it counted to the end first"


@SIGNALS
def test_a_signal_while_it_waits_for_input(folder: Path, tmp_path: Path, name: str, code: int) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with started(folder, "run", "-", *RUN[2:], env=environment(TMPDIR=str(temporary))) as process:
        assert process.stdin
        with suppress(BrokenPipeError):
            process.stdin.write(b"x" * (1 << 20))
            process.stdin.flush()
        wait_for_spool(temporary, 1)
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, b"", b"")
    assert list(temporary.iterdir()) == []


def test_a_signal_while_it_loads_its_modules(folder: Path) -> None:
    (folder / "typer.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    done = run(folder, *RUN)
    assert (done.returncode, done.stderr) == (130, b"")


# --- files that break late --------------------------------------------------------------------------------------------

OBJECT = '{"user_id": "u1", "timestamp": "2026-10-01T10:00:00Z", "event": "view"}\n'
ROWS = EVENTS + "u1,2026-10-01T10:00:00Z,view\n" * 20_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.ndjson", OBJECT * 1_500 + '{"user_id": \n' + OBJECT),
        ("scalar.ndjson", OBJECT * 1_500 + "7\n" + OBJECT),
        ("nan.ndjson", OBJECT.replace('"u1"', "NaN")),
        ("ragged.csv", ROWS + "u1,2026-10-01T10:00:00Z,view,too much\n"),
        ("quote.csv", ROWS + '"u1,2026-10-01T10:00:00Z,view\n' * 3),
        ("latin_1.csv", (ROWS + "müller,2026-10-01T10:00:00Z,view\n").encode("latin-1")),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_a_file_that_breaks_after_its_first_rows_is_named(tmp_path: Path, name: str, content: str | bytes) -> None:
    lay_out(tmp_path)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    line = (tmp_path / name).read_bytes().rstrip(b"\n").count(b"\n")
    done = run(tmp_path, *RUN, name, "--strict")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"Traceback" not in done.stderr
    places = [f"{name}:{n}, ".encode() for n in (line - 1, line, line + 1)]
    assert name == "latin_1.csv" or any(place in done.stderr for place in places)
    assert name != "latin_1.csv" or done.stderr.startswith(f"{name}: line {line + 1:,} is not UTF-8".encode())


# --- terminals and locales --------------------------------------------------------------------------------------------


def shown_on_a_terminal(folder: Path, *arguments: str, env: dict[str, str]) -> bytes:
    screen, end = pty.openpty()
    with subprocess.Popen([*PROGRAM, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=end):
        os.close(end)
        shown = b""
        with suppress(OSError):  # Linux says EIO where the last writer is gone
            while part := os.read(screen, 1 << 16):
                shown += part
    os.close(screen)
    return shown


@pytest.mark.parametrize(
    ("env", "color", "coloured"),
    [
        ({"TERM": "xterm"}, "auto", True),
        ({"TERM": "xterm"}, "never", False),
        ({"TERM": "dumb"}, "auto", False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "auto", False),
        ({"TERM": "xterm", "NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb", "NO_COLOR": "1"}, "always", True),
    ],
)
def test_colours_on_a_terminal(folder: Path, env: dict[str, str], color: str, *, coloured: bool) -> None:
    shown = shown_on_a_terminal(folder, *RUN, "--color", color, env=environment(**env))
    assert b"shop" in shown
    assert (ESC in shown) == coloured


@pytest.mark.parametrize(
    ("env", "color", "coloured"),
    [
        ({"TERM": "xterm"}, "auto", False),
        ({}, "always", True),
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": "0"}, "auto", False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
        ({"FORCE_COLOR": "1"}, "never", False),
    ],
)
def test_colours_in_a_pipe(folder: Path, env: dict[str, str], color: str, *, coloured: bool) -> None:
    done = run(folder, *RUN, "--color", color, env=environment(**env))
    assert (done.returncode, done.stderr) == (0, b"")
    assert (ESC in done.stdout) == coloured


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("rnu",), ("run", "nix.csv", "-g", "goals.yaml")]
)
def test_help_and_messages_have_no_colours(folder: Path, arguments: Sequence[str]) -> None:
    done = run(folder, *arguments, env=environment(FORCE_COLOR="1", GITHUB_ACTIONS="1", PY_COLORS="1"))
    assert ESC not in done.stdout + done.stderr


def test_a_narrow_screen_is_not_overrun(folder: Path) -> None:
    done = run(folder, *RUN, "--by", "event", env=environment(COLUMNS="40"))
    assert done.returncode == 0
    assert max(cell_len(line) for line in done.stdout.decode().splitlines()) <= 40


def test_a_terminal_as_input_is_refused(folder: Path) -> None:
    screen, end = pty.openpty()
    try:
        done = subprocess.run(
            [*PROGRAM, "run", "-", *RUN[2:]], check=False, cwd=folder, stdin=end, capture_output=True, timeout=30
        )
    finally:
        os.close(end)
        os.close(screen)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"standard input is a terminal" in done.stderr


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--by", "event")], ids=["table", "json", "by"])
def test_an_ascii_locale_gets_ascii(tmp_path: Path, arguments: Sequence[str]) -> None:
    goals = GOALS.replace("view", "käse_angesehen_注文")
    folder = lay_out(tmp_path, goals, EVENTS.replace("view", "käse_angesehen_注文"))
    done = run(folder, *RUN, *arguments, env=environment(**ASCII))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"2 users" in done.stdout or b'"users": 2' in done.stdout


def test_an_ascii_locale_gets_messages_too(folder: Path) -> None:
    done = run(folder, "run", "käse.csv", *RUN[2:], env=environment(**ASCII))
    assert done.returncode == 3
    assert done.stderr.isascii()
    assert one_message(done.stderr)


def test_a_bare_environment_is_enough(folder: Path) -> None:
    done = run(folder, *RUN, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run(folder, *RUN).stdout


# --- what is loaded, and --debug --------------------------------------------------------------------------------------

PROBE = """
import os, runpy, sys
os._exit = sys.exit  # which would say no more
sys.argv = ["microfunnel", *sys.argv[1:]]
try:
    runpy.run_module("microfunnel", run_name="__main__")
finally:
    print("loaded:", *sorted({"polars", "pydantic", "rich", "typer", "yaml"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (("--version",), {"polars", "pydantic", "rich", "typer", "yaml"}),
        (("--help",), {"polars", "yaml"}),
        (("run", "--help"), {"polars", "yaml"}),
        (("validate", "goals.yaml"), {"polars"}),
        (("schema", "goals"), {"polars", "yaml"}),
        ((*RUN, "--json"), {"rich"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_used_is_not_loaded(folder: Path, arguments: Sequence[str], never: set[str]) -> None:
    done = run(folder, *arguments, program=(sys.executable, "-c", PROBE))
    assert done.returncode == 0
    title, *loaded = done.stderr.decode().split()
    assert (title, never & set(loaded)) == ("loaded:", set())


def test_a_shell_that_completes_a_line_hears_of_the_options_of_a_command(folder: Path) -> None:
    line = {"_MICROFUNNEL_COMPLETE": "complete_bash", "COMP_WORDS": "microfunnel run --", "COMP_CWORD": "2"}
    offered = run(folder, env=environment(**line)).stdout.decode().split()
    assert {"--goals", "--funnel", "--by"} <= set(offered)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere polars may bring another allocator")
def test_the_allocator_of_polars_does_what_it_is_told() -> None:
    told = _allocation()
    done = subprocess.run(
        [sys.executable, "-c", "import polars; polars.Series([1])"],
        env={**os.environ, "_RJEM_MALLOC_CONF": f"{told},stats_print:true"},
        capture_output=True,
        text=True,
        check=True,
    )
    for option in told.split(","):
        assert f"opt.{option.replace(':', ': ')}" in done.stderr


def test_debug_shows_a_traceback_and_keeps_the_exit_code(folder: Path) -> None:
    for arguments in (("--debug", "run", "nix.csv", *RUN[2:]), ("run", "nix.csv", *RUN[2:], "--debug")):
        done = run(folder, *arguments)
        assert b"Traceback" in done.stderr
        assert b"nix.csv: no such file" in done.stderr
        assert (done.returncode, done.stdout) == (3, b"")


def test_debug_changes_nothing_where_all_is_well(folder: Path) -> None:
    done = run(folder, "--debug", *RUN)
    assert (done.returncode, done.stdout, done.stderr) == (0, run(folder, *RUN).stdout, b"")

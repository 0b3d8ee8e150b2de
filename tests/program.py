"""The real program in a process of its own, on a small log."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from microfunnel.__main__ import _run

PROGRAM = (sys.executable, "-m", "microfunnel")
GOALS = """\
version: 1
goals:
  view: {kind: milestone, match: {event: view}}
  buy: {kind: macro, match: {event: buy}}
funnels:
  shop: {steps: [view, buy]}
"""
EVENTS = """\
user_id,timestamp,event
u1,2026-10-01T10:00:00Z,view
u1,2026-10-01T10:05:00Z,buy
u2,2026-10-01T11:00:00Z,view
"""
RUN = ("run", "events.csv", "--goals", "goals.yaml")
NOW = {"SOURCE_DATE_EPOCH": "1798761600"}
"""The first moment of 2027: what lies in the future must not depend on the clock."""
OF_THE_TERMINAL = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LC_ALL",
    "NO_COLOR",
    "PYTHONIOENCODING",
    "PY_COLORS",
    "TERM",
)


def lay_out(folder: Path, goals: str = GOALS, events: str | bytes = EVENTS) -> Path:
    """The folder, with goals.yaml and events.csv in it."""
    (folder / "goals.yaml").write_text(goals, encoding="utf-8")
    (folder / "events.csv").write_bytes(events if isinstance(events, bytes) else events.encode())
    return folder


def environment(**changes: str) -> dict[str, str]:
    """The environment of the tests without what says how a terminal looks, with these changes."""
    plain = {name: value for name, value in os.environ.items() if name not in OF_THE_TERMINAL}
    return {**plain, **NOW, "PYTHONIOENCODING": "utf-8", **changes}


@contextmanager
def started(
    folder: Path, *arguments: str, program: Sequence[str] = PROGRAM, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The program at work in the folder; what still runs at the end of the `with` block is killed."""
    with subprocess.Popen(
        [*program, *arguments],
        cwd=folder,
        env=environment() if env is None else env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(
    folder: Path,
    *arguments: str,
    program: tuple[str, ...] = PROGRAM,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 60,
) -> subprocess.CompletedProcess[bytes]:
    """What the program did in the folder."""
    return subprocess.run(
        [*program, *arguments],
        check=False,
        cwd=folder,
        env=environment() if env is None else env,
        input=stdin,
        capture_output=True,
        timeout=timeout,
    )


def run_here(
    folder: Path, *arguments: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, **env: str
) -> tuple[int, str, str]:
    """How the program ends in this process, in a tenth of the time, and what it prints to both streams."""
    with monkeypatch.context() as patch:
        for name in OF_THE_TERMINAL:
            patch.delenv(name, raising=False)
        for name, value in {**NOW, **env}.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        code = _run(list(arguments), debug=False)
    out, err = capfd.readouterr()
    return code, out, err

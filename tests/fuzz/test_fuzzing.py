"""The program on broken files: those that have crashed it once, and as many new ones as fit into some seconds."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz import fuzzing
from fuzz.fuzzing import CRASHERS, Fuzzer, Input, fault_of, fuzzer, input_of, kept

SECONDS = 25
FEWEST, MOST = 40, 250
KNOWN = sorted(path.parent for path in CRASHERS.glob("*/arguments.json"))


@pytest.fixture(scope="module")
def program() -> Iterator[Fuzzer]:
    with fuzzer() as started:
        yield started


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.name)
def test_what_has_crashed_it_once(path: Path, program: Fuzzer) -> None:
    assert program.fault(kept(path)) is None


def test_broken_files(program: Fuzzer) -> None:
    until = time.monotonic() + SECONDS
    for number in range(MOST):
        given = input_of(f"always the same {number}")
        fault = program.fault(given)
        assert fault is None, f"{given.seed}: {fault}"
        if number >= FEWEST and time.monotonic() > until:
            break
    assert {0, 2, 3} <= set(program.ends), "some can be read, and some not"


@pytest.mark.parametrize(
    ("code", "out", "err", "fault"),
    [
        (0, b"report\n", b"", None),
        (3, b"", b"events: is empty\n", None),
        (None, b"", b"", "takes longer"),
        (70, b"", b"events: a defect", "ends with 70"),
        (-6, b"", b"events: memory allocation failed", "ends with -6"),
        (3, b"", b"events\nTraceback", "shows a traceback"),
        (3, b"", b"is empty", "does not say where"),
        (3, b"report", b"events: is empty", "refuses, and prints"),
        (0, b"\x1b[1m", b"", "prints what acts"),
        (3, b"", "events: \x9b".encode(), "prints what acts"),
        (3, b"", b"events: " + b"x" * 2_000, "says too much"),
    ],
)
def test_it_knows_what_is_wrong(code: int | None, out: bytes, err: bytes, fault: str | None) -> None:
    assert (fault_of(code, out, err) or "None").startswith(str(fault))
    assert (fault_of(0, b"", b"", left=1) or "").startswith("leaves 1")


@pytest.mark.parametrize(("does", "fault"), [("import os; os.abort()", "ends with -6"), ("input(); input()", "takes")])
def test_it_goes_on_after_a_crash(does: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker.py").write_text(does, encoding="utf-8")
    given = Input("seed", "events", b"", fuzzing.RUN)
    with fuzzer() as started, monkeypatch.context() as patch:
        patch.setattr(fuzzing, "WORKER", tmp_path / "worker.py")
        patch.setattr(fuzzing, "SECONDS", 1)
        assert (started.fault(given) or "").startswith(fault)
        patch.undo()
        assert started.fault(given) is None

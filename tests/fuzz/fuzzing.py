"""Feeds broken files to the program: it may refuse them, it may not crash, hang, shout or leave anything behind.

`make fuzz MINUTES=10 SEED=night` looks for files that do; each is kept in `crashers/`, where a test runs it again.
"""

import json
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.mutations import broken, events, goals
from program import EVENTS, GOALS, environment

SECONDS = 10
LONGEST_MESSAGE = {"events": 2_000, "goals.yaml": 20_000}
"""Bytes; of a goals file up to a hundred mistakes are listed."""
MAY_END_WITH = {0, 2, 3, 4}
ACTS = {*range(32), 0x7F} - {0x0A}
WORKER = Path(__file__).with_name("worker.py")
CRASHERS = Path(__file__).parent / "crashers"
RUN = ("run", "events", "--goals", "goals.yaml")
CHOICES: Sequence[tuple[str, ...]] = (
    (),
    ("--max-bad", "100%"),
    ("--max-bad", "100%", "--json"),
    ("--max-bad", "100%", "--by", "device", "--rejects", "rejects.ndjson"),
    ("--max-bad", "100%", "--encoding-errors", "replace"),
)


@dataclass(frozen=True)
class Input:
    """A file of events or a goals file, and how the program is asked to read it."""

    seed: str
    name: str
    content: bytes
    arguments: tuple[str, ...]


def input_of(seed: str) -> Input:
    rng = random.Random(seed)
    if rng.random() < 0.15:
        arguments = rng.choice((("validate", "goals.yaml"), RUN))
        return Input(seed, "goals.yaml", broken(seed, goals()), arguments)
    return Input(seed, "events", broken(seed, events()), (*RUN, *rng.choice(CHOICES)))


class Fuzzer:
    """Gives inputs to a program that waits for them, and starts another one where it died or hangs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.ends: Counter[int | None] = Counter()
        """How often it ended how; None where it took too long."""
        (folder / "temporary").mkdir()

    def fault(self, given: Input) -> str | None:
        """What the program did with an input that it may not do."""
        files = {"events": EVENTS.encode(), "goals.yaml": GOALS.encode(), given.name: given.content}
        for name, content in {**files, "out": b"", "err": b""}.items():
            (self._folder / name).write_bytes(content)
        code = self._exit_code(given.arguments)
        self.ends[code] += 1
        out, err = ((self._folder / name).read_bytes() for name in ("out", "err"))
        left = list((self._folder / "temporary").iterdir())
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return fault_of(code, out, err, longest=LONGEST_MESSAGE[given.name], left=len(left))

    def _exit_code(self, arguments: Sequence[str]) -> int | None:
        if self._process is None or self._process.poll() is not None:
            self._process = self._started()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"arguments": arguments, "folder": str(self._folder)}).encode() + b"\n")
        self._process.stdin.flush()
        in_time, *_ = select.select([self._process.stdout], [], [], SECONDS)
        answer = self._process.stdout.readline() if in_time else b""
        if answer:
            return int(answer)
        self.close()
        return self._process.returncode if in_time else None

    def _started(self) -> "subprocess.Popen[bytes]":
        root, temporary = Path(__file__).parents[2], self._folder / "temporary"
        env = environment(PYTHONPATH=str(root), RUST_BACKTRACE="0", TMPDIR=str(temporary))
        command = [sys.executable, str(WORKER)]
        return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        if self._process is None:
            return
        with self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self._process.kill()


def fault_of(code: int | None, out: bytes, err: bytes, *, longest: int = 2_000, left: int = 0) -> str | None:
    """What is wrong with how a run ended; None for the exit code of one that took too long."""
    faults = {
        f"takes longer than {SECONDS} s": code is None,
        f"ends with {code}: {err[-300:]!r}": code is not None and code not in MAY_END_WITH,
        "shows a traceback": b"Traceback" in err,
        f"does not say where: {err[:300]!r}": bool(code) and b"events" not in err and b"goals.yaml" not in err,
        "refuses, and prints": bool(code) and bool(out),
        "prints what acts on a terminal": _acts(out) or _acts(err),
        f"says too much: {len(err)} bytes": len(err) > longest,
        f"leaves {left} temporary folders": bool(left),
    }
    return next((fault for fault, is_there in faults.items() if is_there), None)


def _acts(printed: bytes) -> bool:
    text = printed.decode(errors="replace")
    return any(ord(char) in ACTS or 0x7F <= ord(char) <= 0x9F for char in text)


@contextmanager
def fuzzer() -> Iterator[Fuzzer]:
    """A program that waits for inputs."""
    with TemporaryDirectory() as folder:
        program = Fuzzer(Path(folder))
        try:
            yield program
        finally:
            program.close()


def keep(given: Input) -> Path:
    """Where the input is kept, for the tests and for whoever mends it."""
    path = CRASHERS / given.seed
    path.mkdir(parents=True, exist_ok=True)
    (path / given.name).write_bytes(given.content)
    (path / "arguments.json").write_text(json.dumps(given.arguments), encoding="utf-8")
    return path


def kept(path: Path) -> Input:
    arguments = tuple(json.loads((path / "arguments.json").read_text(encoding="utf-8")))
    name = next(name for name in ("events", "goals.yaml") if (path / name).exists())
    return Input(path.name, name, (path / name).read_bytes(), arguments)


def main() -> None:
    minutes, seed = float(os.environ.get("MINUTES", "10")), os.environ.get("SEED") or f"{time.time_ns()}"
    until, number, found = time.monotonic() + minutes * 60, 0, 0
    with fuzzer() as program:
        while time.monotonic() < until:
            given = input_of(f"{seed}-{number}")
            fault = program.fault(given)
            number += 1
            if fault is not None:
                found += 1
                print(f"{keep(given)}: {' '.join(given.arguments)}: {fault}", flush=True)
        ends = ", ".join(f"{n:,} times {code}" for code, n in sorted(program.ends.items(), key=str))
    print(f"{number:,} inputs of the seed {seed}: {found} faults; exit codes: {ends}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

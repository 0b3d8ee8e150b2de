"""Whole runs of the program as data: a file in `cases/` is a test, and adding one needs no code.

A case holds `why`, `goals` (written to goals.yaml), `files` (name to content), `args`, sometimes `stdin` and `env`, and
at its end what must come out: `exit`, `stdout`, `stderr` and `written` (name to text, or to null for a file that must
not be there). A line `...` stands for any lines, ` ...` at the end of a line for any rest of it; `{dir}` is the folder
that the program runs in. Content is text, `{folder: true}`, `{link_to: name}`, or one of MAKERS with its text, for
example `{gzip_of: text}`; `cut: 100` beside it keeps the first 100 bytes alone.

`ACCEPT=1 pytest tests/test_cases.py` rewrites what must come out; read the difference before you keep it.
"""

import base64
import gzip
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Any

import polars as pl
import program
import pytest
import yaml

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
ENOUGH = 100
OUTCOME = re.compile(r"^(exit|stdout|stderr|written):.*", re.MULTILINE | re.DOTALL)

Content = str | Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind."""

    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    written: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    why: str
    args: list[str]
    goals: str | None = None
    files: Mapping[str, Content] = field(default_factory=dict)
    stdin: Content | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    expected: Outcome = Outcome()

    @property
    def needs_a_process(self) -> bool:
        """Whether the run is about more than what it prints: how it ends, what is piped in, its environment."""
        return bool(self.expected.exit or self.env) or self.stdin is not None


def load(path: Path) -> Case:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    outcome = {name: content.pop(name) for name in ("exit", "stdout", "stderr", "written") if name in content}
    return Case(**content, expected=Outcome(**outcome))


def zstd_of(text: str) -> bytes:
    out = io.BytesIO()
    lines = pl.DataFrame({"line": text.splitlines()}).lazy()
    lines.sink_csv(out, include_header=False, quote_style="never", compression="zstd")
    return out.getvalue()


def parquet_of(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


MAKERS: Mapping[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": base64.b64decode,
    "gzip_of": lambda text: gzip.compress(text.encode(), mtime=0),
    "zstd_of": zstd_of,
    "parquet_of_csv": lambda text: parquet_of(pl.read_csv(text.encode(), try_parse_dates=True)),
    "parquet_of_ndjson": lambda text: parquet_of(pl.read_ndjson(text.encode())),
}


def made(content: Content) -> bytes:
    if isinstance(content, str):
        return content.encode()
    ((maker, text),) = ((name, content[name]) for name in content if name != "cut")
    return MAKERS[maker](text)[: content.get("cut")]


def lay_out(case: Case, folder: Path) -> None:
    if case.goals is not None:
        (folder / "goals.yaml").write_text(case.goals, encoding="utf-8")
    for name, content in case.files.items():
        path = folder / name
        if content == {"folder": True}:
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict) and "link_to" in content:
            path.symlink_to(content["link_to"])
        else:
            path.write_bytes(made(content))


def arguments(case: Case, folder: Path) -> list[str]:
    return [argument.replace("{dir}", str(folder)) for argument in case.args]


def in_a_process(case: Case, folder: Path) -> tuple[int, str, str]:
    stdin = b"" if case.stdin is None else made(case.stdin)
    done = program.run(folder, *arguments(case, folder), env=program.environment(**case.env), stdin=stdin)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def left_in(folder: Path, name: str) -> str | None:
    path = folder / name
    return path.read_bytes().decode() if path.exists() else None


def fits(expected: str | None, actual: str | None) -> bool:
    """Whether the text is as expected, where a line `...` stands for any lines and ` ...` for the rest of one."""
    if expected is None or actual is None:
        return expected is actual
    lines = expected.splitlines(keepends=True)
    return re.fullmatch("".join(map(pattern_of, lines)), actual) is not None


def pattern_of(line: str) -> str:
    if line.strip() == "...":
        return "(?:.*\n)*?"
    known, rest, _ = line.rpartition(" ...\n")
    return re.escape(known) + " .+\n" if rest else re.escape(line)


def differences(case: Case, actual: Outcome) -> str:
    expected = case.expected
    pairs: list[tuple[str, str | None, str | None]] = [
        ("stdout", expected.stdout, actual.stdout),
        ("stderr", expected.stderr, actual.stderr),
    ]
    pairs += [(name, expected.written[name], text) for name, text in actual.written.items()]
    parts = [] if expected.exit == actual.exit else [f"exit {actual.exit}, expected {expected.exit}\n"]
    for name, wanted, found in pairs:
        if not fits(wanted, found):
            before, after = ((text or "").splitlines(keepends=True) for text in (wanted, found))
            parts += unified_diff(before, after, f"expected {name}", f"actual {name}")
    return "".join(parts)


def as_yaml(name: str, text: str | None, indent: str = "") -> str:
    """One entry of a mapping, as a block that shows the text as it is wherever YAML can."""
    simple = text and text.endswith("\n") and all(line.isprintable() for line in text.splitlines())
    if text is None or not simple or "\ufeff" in text:
        return f"{indent}{name}: {json.dumps(text)}\n"
    style = "|2" if text[0] in " \n" else "|"
    style += "+" if text.endswith("\n\n") else ""
    body = "".join(f"{indent}  {line}" if line.strip() else line for line in text.splitlines(keepends=True))
    return f"{indent}{name}: {style}\n{body}"


def accept(path: Path, actual: Outcome) -> None:
    head = OUTCOME.sub("", path.read_text(encoding="utf-8"))
    tail = f"exit: {actual.exit}\n" + as_yaml("stdout", actual.stdout) + as_yaml("stderr", actual.stderr)
    if actual.written:
        tail += "written:\n" + "".join(as_yaml(name, text, "  ") for name, text in actual.written.items())
    path.write_text(head + tail, encoding="utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) >= ENOUGH
    assert sum(load(path).needs_a_process for path in CASES) > len(CASES) / 3


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_comes_out(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = load(path)
    lay_out(case, tmp_path)
    if case.needs_a_process:
        code, *streams = in_a_process(case, tmp_path)
    else:
        code, *streams = program.run_here(tmp_path, *arguments(case, tmp_path), capfd=capfd, monkeypatch=monkeypatch)
    out, err = (text.replace(str(tmp_path), "{dir}") for text in streams)
    actual = Outcome(code, out, err, {name: left_in(tmp_path, name) for name in case.expected.written})
    found = differences(case, actual)
    if found and os.environ.get("ACCEPT"):
        accept(path, actual)
    elif found:
        pytest.fail(f"{case.why}\n{found}", pytrace=False)
    assert "Traceback" not in out + err
    assert not (out and code), "a run that fails prints nothing to stdout"

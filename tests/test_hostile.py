"""Whatever names a log, a goals file or an argument hold, nothing in them acts on a terminal, and JSON keeps them."""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import program
import pytest
from bridge import report_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from microfunnel.__main__ import _run
from microfunnel.rendering import FORMATS, Screen
from microfunnel.wording import clean

ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
SHOWN = (
    "[red]x[/red]",
    "[/]",
    "[link=https://evil.example]here[/link]",
    ":boom: {0} %s $HOME `id`",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "注文を確認する 🛒",
)
"""Names that look odd and are shown as they are."""
ACTING = (
    "\x1b[31mred\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31mC1\x85",
    "\x90q\x9c",
    "back\bspace\x7f",
    "two\nlines\r\tand\x0b\x0c",
    "\u202egnp.exe",
    "\u2066isolate\u2069 \u061c",
    "zero\u200bwidth\u200d\ufeff\u2060",
    "lines\u2028and\u2029more",
    "family 👩\u200d👩\u200d👧",
    "tag \U000e0041\U000e007f",
    "nul\x00nul",
)
"""Names that must not reach a terminal as they are."""
NAMES = (*SHOWN, *ACTING)
GOALS = """\
version: 1
goals:
  every: {kind: macro, match: any}
  view: {kind: milestone, match: {event: view}}
funnels:
  shop: {steps: [every, {name: own, match: {event: red}}]}
"""
Row = Mapping[str, str]


def harmless(text: str) -> str:
    assert ACTS.findall(text) == [], text
    return text


def as_csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_ndjson(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(out)
    return out.getvalue()


FILES = pytest.mark.parametrize("content", [as_csv, as_ndjson, as_parquet])
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The program in this process, in a folder with goals.yaml; both streams must be harmless."""
    for name in program.OF_THE_TERMINAL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("goals.yaml").write_text(GOALS, encoding="utf-8")

    def inner(*arguments: str) -> tuple[int, str, str]:
        code = _run(list(arguments), debug=False)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, harmless(out), harmless(err)

    return inner


def rows_of(names: Sequence[str]) -> list[Row]:
    return [
        {"user_id": name, "timestamp": "2026-10-01T10:00:00Z", "event": name, "page": name, "other": "x"}
        for name in names
    ]


@FILES
def test_values_of_a_log_do_not_act(content: Callable[[Sequence[Row]], bytes], run: Run) -> None:
    Path("events").write_bytes(content(rows_of(NAMES)))
    split = [word for column in ("user_id", "event", "page") for word in ("--by", column)]
    code, out, err = run("run", "events", "-g", "goals.yaml", *split, "--top", "100")
    assert (code, err) == (0, "")
    for name in NAMES:
        assert out.count(f"\n{clean(name)} ") >= 3, name


@FILES
def test_values_of_a_log_stay_as_they_are_in_json(content: Callable[[Sequence[Row]], bytes], run: Run) -> None:
    Path("events").write_bytes(content(rows_of(NAMES)))
    code, out, err = run("run", "events", "-g", "goals.yaml", "--by", "page", "--top", "100", "--json")
    assert (code, err) == (0, "")
    segments = json.loads(out)["funnels"][0]["segments"]
    assert {segment["by"]["page"] for segment in segments} == set(NAMES)


def test_a_lone_surrogate_of_ndjson_does_not_act(run: Run) -> None:
    Path("events").write_bytes(as_ndjson(rows_of(["\ud800", "\udfff half"])))
    code, out, err = run("run", "events", "-g", "goals.yaml", "--by", "page", "--json")
    assert (code, err) == (0, "") or (code, out) == (3, "")
    assert not code or "events:1, " in err
    run("run", "events", "-g", "goals.yaml", "--by", "page")


@FILES
@pytest.mark.parametrize("name", [*ACTING, "[/]"])
def test_names_of_columns_do_not_act(name: str, content: Callable[[Sequence[Row]], bytes], run: Run) -> None:
    rows = [{**row, name: "value"} for row in rows_of(["u1"])]
    Path("events").write_bytes(content(rows))
    code, out, err = run("run", "events", "-g", "goals.yaml", "--by", name)
    assert (code, err) == (0, "")
    assert f"by {clean(name)}" in out
    code, out, err = run("run", "events", "-g", "goals.yaml", "--by", name, "--json")
    assert json.loads(out)["funnels"][0]["segments"][0]["by"] == {name: "value"}


@pytest.mark.parametrize("content", [as_csv, as_parquet])
def test_columns_are_listed_harmlessly(content: Callable[[Sequence[Row]], bytes], run: Run) -> None:
    Path("events").write_bytes(content([dict.fromkeys(NAMES, "x")]))
    code, out, err = run("run", "events", "-g", "goals.yaml")
    assert (code, out) == (3, "")
    assert "[link=https://evil.example]here[/link]" in err
    assert r"\x1b]52;c;ZXZpbA==\x07" in err


@pytest.mark.parametrize("name", NAMES)
def test_names_of_goals_do_not_act(name: str, run: Run) -> None:
    """Names that act are refused, all others are shown as they are."""
    quoted = json.dumps(name, ensure_ascii=name in ACTING)
    goals = (
        f"version: 1\ngoals: {{{quoted}: {{kind: macro, match: any}}}}\nfunnels: {{{quoted}: {{steps: [{quoted}]}}}}"
    )
    Path("goals.yaml").write_text(goals, encoding="utf-8")
    Path("events").write_bytes(as_csv(rows_of(["u1"])))
    code, out, err = run("run", "events", "-g", "goals.yaml")
    assert (code, out) == (2, "") if name in ACTING else (code, err) == (0, "")
    assert name in ACTING or name in out
    run("validate", "goals.yaml")


@pytest.mark.parametrize("name", [name for name in NAMES if not {"/", "\0"} & set(name)])
def test_names_of_files_do_not_act(name: str, run: Run) -> None:
    assert run("run", name, "-g", "goals.yaml")[0] == 3
    assert run("validate", name)[0] == 2
    Path(name).touch()
    assert run("run", name, "-g", "goals.yaml")[0] == 3
    Path("events").write_bytes(as_csv(rows_of(["u1"])))
    code, out, err = run("run", "events", name, "-g", "goals.yaml")
    assert (code, err) == (0, "")
    assert f"! {clean(name)} is empty" in out
    assert run("run", "events", "-g", "goals.yaml", "-o", f"missing {name}/report")[0] == 4
    Path(name).write_bytes(b"\xff\xfe\x00garbage")
    assert run("run", name, "-g", "goals.yaml")[0] == 3
    Path(name).write_text('{"user_id": broken\n', encoding="utf-8")
    assert run("run", name, "-g", "goals.yaml")[0] == 3


@pytest.mark.parametrize("name", [name for name in ACTING if "\0" not in name])
def test_arguments_do_not_act(name: str, run: Run) -> None:
    Path("events").write_bytes(as_csv(rows_of(["u1"])))
    start = ("run", "events", "-g", "goals.yaml")
    assert run(*start, "--funnel", name)[0] == 2
    assert run(*start, "--by", name)[0] == 3
    assert run(*start, "--since", name)[0] == 2
    assert run("run", f"https://{name}", *start[2:])[0] == 3


@pytest.mark.parametrize("name", [name for name in ACTING if "\0" not in name])
def test_arguments_that_are_no_options_do_not_act(name: str, run: Run) -> None:
    assert run(name)[0] == 2
    assert run("run", f"--{name}")[0] == 2
    assert run("run", "events", "-g", "goals.yaml", "--format", name)[0] == 2
    assert run("run", "events", "-g", "goals.yaml", "--top", name)[0] == 2
    assert run("schema", name)[0] == 2


@pytest.mark.parametrize("name", ACTING)
def test_messages_that_quote_a_file_do_not_act(name: str, run: Run) -> None:
    """Broken files, whose complaints hold pieces of them."""
    raw = name.encode()
    start = b"user_id,timestamp,event\n"
    goals = ("-g", "goals.yaml")
    for content in (
        start + b'"' + raw + b",2026-10-01,view\n" * 3,
        start + b"u1,2026-10-01,view," + raw + b"\n",
        start + raw + b"\xff,2026-10-01,view\n",
        start + b'u1,"' + raw + b'",view\n',
        b'{"user_id": "' + raw + b'", "timestamp": \n',
        raw,
        b"PAR1" + raw,
    ):
        Path("events").write_bytes(content)
        code, _, err = run("run", "events", *goals)
        assert (code == 0) == (err == "")
        assert code in {0, 3}
        assert len(err) < 2_000
    for text in (f"version: {name}", f"{name}: [", json.dumps({"version": name, name: {"x": name}})):
        Path("goals.yaml").write_text(text, encoding="utf-8")
        assert run("validate", "goals.yaml")[0] == 2


def test_names_of_files_that_are_no_text(tmp_path: Path) -> None:
    """A name that is not UTF-8 can be read like any other, or else is refused in one line."""
    program.lay_out(tmp_path)
    name = os.fsdecode(b"caf\xe9\x1b[31m.csv")
    try:
        (tmp_path / name).write_text(program.EVENTS, encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    for arguments in ((name,), ("*.csv",)):
        done = program.run(tmp_path, "run", *arguments, "-g", "goals.yaml")
        harmless(done.stdout.decode())
        assert done.returncode == 0 or (done.returncode == 3 and done.stderr.count(b"\n") == 1)
        harmless(done.stderr.decode())


def test_a_real_process_is_as_harmless(tmp_path: Path) -> None:
    program.lay_out(tmp_path, GOALS, as_csv(rows_of(NAMES)))
    (tmp_path / "\x1b[31m.csv").touch()
    done = program.run(tmp_path, "run", "events.csv", "\x1b[31m.csv", "-g", "goals.yaml", "--by", "page", "--top", "99")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rf"{clean(ACTING[3])}" in harmless(done.stdout.decode())
    assert sys.getfilesystemencoding() == "utf-8"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(names=st.lists(st.text(st.characters(), min_size=1, max_size=30), min_size=1, max_size=4, unique=True))
@example(names=list(NAMES))
def test_any_text_is_harmless_in_tables_and_kept_in_json(names: list[str]) -> None:
    names = [name.encode(errors="replace").decode() for name in names]
    rows: list[dict[str, str | int | None]] = [
        {"user": name, "time": 1_790_848_800_000_000, "event": name, "page": name} for name in names
    ]
    goals = {
        "version": 1,
        "goals": {"every": {"kind": "macro", "match": "any"}, "view": {"kind": "milestone", "match": {"event": "?!"}}},
        "funnels": {"f": {"steps": ["every"], "by": [{"column": "page", "top": 100}]}},
    }
    report = report_of(rows, goals)
    for width in (None, 40, 80):
        for unicode in (True, False):
            shown = harmless(FORMATS["table"](report, Screen(width, colour=False, unicode=unicode)))
            assert unicode or shown.isascii()
    printed = FORMATS["json"](report, Screen(None, colour=False, unicode=True))
    assert printed.isascii()
    segments = json.loads(printed)["funnels"][0]["segments"]
    assert {segment["by"]["page"] for segment in segments} == set(names)

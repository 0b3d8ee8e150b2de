"""Whatever is wrong with a file, it is said in one line, or every row of it is accounted for."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import program
import pytest
import yaml
from dirty_files import ALL, Dirty

from microfunnel.__main__ import _run

CASES = {f"{group}: {case.what}": case for group, cases in ALL.items() for case in cases}
GOALS: Mapping[str, object] = {
    "version": 1,
    "goals": {"every": {"kind": "macro", "match": "any"}},
    "funnels": {"f": {"steps": ["every"], "by": {"column": "user_id", "top": 10_000}}},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in program.OF_THE_TERMINAL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(case: Dirty, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    Path("goals.yaml").write_text(yaml.safe_dump({**GOALS, "events": dict(case.settings)}), encoding="utf-8")
    files = {"events": case.content, **case.more}
    for name, content in files.items():
        Path(name).write_bytes(content)
    arguments = ("run", *files, "-g", "goals.yaml", "--json", "--rejects", "rejects", *case.arguments)
    code = _run(list(arguments), debug=False)
    return code, *capfd.readouterr()


def rejects() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("rejects").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_row_is_accounted_for(case: Dirty, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(case, capfd)
    assert (code, err) == (3 if case.refused else 0, case.refused)
    assert not list((folder / "temporary").iterdir())
    if case.refused:
        assert not out
        return
    events = json.loads(out)["events"]
    users = [segment["by"]["user_id"] for segment in json.loads(out)["funnels"][0]["segments"]]
    assert events["rows_used"] == case.used
    assert events["rejected"] == Counter(reason for _, reason in case.rejected)
    assert events["rows_read"] == case.used + len(case.rejected)
    assert [(row["file"], row["line"], row["reason"]) for row in rejects()] == [
        ("events", *row) for row in case.rejected
    ]
    assert sorted(users) == sorted(case.users.split())
    assert [warning["message"] for warning in events["warnings"]] == list(case.warned)
    assert case.span in {None, (events["first_time"], events["last_time"])}

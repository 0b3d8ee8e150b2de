"""What an inspection finds, what people and programs see of it, and what the command says."""

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import program
import pytest
from inspections import inspected, write_log
from jsonschema import Draft202012Validator
from reports import HOSTILE
from rich.cells import cell_len
from test_screens import accept

from microfunnel.goals import Goals
from microfunnel.inspections import Inspection
from microfunnel.rendering import Screen, inspection, inspection_json

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data" / "events.csv"
REAL = ROOT.parent / "shared" / "data"
SCHEMA = json.loads((files("microfunnel") / "schemas" / "inspection.schema.json").read_text("utf-8"))
NESTED = [
    {
        "user": "a",
        "ts": 1790000000,
        "event": "$pageview",
        "properties": {"$current_url": "/a", "n": 1, "plan": {"k": 2}},
    },
    {"user": "b", "ts": 1790000060, "event": "buy", "properties": {"$current_url": "/b", "tags": ["x"]}},
    {"user": "b", "ts": 1790000070, "event": "buy", "properties": {"$current_url": "/b"}},
]


def shown(found: Inspection, width: int | None = 80, *, colour: bool = False, unicode: bool = True) -> str:
    return inspection.render(found, Screen(width, colour=colour, unicode=unicode))


def as_json(found: Inspection) -> Any:
    contents = json.loads(inspection_json.render(found, Screen(None, colour=False, unicode=True)))
    Draft202012Validator(SCHEMA).validate(contents)
    return contents


def nested(folder: Path) -> Path:
    path = folder / "events.ndjson"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in NESTED), encoding="utf-8")
    return path


# --- what is found ----------------------------------------------------------------------------------------------------


def test_the_sample_is_counted_exactly() -> None:
    found = inspected(SAMPLE)
    rows = pl.read_csv(SAMPLE, infer_schema=False)
    users = {event: set() for event in rows["event"]}  # type: dict[str, set[str]]
    for event, user in rows.select("event", "user_id").iter_rows():
        users[event].add(user)
    counts = Counter(rows["event"])
    assert {each.event: (each.events, each.users) for each in found.names} == {
        event: (counts[event], len(users[event])) for event in counts
    }
    assert (found.events.users, found.events.sessions) == (3_700, 5_670)
    for each in found.properties:
        column = rows[each.field].drop_nulls()
        assert (each.filled, each.different) == (len(column), column.n_unique())
        top, n = min(Counter(column).items(), key=lambda pair: (-pair[1], pair[0]))
        assert (each.commonest[0].value, each.commonest[0].rows) == (top, n)


@pytest.mark.parametrize("kind", ["parquet", "ndjson"])
def test_the_kind_of_the_file_changes_no_count_of_events(kind: str) -> None:
    assert inspected(SAMPLE.with_suffix(f".{kind}")).names == inspected(SAMPLE).names


def test_batches_and_temporary_files_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inspected(SAMPLE)
    monkeypatch.setattr("microfunnel.queries.read_batches.__defaults__", (997,))
    monkeypatch.setattr("microfunnel.partitions.DIVIDED", 1_500)
    monkeypatch.setattr("microfunnel.inspecting.inspection.ROWS_AT_ONCE", 1_001)
    assert inspected(SAMPLE) == whole


def test_parts_of_nested_data_are_properties(tmp_path: Path) -> None:
    (form,) = inspected(nested(tmp_path)).forms
    assert form.fields == ("properties.$current_url", "properties.n", "properties.plan.k")
    assert form.columns == {"user": "user", "time": "ts", "event": "event"}


def test_lists_of_keys_and_values_are_properties(tmp_path: Path) -> None:
    value = {"string_value": "/a", "int_value": None}
    frame = pl.DataFrame(
        {
            "event_timestamp": [1_790_000_000_000_000] * 2,
            "event_name": ["page_view", "purchase"],
            "user_pseudo_id": ["a", "b"],
            "event_params": [[{"key": "page_location", "value": value}], []],
            "device": [{"category": "mobile", "web": {"browser": "x"}}] * 2,
        }
    )
    frame.write_parquet(tmp_path / "ga4.parquet")
    found = inspected(tmp_path / "ga4.parquet")
    assert found.forms[0].layout_name == "ga4"
    assert {each.field: each.filled for each in found.properties} == {
        "event_params.page_location": 1,
        "device.category": 2,
        "device.web.browser": 2,
    }


def test_of_the_goals_file_only_what_it_says_of_events_counts() -> None:
    goals = Goals.model_validate(
        {
            "version": 1,
            "events": {"where": {"device": "mobile"}},
            "goals": {"no": {"kind": "macro", "match": {"event": "nothing"}}},
        }
    )
    found = inspected(SAMPLE, goals=goals)
    assert (found.events.rows_used, found.events.rows_filtered) == (10_298, 20_234 - 10_298)


@pytest.mark.parametrize("lines", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_an_event_that_was_written_twice_counts_once_and_is_the_earlier_one(lines: list[int], tmp_path: Path) -> None:
    rows = ["u,2026-10-01,view,1", "u,2026-10-02,cart,1", "u,2026-10-03,cart,2", "v,2026-10-03,cart,"]
    log = tmp_path / "events.csv"
    log.write_text("\n".join(["user_id,timestamp,event,row", *(rows[line] for line in lines), ""]))
    goals = Goals.model_validate(
        {"version": 1, "events": {"columns": {"id": "row"}}, "goals": {"any": {"kind": "macro", "match": "any"}}}
    )
    found = inspected(log, goals=goals)
    assert [(each.event, each.events, each.users) for each in found.names] == [("cart", 2, 2), ("view", 1, 1)]
    assert (found.events.rows_used, found.events.rejected) == (3, {"duplicate": 1})


def test_rejected_rows_are_counted_by_reason(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,timestamp,event\na,2026-10-01,x\n,2026-10-01,x\nb,never,x\nc,2026-10-02,x\n")
    found = inspected(path)
    assert found.events.rejected == {"empty_user": 1, "unreadable_time": 1}
    assert "4 rows read, 2 used, 2 rejected (1 without user, 1 with an unreadable time)" in shown(found)


def test_properties_are_those_of_the_first_rows_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microfunnel.inspecting.inspection.PROPERTY_ROWS", 1_000)
    found = inspected(SAMPLE)
    assert {each.rows for each in found.properties} == {1_000}
    assert "Properties are those of the first 1,000 rows." in shown(found)
    assert as_json(found)["property_rows"] == 1_000


def test_names_that_come_after_too_many_are_counted_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("microfunnel.inspecting.acts.MOST_NAMES", 3)
    found = inspected(write_log(tmp_path / "events.csv", [["a", "b"], ["c", "d", "e"]]))
    assert (found.different_events, found.unnamed_events, found.events.users) == (3, 2, 2)


def test_files_of_several_forms_are_shown_apart(tmp_path: Path) -> None:
    found = inspected(nested(tmp_path), write_log(tmp_path / "events.csv", [["a", "b"]]))
    assert [form.kind for form in found.forms] == ["NDJSON", "CSV"]
    assert "in 2 files (NDJSON; CSV)" in shown(found, None)
    assert f"columns of {tmp_path / 'events.csv'}" in shown(found, None)


@pytest.mark.parametrize("content", ["user_id,timestamp,event\n", "user_id,timestamp,event\n,,\n"])
def test_an_export_without_events_is_shown_too(content: str, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(content)
    found = inspected(tmp_path / "events.csv")
    assert shown(found).startswith("0 events of 0 users, no events, in 1 file (CSV)\n")
    assert as_json(found)["events"] == []


# --- what is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_sample_looks_as_accepted(width: int) -> None:
    accept(f"inspect-{width}", shown(inspected(SAMPLE), width))


def test_the_sample_looks_as_accepted_in_colour_and_in_ascii() -> None:
    accept("inspect-80-colour-utf8", shown(inspected(SAMPLE), 80, colour=True))
    accept("inspect-80-plain-ascii", shown(inspected(SAMPLE), 80, unicode=False))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable() or "\ud800" not in text])
def test_hostile_words_neither_act_nor_overflow(text: str, width: int, tmp_path: Path) -> None:
    row = {"user_id": "a", "timestamp": "2026-10-01", "event": text or "x", f"p{text}": text, "q": text * 3}
    pl.DataFrame([row, row | {"q": "other"}]).write_parquet(tmp_path / "events.parquet")
    found = inspected(tmp_path / "events.parquet")
    for unicode in (True, False):
        lines = shown(found, width, unicode=unicode)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", lines)
        assert all(cell_len(line) <= width for line in lines.split("\n"))
        assert unicode or lines.isascii()
    assert as_json(found)["events"][0]["event"] == (text or "x")


def test_the_schema_describes_every_field_and_admits_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for part in [SCHEMA, *SCHEMA["$defs"].values()]:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    contents = as_json(inspected(SAMPLE))
    assert list(contents) == SCHEMA["required"]
    assert list(contents["properties"][0]) == SCHEMA["$defs"]["property"]["required"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_columns_that_nobody_knows_are_shown_with_what_to_declare(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("who,at,what\nann,2026-10-01,seen\nben,2026-10-01,seen\n")
    done = program.run(tmp_path, "inspect", "events.csv")
    assert done.returncode == 3
    out, err = done.stdout.decode(), done.stderr.decode()
    assert out.startswith("2 rows in 1 file (CSV), not yet events: see below\n")
    assert re.search(r"^who +100\.0 % +2 +each only once$", out, re.MULTILINE)
    assert "events.csv: no column looks like the user; there are: who, at, what" in err
    assert (
        "hint: say in the goals file which columns hold them: events: {columns: {user: ..., time: ..., event: ...}}"
        in err
    )
    goals = "version: 1\nevents: {columns: {user: who, time: at, event: what}}\ngoals: {a: {kind: macro, match: any}}\n"
    (tmp_path / "goals.yaml").write_text(goals)
    done = program.run(tmp_path, "inspect", "events.csv", "--goals", "goals.yaml")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"2 events of 2 users, 1 Oct 2026, in 1 file (CSV)\n")


def test_standard_input_and_an_output_file(tmp_path: Path) -> None:
    done = program.run(tmp_path, "inspect", "-", "--json", "-o", "found.json", stdin=program.EVENTS.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    contents = json.loads((tmp_path / "found.json").read_text())
    assert contents["schema"] == "microfunnel.inspection/1"
    assert contents["users"] == 2


def test_the_schema_can_be_printed(tmp_path: Path) -> None:
    assert json.loads(program.run(tmp_path, "schema", "inspection").stdout) == SCHEMA


@pytest.mark.skipif(not REAL.is_dir(), reason="the real exports are not on this machine")
@pytest.mark.parametrize(
    ("name", "events", "users", "title"),
    [
        ("ga4_events.parquet", 24_219, 19_210, "GA4 export of BigQuery"),
        ("access.log.gz", 9_999, 1_861, "combined access log"),
        ("ecom.csv.gz", 31_106, 600, None),
        ("clique_bait_events.csv.gz", 32_734, 500, None),
        ("github_events.ndjson.gz", 800, 573, "GitHub events"),
    ],
)
def test_real_exports(name: str, events: int, users: int, title: str | None) -> None:
    found = inspected(REAL / name)
    assert (found.events.rows_used, found.events.users, found.forms[0].layout) == (events, users, title)
    as_json(found)
    for width in (60, 100):
        assert all(cell_len(line) <= width for line in shown(found, width).split("\n"))

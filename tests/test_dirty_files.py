"""Whatever is wrong with a file, it is said in one line, or every row of it is accounted for."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl
import program
import pytest
import yaml
from dirty_files import ACCESS, ALL, MANY, TWO, WHOLE, Dirty, an, csv, parquet, row

from microfunnel.__main__ import _run
from microfunnel.errors import InputError, reading_errors
from microfunnel.events import REASONS, REJECTED, EventTable
from microfunnel.goals import Events
from microfunnel.queries import collect
from microfunnel.reading.canonical import KnownTable
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.lines import may_have_broken_lines
from microfunnel.reading.rejects import Rejects
from microfunnel.reading.tables import Table

CASES = {f"{group}: {case.what}": case for group, cases in ALL.items() for case in cases}
GOALS: Mapping[str, object] = {
    "version": 1,
    "goals": {"every": {"kind": "macro", "match": "any"}},
    "funnels": {"f": {"steps": ["every"], "by": {"column": "user", "top": 10_000}}},
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
    users = [segment["by"]["user"] for segment in json.loads(out)["funnels"][0]["segments"]]
    assert events["rows_used"] == case.used
    assert events["rejected"] == Counter(reason for _, reason in case.rejected)
    assert events["rows_read"] == case.used + len(case.rejected)
    assert [(row["file"], row["line"], row["reason"]) for row in rejects()] == [
        (case.name, *row) for row in case.rejected
    ]
    assert sorted(users) == sorted(case.users.split())
    assert [warning["message"] for warning in events["warnings"]] == list(case.warned)
    assert case.span in {None, (events["first_time"], events["last_time"])}


def read(use: Callable[[EventTable], Any], *sources: str, timezone: str = "UTC") -> Any:
    return read_events(Request(sources, Events(timezone=timezone), {"event"}), None, use)


def whole(table: EventTable) -> pl.DataFrame:
    return table.frame.collect()


def looked_at_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are looked at for rejected rows from now on."""
    again: list[str] = []
    look = Rejects._of

    def looks(self: Rejects, known: KnownTable, most: int) -> Iterator[pl.DataFrame]:
        again.append(known.table.name)
        return look(self, known, most)

    monkeypatch.setattr(Rejects, "_of", looks)
    return again


@pytest.mark.usefixtures("folder")
def test_no_file_is_read_again_once_all_rejected_rows_are_found(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("goals.yaml").write_text(yaml.safe_dump(GOALS), encoding="utf-8")
    for name, content in {"a": WHOLE, "b": TWO + b",2026-10-01,view\n", "c": TWO, "d": TWO}.items():
        Path(name).write_bytes(content)
    again = looked_at_again(monkeypatch)
    assert _run(["run", "a", "b", "c", "d", "-g", "goals.yaml", "--json", "--max-bad", "50%"], debug=False) == 0
    samples = json.loads(capfd.readouterr().out)["events"]["rejected_samples"]
    assert ([each["file"] for each in samples], again) == (["b"], ["a", "b"])


@pytest.mark.usefixtures("folder")
def test_no_file_is_read_again_where_no_rows_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("goals.yaml").write_text(yaml.safe_dump(GOALS), encoding="utf-8")
    for name in "ab":
        Path(name).write_bytes(TWO)
    again = looked_at_again(monkeypatch)
    assert _run(["run", "a", "b", "-g", "goals.yaml", "--json", "--rejects", "rejects"], debug=False) == 0
    assert (rejects(), again) == ([], [])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("bad", "most", "found", "looked_at"),
    [
        # All that there are, and then no file is read again; beyond the first one, more and more are asked at once.
        ("b", 1, "b", "ab"),
        ("l", 1, "l", "ahijkl"),
        ("bgl", 3, "bgl", "abcdghijkl"),
        ("cdh", 3, "cdh", "abcdgh"),
        # The first of more, also of lines that are no rows.
        ("abcdefghijkl", 4, "abcd", "abcd"),
        ("ck", 1, "c", "abc"),
        ("", 1, "", "a"),
        ("abcdefghijkl", 12, "abcdefghijkl", "abcdefghijkl"),
        ("bl", 0, "", ""),
    ],
)
def test_as_few_files_as_need_be_are_looked_at_for_rejected_rows(
    monkeypatch: pytest.MonkeyPatch, bad: str, most: int, found: str, looked_at: str
) -> None:
    for name in "abcdefghijkl":
        broken = b"nothing else\n" if name in "ck" else b",2026-10-01,view\n"
        Path(name).write_bytes(TWO + broken if name in bad else TWO)
    again = looked_at_again(monkeypatch)

    def rejected(table: EventTable) -> list[tuple[str, int]]:
        # Where lines turn out to be no rows, all is read anew.
        again.clear()
        assert table.rejects is not None
        return [row for frame in table.rejects(most) for row in frame.select("file", "line").rows()]

    assert read(rejected, *"abcdefghijkl") == [(name, 4) for name in found]
    assert "".join(again) == looked_at


def lines_of_rows(kind: str) -> list[str]:
    """Rows of which each third has no time that can be read and each seventh is none, with their header."""
    times = ["soon" if row % 3 == 0 else "2026-10-01" for row in range(300)]
    if kind == "CSV":
        rows = [f"ann,{time},{row}" for row, time in enumerate(times)]
        return ["user,time,event", *(f"ann,{row}" if row % 7 == 0 else each for row, each in enumerate(rows))]
    rows = [f'{{"user":"ann","time":"{time}","event":"{row}"}}' for row, time in enumerate(times)]
    return [each[:-1] if kind == "NDJSON" and row % 7 == 0 else each for row, each in enumerate(rows)]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", ["CSV", "NDJSON", "NDJSON without broken lines", "Parquet"])
@pytest.mark.parametrize("most", [1, 20, 1000])
def test_rejected_rows_come_in_small_pieces_and_in_order(kind: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microfunnel.reading.rejects.BATCH", 10)
    monkeypatch.setattr("microfunnel.reading.mending.BATCH", 10)
    lines = lines_of_rows(kind)
    text = "".join(f"{line}\n" for line in lines)
    if kind == "Parquet":
        pl.read_ndjson(text.encode()).write_parquet("events")
    else:
        Path("events").write_text(text, encoding="utf-8")

    def rejected(table: EventTable) -> list[pl.DataFrame]:
        assert table.rejects is not None
        return list(table.rejects(most))

    frames = read(rejected, "events")
    faults = [(number, line) for number, line in enumerate(lines, start=1) if is_no_row(line) or "soon" in line]
    reasons = {"CSV": "too_few_fields", "NDJSON": "bad_json"}
    assert [row for frame in frames for row in frame.rows()] == [
        ("events", number, reasons[kind] if is_no_row(line) else "unreadable_time", line)
        for number, line in faults[:most]
    ]
    # The last lines of a file that is mended are looked at together, a hundred of them.
    assert all(0 < frame.height <= (50 if kind in reasons else 10) for frame in frames)


def is_no_row(line: str) -> bool:
    return line.count(",") != 2 or line.startswith("{") > line.endswith("}")


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    Path("events").write_bytes(TWO)
    (folder / "link").symlink_to("events")
    os.link("events", "hard")
    assert read(whole, "events", "./events", str(folder / "events"), "link", "hard").height == 2


def test_links_to_folders_lead_in_no_circles(folder: Path) -> None:
    (folder / "logs").mkdir()
    (folder / "logs" / "a.csv").write_bytes(TWO)
    (folder / "logs" / "again").symlink_to(folder / "logs")
    for source in ("logs", "logs/**", "logs/**/*.csv"):
        assert read(whole, source).height == 2


def test_files_that_differ_in_how_they_are_packed_alone(folder: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "b.csv", "a.ndjson"):
        (folder / name).write_bytes(TWO)
    message = "a.csv and a.csv.gz may be the same events, packed and not; then each counts twice"
    names = ("a.csv", "a.csv.gz", "b.csv", "a.ndjson")
    assert read(lambda table: table.warnings, *names) == (("same_name", message),)
    assert read(lambda table: table.warnings, *names[1:]) == ()


def test_folders_of_hive_have_no_say(folder: Path) -> None:
    (folder / "user_id=evil").mkdir()
    (folder / "user_id=evil" / "a.parquet").write_bytes(WHOLE)
    assert read(lambda table: table.user_key("ann") in whole(table)["user"], "user_id=evil/a.parquet")


def test_each_file_has_its_own_zone(folder: Path) -> None:
    noon = pl.Series([datetime(2026, 10, 1, 12, tzinfo=UTC)])
    for name, moments in {
        "utc": noon,
        "local": noon.dt.convert_time_zone("Asia/Tokyo").dt.replace_time_zone(None),
    }.items():
        (folder / name).write_bytes(parquet(("ann",), timestamp=moments))
    assert read(whole, "local", "utc", timezone="Asia/Tokyo")["time"].n_unique() == 1
    assert read(whole, "utc", "local", timezone="Asia/Tokyo")["time"].n_unique() == 1


@pytest.mark.parametrize("change", ["grows", "is touched", "is gone", "stays"])
def test_a_file_that_changes_while_it_is_read(change: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "events"
    path.write_bytes(TWO)
    looked = Event()

    def look(table: Table) -> bool:
        found = may_have_broken_lines(table)
        looked.set()
        return found

    def use(table: EventTable) -> object:
        whole(table)
        assert looked.wait(60)
        match change:
            case "grows":
                path.write_bytes(MANY)
            case "is touched":
                os.utime(path, (0, 0))
            case "is gone":
                path.unlink()
        return table.noticed(None, None) if table.noticed is not None else None

    monkeypatch.setattr("microfunnel.reading.events.may_have_broken_lines", look)
    message = "events has changed while it was read; perhaps something still writes to it"
    assert read(use, "events") == ([] if change in {"stays", "is gone"} else [("changed_file", message)])


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_gone_before_its_lines_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("events").write_bytes(TWO)

    def look(table: Table) -> bool:
        Path("events").unlink()
        return may_have_broken_lines(table)

    monkeypatch.setattr("microfunnel.reading.events.may_have_broken_lines", look)
    with pytest.raises(InputError, match=r"^events: No such file or directory"):
        read(lambda table: table.rejects, "events")


@pytest.mark.parametrize(
    ("start", "line", "pack"),
    [
        (csv(), row("USER"), bytes),
        (csv(), row("USER"), gzip.compress),
        (b"", an('"USER"') + "\n", bytes),
        (b"", an('"USER"') + "\n", gzip.compress),
        (b"", ACCESS.replace("ann", "USER"), bytes),
    ],
    ids=["csv", "packed csv", "ndjson", "packed ndjson", "log"],
)
def test_a_file_that_grows_while_it_is_read_is_read_to_the_end_of_a_line(
    start: bytes, line: str, pack: Callable[[bytes], bytes], folder: Path
) -> None:
    """Wherever the end of the file is just then, also where what there is of the last line looks like a row."""
    path = folder / "events"
    ann, ben, cid = (line.replace("USER", user).encode() for user in ("ann", "ben", "cid"))

    def use(table: EventTable) -> tuple[list[str], Mapping[str, int]]:
        if path.stat().st_size == size:
            with path.open("ab") as file:
                file.write(pack(cid[:length]))
        found = collect(table, table.frame)[0]
        reasons = Counter(REASONS[number] for number in found[REJECTED] if number) + Counter(table.broken)
        return sorted(found.filter(pl.col(REJECTED) == 0)["field:user"]), reasons

    for length in range(1, len(cid) + 1):
        path.write_bytes(pack(start + ann + ben))
        size = path.stat().st_size
        is_whole = length == len(cid)
        request = Request(["events"], Events(), {"event", "user"})
        users = ["ann", "ben", "cid"] if is_whole else ["ann", "ben"]
        assert read_events(request, None, use) == (users, {} if is_whole else {"cut_off": 1}), cid[:length]


@pytest.mark.parametrize("content", [MANY, WHOLE], ids=["csv", "parquet"])
def test_a_file_that_is_cut_off_while_it_is_read(content: bytes, folder: Path) -> None:
    path = folder / "events"
    path.write_bytes(content)

    def use(table: EventTable) -> object:
        os.truncate(path, 40)
        return collect(table, table.frame), table.noticed and table.noticed(None, None)

    with pytest.raises(InputError, match=r"^events: has (become shorter|changed) while it was read"):
        read(use, "events")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_no_report_replaces_the_events_that_it_is_made_of(
    encoding: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = TWO.replace(b"ann", "jürg".encode(encoding))
    (folder / "events").write_bytes(content)
    (folder / "goals.yaml").write_text(yaml.safe_dump(GOALS), encoding="utf-8")
    command = ["run", "events", "-g", "goals.yaml", "--encoding", encoding, "-o", str(folder / "events")]
    assert _run(command, debug=False) == 4
    assert "was read for this report" in capfd.readouterr().err
    assert (folder / "events").read_bytes() == content


def test_a_panic_is_a_damaged_file() -> None:
    message = "^events: is damaged, or of a kind that can't be read$"
    with pytest.raises(InputError, match=message), reading_errors("events: "):
        raise pl.exceptions.PanicException("no such page")

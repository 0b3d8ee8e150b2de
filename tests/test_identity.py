"""Who each row belongs to, against the rule of identity in plain Python."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.events import REASONS, REJECTED, USER, field_column
from microfunnel.goals import Events
from microfunnel.reading.events import Request, read_events

# Few ids on both sides, so that links meet, cross and close to circles; B and a differ in more than their case.
IDS = ("a", "b", "B", "c", "ä", "10", "9")
SETTINGS = Events.model_validate({"columns": {"user": "user", "time": "time", "event": "event", "anonymous": "anon"}})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a log; no time is one that can't be read, a negative one is out of range."""

    user: str | None
    anonymous: str | None
    time: int | None

    @property
    def has_time(self) -> bool:
        return self.time is not None and self.time >= 0


Log = Sequence[Row]

# --- the rule ---------------------------------------------------------------------------------------------------------


def owners(log: Log) -> dict[str, str]:
    """The user of each anonymous id: that of the earliest row that shows both, the smallest where times are equal."""
    found = {}
    for anonymous in {row.anonymous for row in log}:
        shown = [
            (row.time, row.user)
            for row in log
            if row.anonymous == anonymous and row.has_time and row.user not in {None, anonymous}
        ]
        if anonymous is not None and shown:
            _, user = min((time, user or "") for time, user in shown)
            found[anonymous] = user
    return found


def person(name: str, owner: Mapping[str, str]) -> str:
    """The end of the links that start at an id; of a circle its smallest id."""
    way = [name]
    while way[-1] in owner:
        following = owner[way[-1]]
        if following in way:
            return min(way[way.index(following) :])
        way.append(following)
    return way[-1]


def people_of(log: Log) -> list[str | None]:
    """The person that each row belongs to; a row without any id belongs to nobody."""
    owner = owners(log)
    names = [row.user or row.anonymous for row in log]
    return [None if name is None else person(name, owner) for name in names]


def joined_in(log: Log) -> int:
    """The ids that belong to somebody with another one."""
    owner = owners(log)
    return sum(person(name, owner) != name for name in owner)


# --- the program ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What the reading made of a log: the texts of the people, their hashes, and how many ids it joined."""

    people: dict[int, str | None]
    keys: dict[int, int | None]
    joined: int | None


def time_of(row: Row) -> str:
    if row.time is None:
        return "soon"
    return "1970-01-01T00:00:00Z" if row.time < 0 else f"2026-10-01T10:00:0{row.time}Z"


def csv_of(rows: Sequence[tuple[int, Row]]) -> str:
    lines = [f"{row.user or ''},{row.anonymous or ''},{time_of(row)},e,{number}" for number, row in rows]
    return "\n".join(["user,anon,time,event,row", *lines]) + "\n"


def ndjson_of(rows: Sequence[tuple[int, Row]]) -> str:
    out = StringIO()
    for number, row in rows:
        known = {"user": row.user, "anon": row.anonymous, "time": time_of(row), "event": "e", "row": str(number)}
        out.write(json.dumps(known) + "\n")
    return out.getvalue()


def read(files: Sequence[Sequence[tuple[int, Row]]], *, ndjson: bool = False) -> Found:
    """Who the program finds each row to belong to, by the number of the row."""
    with TemporaryDirectory() as folder:
        paths = []
        for place, rows in enumerate(files):
            # This row keeps the times of a file known where the others have none; nobody else has its user.
            known = [(-1 - place, Row("<known>", None, 0)), *rows]
            path = Path(folder) / f"{place}.{'ndjson' if ndjson else 'csv'}"
            path.write_text(ndjson_of(known) if ndjson else csv_of(known), encoding="utf-8")
            paths.append(str(path))
        frame, joined = read_events(
            Request(paths, SETTINGS, {"event", "user", "row"}),
            None,
            lambda table: (table.frame.collect(), table.joined_ids),
        )
    row = pl.col(field_column("row"))
    kept = frame.filter(~row.str.starts_with("-")).sort(row.cast(pl.Int64))
    numbers = [int(text) for text in kept[field_column("row")]]
    people = dict(zip(numbers, kept[field_column("user")], strict=True))
    keys = dict(zip(numbers, kept[USER], strict=True))
    nobody = kept.filter(pl.col(REJECTED) == REASONS.index("empty_user"))[field_column("row")]
    assert {int(text) for text in nobody} == {number for number, name in people.items() if name is None}
    return Found(people, keys, joined)


def groups(names: Mapping[int, object]) -> set[frozenset[int]]:
    """The rows that belong together."""
    found: dict[object, set[int]] = {}
    for number, name in names.items():
        found.setdefault(name, set()).add(number)
    return set(map(frozenset, found.values()))


def numbered(log: Log) -> list[tuple[int, Row]]:
    return list(enumerate(log))


# --- random logs ------------------------------------------------------------------------------------------------------

NAMES = st.none() | st.sampled_from(IDS)
LOGS = st.lists(st.builds(Row, NAMES, NAMES, st.none() | st.integers(-1, 3)), min_size=1, max_size=14)
CHAIN = tuple(f"{number:02}" for number in range(60))


@given(log=LOGS, ndjson=st.booleans())
@examples(200)
def test_each_row_belongs_to_whom_the_rule_says(log: list[Row], ndjson: bool) -> None:  # noqa: FBT001
    found = read([numbered(log)], ndjson=ndjson)
    expected = dict(enumerate(people_of(log)))
    assert found.people == expected
    assert groups({n: key for n, key in found.keys.items() if expected[n] is not None}) == groups(
        {n: name for n, name in expected.items() if name is not None}
    )
    assert found.joined == joined_in(log)


@given(log=LOGS, data=st.data())
@examples(100)
def test_the_order_of_rows_and_files_changes_nothing(log: list[Row], data: st.DataObject) -> None:
    whole = read([numbered(log)])
    shuffled = data.draw(st.permutations(numbered(log)))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert read([shuffled[:cut], shuffled[cut:]]) == whole


# --- long ways --------------------------------------------------------------------------------------------------------


def chain_of(length: int, *, circle: bool = False) -> list[Row]:
    """Rows that link each id to the one after it, and the last to the first where that makes a circle."""
    names = CHAIN[:length]
    following = [*names[1:], names[0]] if circle else names[1:]
    return [Row(user, anonymous, 0) for anonymous, user in zip(names, following, strict=False)]


@pytest.mark.parametrize("length", [2, 3, 5, 19, 20, 21, 22, 23, 40, 60])
@pytest.mark.parametrize("circle", [False, True])
def test_links_are_followed_however_many_there_are(length: int, circle: bool) -> None:  # noqa: FBT001
    log = [*chain_of(length, circle=circle), Row(None, CHAIN[0], 0)]
    found = read([numbered(log)])
    assert set(found.people.values()) == {CHAIN[0] if circle else CHAIN[length - 1]}
    assert found.joined == length - 1


@pytest.mark.parametrize("tail", [1, 5, 19, 25])
@pytest.mark.parametrize("around", [2, 3, 7])
def test_who_leads_to_a_circle_belongs_to_its_smallest_id(tail: int, around: int) -> None:
    ring = CHAIN[tail : tail + around]
    log = [*chain_of(tail + around), Row(ring[0], ring[-1], 0), Row(None, CHAIN[0], 0), Row("z", "y", 0)]
    assert read([numbered(log)]).people == dict(enumerate(people_of(log)))
    assert people_of(log)[-2:] == [ring[0], "z"]


# --- the rule itself, by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([Row(None, "a", 0), Row("u", "a", 1), Row(None, "a", 2)], ["u", "u", "u"]),
        ([Row("v", "a", 2), Row("u", "a", 1), Row(None, "a", 0)], ["v", "u", "u"]),
        ([Row("v", "a", 1), Row("u", "a", 1), Row(None, "a", 0)], ["v", "u", "u"]),
        ([Row("v", "a", None), Row("u", "a", 1), Row(None, "a", 0)], ["v", "u", "u"]),
        ([Row("a", "a", 0), Row("u", "a", 1)], ["u", "u"]),
        ([Row("b", "a", 0), Row("u", "b", 1), Row("a", None, 2)], ["u", "u", "u"]),
        ([Row("b", "a", 0), Row("a", "b", 1), Row(None, "b", 2)], ["a", "a", "a"]),
        ([Row(None, None, 0), Row(None, "a", 0), Row("a", None, 0)], [None, "a", "a"]),
    ],
)
def test_the_rule_by_hand(log: list[Row], expected: list[str | None]) -> None:
    assert people_of(log) == expected
    assert list(read([numbered(log)]).people.values()) == expected

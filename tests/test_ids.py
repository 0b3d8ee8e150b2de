"""Ids of users that are whole numbers: the same people in columns of any type, and each found by its number."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import GOALS
from strategies import examples

from microfunnel import partitions, queries
from microfunnel.analysis import analyse, question_of
from microfunnel.answering import MEMORY, Options
from microfunnel.errors import InputError
from microfunnel.events import USER
from microfunnel.explaining import explain
from microfunnel.partitions import PARTITIONS, Partitions
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.goals_file import read_goals
from microfunnel.rendering import FORMATS, Screen
from microfunnel.results import Report
from microfunnel.trust.warnings import shared_key_warnings

DTYPES: Mapping[str, tuple[type[pl.DataType], Sequence[int]]] = {
    "negative": (pl.Int64, [0, -1, -5, 7, 2**63 - 1, -(2**63)]),
    "Int8": (pl.Int8, range(-100, 100)),
    "UInt32": (pl.UInt32, [0, 7, 2**32 - 1]),
    "UInt64": (pl.UInt64, [0, 7, 2**63, 2**64 - 1]),
    "multiples of 64": (pl.Int64, range(0, 100 * PARTITIONS, PARTITIONS)),
    "text": (pl.String, [0, 7, -5, 2**64]),
}
CASES = pytest.mark.parametrize(("dtype", "ids"), DTYPES.values(), ids=DTYPES)


def written(path: Path, ids: Sequence[object], dtype: type[pl.DataType], event: str = "view") -> Path:
    """A file with an event of each user, Parquet or CSV."""
    users = pl.Series("user_id", list(map(str, ids)) if dtype is pl.String else ids, dtype=dtype)
    rows = pl.DataFrame([users]).with_columns(timestamp=pl.lit("2026-10-01T10:00:00Z"), event=pl.lit(event))
    rows.write_parquet(path) if path.suffix == ".parquet" else rows.write_csv(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "goals.yaml").write_text(GOALS, encoding="utf-8")
    return tmp_path


def report(*files: Path, memory: int = MEMORY, with_users: bool = True) -> Report:
    goals = read_goals(files[0].parent / "goals.yaml")
    request = Request(list(map(str, files)), goals.events, question_of(goals).fields_needed)
    return read_events(
        request, None, lambda table: analyse(table, goals, Period(), Options(memory=memory, with_users=with_users))
    )


def counts(found: Report) -> tuple[int | None, int, int]:
    """Users of the log, units that entered the funnel and those that converted."""
    funnel = found.funnels[0].totals
    return found.events.users, funnel.entered, funnel.converted


def events_explained(user: str, file: Path) -> int:
    """How many events of the user the explanation shows."""
    goals = read_goals(file.parent / "goals.yaml")
    request = Request([str(file)], goals.events, question_of(goals).fields_needed)
    (funnel,) = read_events(request, None, lambda table: explain(user, table, goals, Period())).funnels
    return sum(len(unit.events) for unit in funnel.units)


@CASES
def test_each_id_is_a_user(dtype: type[pl.DataType], ids: Sequence[int], folder: Path) -> None:
    views = written(folder / "views.parquet", [*ids, *ids], dtype)
    buys = written(folder / "buys.parquet", ids[::2], dtype, "buy")
    expected = (len(ids), len(ids), len(ids[::2]))
    assert counts(report(views, buys)) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "DIVIDED", 3)
        patch.setattr(partitions, "COUNTED", 1)
        patch.setattr(queries, "BATCH", 2)
        assert counts(report(views, buys, memory=100)) == expected


@CASES
def test_numbers_of_parquet_and_text_of_csv_are_the_same_users(
    dtype: type[pl.DataType], ids: Sequence[int], folder: Path
) -> None:
    views = written(folder / "views.parquet", ids, dtype)
    buys = written(folder / "buys.csv", [*ids, "somebody else"], pl.String, "buy")
    assert counts(report(views, buys)) == (len(ids) + 1, len(ids), len(ids))


def test_numbers_of_several_types_are_the_same_users_where_they_are_the_same(folder: Path) -> None:
    """As bits of their own width, -1 and the largest numbers would be the same."""
    small = written(folder / "small.parquet", [-1, 7], pl.Int8)
    wide = written(folder / "wide.parquet", [-1, 7, 2**32 - 1], pl.Int64)
    positive = written(folder / "positive.parquet", [7, 2**32 - 1], pl.UInt32, "buy")
    largest = written(folder / "largest.parquet", [2**64 - 1], pl.UInt64, "buy")
    assert counts(report(small, wide, positive)) == (3, 3, 2)
    assert counts(report(small, wide, positive, largest)) == (4, 3, 2)


def test_a_number_that_is_missing_is_nobody(folder: Path) -> None:
    found = report(written(folder / "views.parquet", [0, None, 7, None], pl.Int64))
    assert counts(found) == (2, 2, 0)
    assert found.events.rejected == {"empty_user": 2}


@examples(25)
@given(ids=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300), min_size=1, max_size=20))
def test_whole_numbers_count_as_their_text_does(ids: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ids")
    (folder / "goals.yaml").write_text(GOALS, encoding="utf-8")
    screen = Screen(None, colour=False, unicode=True)
    of_numbers, of_text = (
        FORMATS["json"](report(written(folder / f"{dtype}.parquet", ids, dtype)), screen)
        for dtype in (pl.Int64, pl.String)
    )
    assert json.loads(of_numbers) == json.loads(of_text)
    assert json.loads(of_numbers)["events"]["users"] == len(set(ids))


@pytest.mark.parametrize("ids", [range(200), range(0, 200 * PARTITIONS, PARTITIONS), [n << 40 for n in range(200)]])
def test_ids_with_a_pattern_are_spread_over_the_partitions(ids: Sequence[int], folder: Path) -> None:
    found = Partitions(folder, 10**9)
    goals = read_goals(folder / "goals.yaml")
    views = str(written(folder / "views.parquet", ids, pl.Int64))
    request = Request([views], goals.events, question_of(goals).fields_needed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "DIVIDED", 1)
        found.add(read_events(request, None, lambda table: table.frame.select(USER).collect()))
    sizes = found._heights
    assert sum(sizes) == 200
    assert max(sizes) < 20
    assert sum(map(bool, sizes)) > PARTITIONS / 2


# --- explain ----------------------------------------------------------------------------------------------------------


@CASES
def test_a_user_is_explained_by_the_number_as_it_stands(
    dtype: type[pl.DataType], ids: Sequence[int], folder: Path
) -> None:
    views = written(folder / "views.parquet", [*ids, *ids], dtype)
    for user in ids[:4]:
        assert events_explained(str(user), views) == 2


@pytest.mark.parametrize(
    "user",
    ["5", "-7", "07", "+7", "7.0", " 7", "seven", "-", "--5", "", "-0", str(7 + 2**64), str(2**64 - 5), "9" * 5_000],
    ids=lambda user: user[:25],
)
@pytest.mark.parametrize("dtype", [pl.Int64, pl.String], ids=["numbers", "text"])
def test_what_does_not_stand_there_is_nobody(user: str, dtype: type[pl.DataType], folder: Path) -> None:
    with pytest.raises(InputError, match=re.escape("no event of user")):
        events_explained(user, written(folder / "views.parquet", [7, -5, 0], dtype))


# --- keys that may be shared ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("users", "warned"), [(0, False), (6_000_000, False), (6_100_000, True), (10**9, True)])
def test_many_users_are_told_that_two_may_have_one_key(users: int, *, warned: bool) -> None:
    assert [warning.warning for warning in shared_key_warnings(users)] == ["shared_keys"] * warned


def test_the_chance_that_two_have_one_key() -> None:
    (warning,) = shared_key_warnings(200_000_000)
    assert warning.message == (
        "users are told apart by 64-bit keys; that any two of 200,000,000 share one has a chance of 0.001"
    )


@pytest.mark.parametrize(
    ("dtype", "with_users", "warned"),
    [(pl.String, True, True), (pl.UInt64, True, True), (pl.Int64, True, False), (pl.String, False, False)],
)
def test_whole_ids_are_keys_of_their_own(
    dtype: type[pl.DataType], folder: Path, monkeypatch: pytest.MonkeyPatch, *, with_users: bool, warned: bool
) -> None:
    monkeypatch.setattr("microfunnel.trust.warnings.NEGLIGIBLE", 0)
    warnings = report(written(folder / "views.parquet", [7, 8], dtype), with_users=with_users).events.warnings
    assert ("shared_keys" in {warning.warning for warning in warnings}) == warned

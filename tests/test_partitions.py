"""Rows of whole users, in memory and in files: with limits so small that a few rows exceed them, no number changes."""

import errno
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import (
    START,
    Case,
    Log,
    cases_of_days,
    counted_cases,
    examples,
    goals_file,
    whole_cases,
)
from user_logs import SECOND, table_of

from microfunnel import answering, partitions, queries
from microfunnel.analysis import analyse, question_of
from microfunnel.answering import MEMORY, Options
from microfunnel.cli import program
from microfunnel.errors import OutputError
from microfunnel.events import REASONS, SPREAD, USER
from microfunnel.funnels import Funnel
from microfunnel.goals import Events, Goals
from microfunnel.partitions import FEWEST, PARTITIONS, RANGES, Partition, Partitions, Users
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.goals_file import read_goals
from microfunnel.rendering import FORMATS, Screen

ROOT = Path(__file__).parents[1]
PLENTY = 10**9
# Close together, apart by the number of partitions, in ranges of one and of all, and at the ends of what a key can be.
KEYS = (
    st.integers(0, 8)
    | st.integers(0, 8).map(lambda n: n * PARTITIONS)
    | (st.integers(0, 8) | st.integers(0, RANGES - 1)).map(lambda n: n * 2**64 // RANGES)
    | st.integers(2**64 - 3, 2**64 - 1)
)
BATCHES = st.lists(st.lists(KEYS, max_size=12), min_size=1, max_size=8)
MEMORIES = st.sampled_from([4, 100, 500, 2_000, PLENTY])
NO_PERIOD = Period()
Batches = Sequence[Sequence[int]]


@contextmanager
def limits(*, divided: int = 10, counted: int = 5, batch: int = queries.BATCH, fewest: int = FEWEST) -> Iterator[None]:
    """Inside the `with` block so few rows are divided, counted, read and left together, and counts kept apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "DIVIDED", divided)
        patch.setattr(partitions, "COUNTED", counted)
        patch.setattr(partitions, "FEWEST", fewest)
        patch.setattr(partitions, "LOOKED_AT", 2)
        patch.setattr(answering, "KEPT_APART", 2)
        patch.setattr(queries, "BATCH", batch)
        yield


def keys(users: Sequence[int]) -> pl.Series:
    return pl.Series(USER, users, dtype=pl.UInt64)


def filled(rows: Partitions, batches: Batches) -> Partitions:
    """The rows, each batch added, with a number of its own in each row."""
    number = 0
    for users in batches:
        rows.add(pl.DataFrame([keys(users), pl.Series("row", range(number, number + len(users)), dtype=pl.Int64)]))
        number += len(users)
    return rows


def contents(found: Sequence[Partition]) -> list[list[tuple[int, int]]]:
    """User and number of the rows of each partition."""
    return [partition.rows().select(USER, "row").rows() for partition in found]


# --- partitions -------------------------------------------------------------------------------------------------------


@examples(150)
@given(
    batches=BATCHES,
    memory=MEMORIES,
    divided=st.integers(1, 30),
    counted=st.integers(1, 20),
    fewest=st.integers(1, 20) | st.just(FEWEST),
)
@example(batches=[list(range(10))], memory=4, divided=10, counted=5, fewest=FEWEST)
@example(batches=[[]], memory=4, divided=1, counted=1, fewest=1)
@example(batches=[[2**52], [0], [2**53], [0]], memory=4, divided=1, counted=20, fewest=1)
def test_each_row_comes_back_once_and_each_user_in_one_partition(
    batches: Batches, memory: int, divided: int, counted: int, fewest: int
) -> None:
    with TemporaryDirectory() as folder, limits(divided=divided, counted=counted, fewest=fewest):
        found = contents(filled(Partitions(Path(folder), memory), batches).partitions())
    assert sorted(chain(*found)) == sorted((user, row) for row, user in enumerate(chain(*batches)))
    homes = Counter(user for part in found for user in {user for user, _ in part})
    assert set(homes.values()) <= {1}


@examples(50)
@given(batches=BATCHES, memory=MEMORIES, data=st.data())
def test_the_order_of_adding_does_not_matter(batches: Batches, memory: int, data: st.DataObject) -> None:
    def users(order: Batches) -> set[tuple[int, ...]]:
        with TemporaryDirectory() as folder, limits():
            rows = Partitions(Path(folder), memory)
            filled(rows, [*order, [1]])
            return {tuple(sorted(user for user, _ in part)) for part in contents(rows.partitions())}

    # A first batch that is divided at once, so that each order divides.
    many = list(range(10))
    assert users([many, *batches]) == users([many, *data.draw(st.permutations(batches))])


def test_many_users_are_several_partitions(tmp_path: Path) -> None:
    with limits():
        found = filled(Partitions(tmp_path, 1), [[id_ * SPREAD % 2**64 for id_ in range(100)], [7]]).partitions()
    assert 5 < len(found) <= PARTITIONS


@pytest.mark.parametrize("memory", [1, PLENTY], ids=["in files", "in memory"])
def test_partitions_of_a_large_log_are_as_small_as_those_of_a_small_one(tmp_path: Path, memory: int) -> None:
    users = [id_ * SPREAD % 2**64 for id_ in range(40_000)]
    with limits(divided=1_000, counted=PLENTY, fewest=100):
        found = contents(filled(Partitions(tmp_path, memory), [users]).partitions())
    assert len(found) > 2 * PARTITIONS
    assert max(map(len, found)) <= 110
    assert min(map(len, found)) > 50
    assert sorted(user for part in found for user, _ in part) == sorted(users)


def test_a_user_with_most_of_the_rows_leaves_the_others_together(tmp_path: Path) -> None:
    """Before this user, beside it and after it in the order of keys."""
    busy = 2**63 // PARTITIONS
    with limits(divided=1_000, fewest=100):
        rows = filled(Partitions(tmp_path, 1), [[busy] * 5_000, range(0, 2**58, 2**50)])
        sizes = [partition.rows().height for partition in rows.partitions()]
    assert len(sizes) <= 5
    assert 5_000 <= max(sizes) <= 5_000 + 5_256 // 52 + 1
    assert sum(sizes) == 5_256


@examples(50)
@given(batches=BATCHES, memory=MEMORIES)
def test_what_is_indivisible_is_one_partition(batches: Batches, memory: int) -> None:
    with TemporaryDirectory() as folder, limits():
        (found,) = contents(filled(Partitions(Path(folder), memory, divisible=False), batches).partitions())
        assert not list(Path(folder).iterdir())
    assert found == [(user, row) for row, user in enumerate(chain(*batches))]


@pytest.mark.parametrize(("memory", "written"), [(PLENTY, False), (100 * 16, False), (100 * 16 - 1, True), (1, True)])
def test_files_are_written_only_where_memory_is_exceeded(tmp_path: Path, memory: int, *, written: bool) -> None:
    """A row is two numbers of eight bytes each."""
    with limits():
        rows = filled(Partitions(tmp_path, memory), [range(100)])
        assert bool(list(tmp_path.iterdir())) == written
        filled(rows, [[7]])
        assert sum(partition.rows().height for partition in rows.partitions()) == 101


def test_what_was_written_is_no_longer_held(tmp_path: Path) -> None:
    with limits():
        rows = filled(Partitions(tmp_path, 100 * 16 - 1), [range(100), range(50), [7]])
        pieces = [piece for partition in rows.partitions() for piece in partition.pieces]
    files = [piece for piece in pieces if isinstance(piece, Path)]
    assert sorted(files) == sorted(tmp_path.iterdir())
    assert sum(piece.height for piece in pieces if isinstance(piece, pl.DataFrame)) == 51


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError("No space left on device")]
)
def test_a_full_disk_is_an_error_that_names_the_folder(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """polars raises errors with a text alone."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(pl.DataFrame, "write_ipc", fail)
    scratch = tmp_path / "microfunnel-1"
    with limits(), pytest.raises(OutputError) as caught:
        filled(Partitions(scratch, 1), [range(100)])
    assert caught.value.problems == (f"{tmp_path}: temporary files can't be written: No space left on device",)
    assert caught.value.hint == "set TMPDIR to a folder with more room, or allow more --memory"


def test_a_temporary_file_that_somebody_removed_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="temporary files"):
        Partition((tmp_path / "microfunnel-1" / "gone",)).rows()


# --- users ------------------------------------------------------------------------------------------------------------


@examples(200)
@given(batches=st.lists(st.lists(KEYS, max_size=12), max_size=8), memory=MEMORIES, divided=st.integers(1, 30))
@example(batches=[list(range(20))], memory=4, divided=10)
@example(batches=[list(range(20)), [1], []], memory=4, divided=10)
def test_users_are_counted_once_whatever_the_memory(batches: Batches, memory: int, divided: int) -> None:
    with TemporaryDirectory() as folder, limits(divided=divided):
        users = Users(Path(folder), memory)
        for batch in batches:
            users.add(keys(batch))
        assert users.count() == len(set(chain(*batches)))


@pytest.mark.parametrize(("memory", "written"), [(PLENTY, False), (16 * 100, True)])
def test_users_are_written_only_where_memory_is_exceeded(tmp_path: Path, memory: int, *, written: bool) -> None:
    users = Users(tmp_path, memory)
    with limits():
        for start in range(0, 1_000, 90):
            users.add(keys(range(start, start + 90)))
        assert users.count() == 1_080
    assert bool(list(tmp_path.iterdir())) == written


def test_users_who_come_again_are_not_written(tmp_path: Path) -> None:
    users = Users(tmp_path, 16 * 100)
    with limits():
        for _ in range(50):
            users.add(keys(range(40)))
        assert users.count() == 40
    assert not list(tmp_path.iterdir())


# --- whole reports ----------------------------------------------------------------------------------------------------

SCREEN = Screen(None, colour=False, unicode=True)
BY_USER = {"steps": ["a", "b"], "window": "none"}
# Which users share a unit is only known once all of them are there.
BY_ORDER = {"steps": ["a", "b"], "window": "none", "count": ["order"]}
BY_BOTH = {"steps": ["a", "b"], "window": "none", "count": ["order", "user"]}


def printed(rows: Log, file: Mapping[str, Any], period: Period, memory: int = MEMORY) -> str:
    goals = Goals.model_validate(file)
    return FORMATS["json"](analyse(table_of(rows, goals), goals, period, Options(memory=memory)), SCREEN)


def assert_limits_change_nothing(rows: Log, file: Mapping[str, Any], period: Period = NO_PERIOD) -> None:
    whole = printed(rows, file, period)
    for divided, counted, batch in [(1, 1, 1), (4, 2, 3)]:
        with limits(divided=divided, counted=counted, batch=batch, fewest=divided):
            assert printed(rows, file, period, memory=100) == whole


@examples(60)
@given(case=whole_cases() | counted_cases() | cases_of_days(), data=st.data())
def test_no_report_depends_on_the_limits(case: Case, data: st.DataObject) -> None:
    verdicts = data.draw(
        st.lists(
            st.sampled_from([0, 0, 0, REASONS.index("empty_time")]), min_size=len(case.rows), max_size=len(case.rows)
        )
    )
    rows = [
        {**row, "rejected": verdict, "time": None if verdict else row["time"]}
        for row, verdict in zip(case.rows, verdicts, strict=True)
    ]
    period = Period(case.limits.since, case.limits.until, case.limits.as_of, case.trend)
    assert_limits_change_nothing(rows, case.file, period)


@pytest.mark.parametrize("funnel", [BY_USER, BY_ORDER, BY_BOTH], ids=["users", "columns", "columns of a user"])
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"user": f"u{n}", "time": None, "event": "a", "rejected": 3} for n in range(30)],
        [{"user": None, "time": START, "event": "a", "rejected": 2} for _ in range(30)],
        [{"user": f"u{n}", "time": START, "event": "nobody asks for it"} for n in range(30)],
        [{"user": "u", "time": START + n * SECOND, "event": "abcd"[n % 4], "order": "1"} for n in range(30)],
        [{"user": f"u{n}", "time": START + n * SECOND, "event": "ab"[n % 2], "order": f"{n // 3}"} for n in range(30)],
    ],
    ids=["none", "all rejected", "nobody's", "none needed", "of one user", "of many users"],
)
def test_no_report_of_odd_logs_depends_on_the_limits(rows: Log, funnel: dict[str, Any]) -> None:
    assert_limits_change_nothing(rows, goals_file(funnel))


def sample_report(goals: Goals, memory: int) -> str:
    source = [str(ROOT / "sample_data" / "events.csv")]
    request = Request(source, goals.events, question_of(goals).fields_needed, goals.need_sessions)
    report = read_events(
        request, None, lambda table: analyse(table, goals, Period(trend="week"), Options(memory=memory))
    )
    return FORMATS["json"](report, SCREEN)


@pytest.mark.parametrize(
    "asked",
    [
        "run --by device,channel --trend week --json",
        "paths --depth 2 --before purchase --json",
        "members --funnel checkout --dropped-at 2 --with device",
        "members --goal purchase",
        "compare --funnel checkout --by device --json",
        "compare --funnel checkout --variant variant --control A --json",
        "compare --funnel checkout --since 2026-10-08 --against 2026-10-01..2026-10-08 --json",
        "effects --json",
        "effects --candidates --json",
        "credit --channel channel --goal purchase --json",
        "lag --goal purchase --json",
        "inspect --json",
    ],
)
def test_no_answer_depends_on_the_limits(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each adds up counts of some partitions with those of others, whatever it counts."""
    log, goals = str(ROOT / "sample_data" / "events.csv"), str(ROOT / "goals.example.yaml")
    arguments = [*asked.split(), log, "--goals", goals]
    arguments += [] if asked.startswith("inspect") else ["--memory", "256MB"]

    def answered() -> str:
        program(arguments)(arguments, standalone_mode=False)
        return capsys.readouterr().out

    whole = answered()
    with limits(divided=1_000, counted=10**5, fewest=500):
        assert answered() == whole
    assert len(whole) > 1_000


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The temporary files that are written during the test."""
    paths: list[Path] = []
    write = pl.DataFrame.write_ipc

    def listed(rows: pl.DataFrame, path: Path) -> None:
        paths.append(path)
        write(rows, path)

    monkeypatch.setattr(pl.DataFrame, "write_ipc", listed)
    return paths


def test_the_report_of_the_sample_does_not_depend_on_the_limits(written: list[Path]) -> None:
    goals = read_goals(ROOT / "goals.example.yaml")
    whole = sample_report(goals, MEMORY)
    with limits(divided=1_000, counted=500, batch=700):
        assert sample_report(goals, PLENTY) == whole
        assert not written
        assert sample_report(goals, 100_000) == whole
    assert len(written) > PARTITIONS
    assert not any(path.parent.exists() for path in written)


def test_columns_as_units_are_not_divided(written: list[Path]) -> None:
    goals = read_goals(ROOT / "goals.example.yaml")
    funnel = Funnel(steps=["view_product", "purchase"], count=["device", "channel"])
    by_device = goals.model_copy(update={"funnels": {**goals.funnels, "f": funnel}})
    whole = sample_report(by_device, MEMORY)
    with limits(divided=1_000, counted=500, batch=700):
        assert sample_report(by_device, PLENTY // 100) == whole
    assert not written


@pytest.mark.parametrize(
    ("count", "is_divided"),
    [
        (["user_id", "device"], True),
        (["device", "user"], True),
        (["session_id", "device"], False),
    ],
)
def test_units_are_divided_where_their_columns_tell_the_user(
    count: list[str], monkeypatch: pytest.MonkeyPatch, *, is_divided: bool
) -> None:
    found: list[int] = []
    partitions_of = Partitions.partitions

    def listed(rows: Partitions) -> list[Partition]:
        found.append(len(partitions_of(rows)))
        return partitions_of(rows)

    monkeypatch.setattr(Partitions, "partitions", listed)
    goals = read_goals(ROOT / "goals.example.yaml")
    funnel = Funnel(steps=["view_product", "purchase"], count=count)
    by_columns = goals.model_copy(update={"funnels": {**goals.funnels, "f": funnel}})
    whole = sample_report(by_columns, MEMORY)
    with limits(divided=1_000, counted=500, batch=700):
        assert sample_report(by_columns, PLENTY // 100) == whole
    # All of it fits into one before the limits are small.
    assert found[0] == 1
    assert (found[1] > 1) == is_divided


def test_a_column_tells_the_user_only_where_it_does_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,time,event\nann,2026-10-01,a\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("user_id,client,time,event\n1,ann,2026-10-01,a\n", encoding="utf-8")

    def tell(names: Sequence[str], *files: str, user: str = "user_id") -> list[bool]:
        request = Request([str(tmp_path / name) for name in files], Events(columns={"user": user}), {"event"})
        return read_events(request, None, lambda table: [table.is_user(name) for name in names])

    names = ["user", "user_id", "client", "event", "nowhere"]
    assert tell(names, "a.csv", "b.csv") == [True, True, False, False, False]
    assert tell(names, "b.csv", user="client") == [True, False, True, False, False]

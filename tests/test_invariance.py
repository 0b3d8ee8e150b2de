"""What must never change a number: the order of rows, how they are spread over files, threads, and sets of users."""

import gzip
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl
import program
import pytest
from polars.testing import assert_frame_equal

from microfunnel.analysis import analyse, question_of
from microfunnel.counting.counts import Counts, count, prepare
from microfunnel.counting.funnels import Limits
from microfunnel.counting.tallies import Tallies
from microfunnel.events import TIME, USER, EventTable
from microfunnel.gathering import Gathered, Wanted, gather
from microfunnel.goals import Goals
from microfunnel.matching import conditions
from microfunnel.partitions import Partitions
from microfunnel.questions import Period, used_expr
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.goals_file import read_goals
from microfunnel.rendering import FORMATS, Screen

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
LINES = (SAMPLE / "events.csv").read_text(encoding="utf-8").splitlines()
OBJECTS = (SAMPLE / "events.ndjson").read_text(encoding="utf-8").splitlines()
ROWS = range(len(OBJECTS))
BY_THE_HOUR = re.compile(r":\d\d:\d\d\.\d{3}Z")


def goals() -> Goals:
    return read_goals(ROOT / "goals.example.yaml")


def report(*files: Path) -> str:
    """The JSON report of these files, the number of files left out."""
    wanted = goals()
    names = [str(file) for file in files]
    request = Request(names, wanted.events, question_of(wanted).fields_needed, sessions=True)
    report = read_events(request, None, lambda table: analyse(table, wanted, Period()))
    printed = FORMATS["json"](report, Screen(None, colour=False, unicode=True))
    return re.sub(r'"files": \d+', "", printed, count=1)


def csv_of(rows: Sequence[int]) -> str:
    return "\n".join([LINES[0], *(LINES[row + 1] for row in rows)]) + "\n"


def as_csv(rows: Sequence[int], path: Path) -> None:
    path.write_text(csv_of(rows), encoding="utf-8")


def as_packed_csv(rows: Sequence[int], path: Path) -> None:
    path.write_bytes(gzip.compress(csv_of(rows).encode()))


def as_turned_csv(rows: Sequence[int], path: Path) -> None:
    """The columns the other way round."""
    frame = pl.read_csv(csv_of(rows).encode(), infer_schema=False)
    frame.select(reversed(frame.columns)).write_csv(path)


def as_ndjson(rows: Sequence[int], path: Path) -> None:
    path.write_text("\n".join(OBJECTS[row] for row in rows), encoding="utf-8")


def as_parquet(rows: Sequence[int], path: Path) -> None:
    pl.read_parquet(SAMPLE / "events.parquet")[list(rows)].write_parquet(path)


WRITERS: Sequence[Callable[[Sequence[int], Path], None]] = (
    as_csv,
    as_packed_csv,
    as_turned_csv,
    as_ndjson,
    as_parquet,
)


def shuffled(seed: int) -> list[int]:
    return random.Random(seed).sample(ROWS, len(ROWS))


@pytest.fixture(scope="module")
def whole() -> str:
    return report(SAMPLE / "events.csv")


@pytest.mark.parametrize("writer", WRITERS)
def test_the_order_of_rows_and_the_format_change_nothing(
    writer: Callable[[Sequence[int], Path], None], tmp_path: Path, whole: str
) -> None:
    writer(shuffled(1), tmp_path / "events")
    assert report(tmp_path / "events") == whole


@pytest.mark.parametrize("seed", range(4))
def test_files_in_any_number_order_and_format_change_nothing(seed: int, tmp_path: Path, whole: str) -> None:
    chance = random.Random(seed)
    rows = shuffled(seed)
    ends = [0, *sorted(chance.sample(range(1, len(rows)), chance.randint(1, 8))), len(rows)]
    for number, (start, end) in enumerate(pairwise(ends)):
        chance.choice(WRITERS)(rows[start:end], tmp_path / str(number))
    files = list(tmp_path.iterdir())
    chance.shuffle(files)
    assert report(*files) == whole


def test_the_order_of_rows_changes_nothing_where_many_share_a_moment(tmp_path: Path) -> None:
    """By the hour, a user's events of a visit are mostly of one moment."""
    reports = set()
    for seed in range(5):
        path = tmp_path / f"{seed}.csv"
        path.write_text(BY_THE_HOUR.sub(":00:00Z", csv_of(shuffled(seed))), encoding="utf-8")
        reports.add(report(path))
    assert len(reports) == 1


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    copies = [re.sub("^u", f"v{copy}-", line) for copy in range(8) for line in LINES[1:]]
    random.Random(1).shuffle(copies)
    text = BY_THE_HOUR.sub(":00:00Z", "\n".join([LINES[0], *copies]))
    program.lay_out(tmp_path, (ROOT / "goals.example.yaml").read_text(encoding="utf-8"), text)
    (tmp_path / "half.csv").write_text(csv_of(ROWS[::2]), encoding="utf-8")
    runs = [
        program.run(
            tmp_path, *program.RUN, "half.csv", "--json", env=program.environment(POLARS_MAX_THREADS=str(threads))
        )
        for threads in (1, 2, 8)
    ]
    assert [(run.returncode, run.stderr) for run in runs] == [(0, b"")] * 3
    assert len({run.stdout for run in runs}) == 1
    assert b'"in_progress"' in runs[0].stdout


# --- sets of whole users ----------------------------------------------------------------------------------------------


def rows_and_limits(tmp_path: Path, wanted: Goals, *, sessions: bool) -> tuple[pl.DataFrame, Limits]:
    """The rows that the counting gets, as `analyse` makes them."""
    named = conditions(wanted)
    path = str(SAMPLE / "events.csv")
    all_rows = Partitions(tmp_path, 10**9)

    def take(table: EventTable) -> None:
        needed = Wanted(named, wanted.need_all_events, question_of(wanted).columns(table, named), [], None, None)
        gather(table, used_expr(wanted, Period()), Gathered(needed, all_rows, None))

    read_events(Request([path], wanted.events, question_of(wanted).fields_needed, sessions), None, take)
    (partition,) = all_rows.partitions()
    rows = partition.rows()
    latest = rows[TIME].max()
    assert isinstance(latest, int)
    return rows, Limits(None, None, latest, wanted.events.session_timeout)


def tables(counts: Counts[Mapping[str, Tallies]]) -> Iterator[tuple[str, pl.DataFrame]]:
    yield "goals", counts.goals
    yield "currencies", counts.currencies
    for name, tallies in counts.found.items():
        yield f"{name} counts", tallies.counts
        yield f"{name} times", tallies.times
        yield f"{name} values", tallies.values


@pytest.mark.parametrize("sessions", [True, False], ids=["given", "split"])
@pytest.mark.parametrize("parts", [2, 7])
def test_counts_of_sets_of_users_add_up(tmp_path: Path, parts: int, *, sessions: bool) -> None:
    wanted = goals()
    named = conditions(wanted)
    rows, limits = rows_and_limits(tmp_path, wanted, sessions=sessions)
    pieces = [rows.filter(pl.col(USER) % parts == part) for part in range(parts)]
    assert all(len(piece) for piece in pieces)
    ask = question_of(wanted)
    counted = [count(piece, wanted, named, limits, ask.count) for piece in pieces]
    whole = count(rows, wanted, named, limits, ask.count)
    first, *others = counted
    orders = [counted, counted[::-1], [Counts.added([first], ask.add), Counts.added(others, ask.add)]]
    for added in (Counts.added(order, ask.add) for order in orders):
        assert added.sessions == whole.sessions
        for (name, expected), (same, found) in zip(tables(whole), tables(added), strict=True):
            assert name == same
            assert_frame_equal(found, expected, check_exact=True, check_row_order=False)


IN_TIME = [(user * user * 7_919 % 41, nth // 3) for nth, user in enumerate(range(1_000))]
SHUFFLED = random.Random(7).sample(IN_TIME, len(IN_TIME))
NEARLY = {
    "in order": IN_TIME,
    "pieces of some users": sorted(IN_TIME, key=lambda row: row[0] % 5),
    "one late": [*IN_TIME[1:], IN_TIME[0]],
    "one early": [IN_TIME[-1], *IN_TIME[:-1]],
    "few late": sorted(IN_TIME, key=lambda row: row[1] + 100 * (row[1] % 150 == 7)),
    "backwards": IN_TIME[::-1],
    "shuffled": SHUFFLED,
    "by user": sorted(SHUFFLED),
    "one": IN_TIME[:1],
    "none": [],
}


@pytest.mark.parametrize("name", NEARLY)
def test_rows_are_sorted_however_near_they_are_to_the_order_of_time(name: str) -> None:
    wanted = Goals.model_validate({"version": 1, "goals": {"see": {"kind": "macro", "match": {"event": "see"}}}})
    rows = pl.DataFrame(NEARLY[name], schema={USER: pl.UInt64, TIME: pl.Int64}, orient="row")
    named = conditions(wanted)
    sorted_rows = prepare(rows.with_columns(pl.lit(value=True).alias(*named)), wanted, named, Limits(None, None, 0, 1))
    assert sorted_rows.select(USER, TIME).rows() == sorted(NEARLY[name])


def test_no_users_add_nothing(tmp_path: Path) -> None:
    wanted = goals()
    named = conditions(wanted)
    rows, limits = rows_and_limits(tmp_path, wanted, sessions=True)
    ask = question_of(wanted)
    whole = count(rows, wanted, named, limits, ask.count)
    nobody = count(rows.clear(), wanted, named, limits, ask.count)
    assert nobody.sessions == 0
    added = Counts.added([nobody, whole], ask.add)
    for (_, expected), (_, found) in zip(tables(whole), tables(added), strict=True):
        assert_frame_equal(found, expected, check_exact=True, check_row_order=False)

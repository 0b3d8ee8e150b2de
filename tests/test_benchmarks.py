"""A short version of the benchmark: its promises about the events, equal numbers of all engines, and linear growth."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

pytest.importorskip("numpy", reason="the events are made with numpy")
if not hasattr(os, "wait4"):
    pytest.skip("needs the accounting of POSIX", allow_module_level=True)

import bench
import engines
import logs
from logs import Log
from make_events import FUNNEL, make_events
from measuring import BenchmarkError, measure
from results import Row

SMALL = 200_000
needs_rivals = pytest.mark.skipif(not engines.PEERS.exists(), reason="make .venv-bench/ready installs the rivals")


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "DATA", folder)
        yield folder


def made(log: Log) -> Log:
    log.make()
    return log


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return pl.read_parquet(made(Log(SMALL)).files, glob=True)


# --- the events -------------------------------------------------------------------------------------------------------


def test_the_log_is_of_the_size_asked_for(events: pl.DataFrame) -> None:
    assert events.shape == (SMALL, 8)
    assert len(list(Log(SMALL).folder.iterdir())) == 30
    assert events["user_id"].n_unique() == SMALL // 20
    assert events["event_name"].n_unique() == 15
    assert set(events["user_id"].str.len_chars()) == set(range(10, 17))


def test_no_two_events_are_of_one_time_and_they_are_in_order(events: pl.DataFrame) -> None:
    times = events["timestamp"].to_physical()
    assert (times.diff().drop_nulls() > 0).all()


def test_a_sixth_of_the_events_lie_in_the_funnel(events: pl.DataFrame) -> None:
    assert events["event_name"].is_in(list(FUNNEL)).mean() == pytest.approx(1 / 6, abs=0.005)


def test_few_users_make_most_of_the_events(events: pl.DataFrame) -> None:
    of_each = sorted(events["user_id"].value_counts()["count"], reverse=True)
    assert sum(of_each[: len(of_each) // 10]) > 0.4 * SMALL
    assert of_each[len(of_each) // 2] < 15


def test_a_session_is_half_an_hour_of_one_user(events: pl.DataFrame) -> None:
    sessions = events.group_by("session_id").agg(
        pl.col("user_id", "device", "country").n_unique(), length=pl.col("timestamp").max() - pl.col("timestamp").min()
    )
    assert sessions["user_id"].max() == sessions["device"].max() == sessions["country"].max() == 1
    assert sessions.select((pl.col("length") < pl.duration(minutes=31)).all()).item()


def test_the_same_size_makes_the_same_events_in_any_format(events: pl.DataFrame, tmp_path: Path) -> None:
    make_events(SMALL, tmp_path / "csv", "csv")
    again = pl.read_csv(tmp_path / "csv" / "*.csv", schema=events.schema, try_parse_dates=True)
    assert_frame_equal(again, events)


def test_a_finished_folder_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    assert not list(make_events(SMALL, tmp_path / "log").iterdir())


def test_the_whale_has_three_tenths_of_the_events(tmp_path: Path) -> None:
    make_events(SMALL, tmp_path / "whale", whale=True)
    of_each = pl.read_parquet(tmp_path / "whale" / "*.parquet")["user_id"].value_counts()["count"].sort()
    assert of_each[-1] == pytest.approx(0.3 * SMALL, rel=0.05)
    assert of_each[-2] < 0.1 * SMALL


# --- the engines ------------------------------------------------------------------------------------------------------


@needs_rivals
@pytest.mark.parametrize("log", [Log(1_000_000), Log(SMALL, "csv")], ids=str)
def test_all_engines_give_the_same_numbers(log: Log) -> None:
    made(log)
    runs = [
        engines.ours(log),
        engines.ours(log, "--by", "device"),
        engines.ours(log, goals=engines.FIVE_FUNNELS),
        engines.chdb(log),
        engines.chdb(log, "--without-users"),
        engines.duckdb(log),
        engines.duckdb(log, "--without-users"),
        engines.bare(log),
    ]
    first, *others = [engines.answer(measure(run)[1]) for run in runs]
    assert first.rows == log.events
    assert first.users == log.events // 20
    assert all(first.steps or ())
    assert [other for other in others if not engines.agree(first, other)] == []


def test_engines_that_disagree_stop_it_before_anything_is_timed() -> None:
    log = made(Log(SMALL))
    told = f'{{"rows": {SMALL}, "users": 7, "steps": null}}'
    liar = engines.Run("liar", (sys.executable, "-c", f"print({told!r})"), log)
    with pytest.raises(
        BenchmarkError, match=r"(?s)different numbers of 200K-parquet.*liar: Answer\(rows=200000, users=7"
    ):
        bench.check([Row("liar", "a liar", engines.ours(log), liar)])


def test_a_run_that_fails_is_told() -> None:
    with pytest.raises(BenchmarkError, match="microfunnel ended with exit code 3"):
        measure(engines.ours(Log(1)))


@pytest.mark.alone
def test_time_grows_no_faster_than_the_log() -> None:
    runs = [engines.ours(made(Log(SMALL))), engines.ours(made(Log(5 * SMALL)))]
    small, large = zip(*[[measure(run)[0].cpu for run in runs] for _ in range(4)], strict=True)
    assert min(large) <= 5.5 * min(small)


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_target_has_its_row_once() -> None:
    rows = bench.rows_of(100_000_000)
    assert len({row.measure for row in rows}) == len(rows) == 22
    assert {run.log.events for row in rows for run in row.runs if run.log} == {20_000_000, 100_000_000, 200_000_000}


@needs_rivals
def test_the_command_prints_a_table(data: Path) -> None:
    program = [sys.executable, str(logs.HERE / "bench.py"), "--size", "200K", "--rounds", "1", "--only", "chdb,start"]
    environment = {**os.environ, "MICROFUNNEL_BENCH_DATA": str(data)}
    done = subprocess.run(program, check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("# Results for SIZE=200K\n")
    assert "| run, 200K Parquet, against chdb |" in done.stdout
    assert "| microfunnel --version |  |" in done.stdout


def test_a_row_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(BenchmarkError, match="no such row: charts; there are chdb, duckdb, alone"):
        bench.chosen_rows(SMALL, "chdb,charts")

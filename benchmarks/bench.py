"""Measures microfunnel beside its rivals: `python benchmarks/bench.py [--size 20M] [--only chdb,bare] [--rounds 5]`.

Before anything is timed, all engines must have given the same numbers. A full run writes RESULTS.md beside this file;
one of some rows only prints them. The logs stay in benchmarks/data, or where MICROFUNNEL_BENCH_DATA says.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations

import results
from engines import FIVE_FUNNELS, GOALS, Run, agree, alone, answer, bare, chdb, duckdb, effects, ours, paths, unchecked
from logs import HERE, Log, number, short
from measuring import BenchmarkError, Costs, alternate, measure, unique
from results import Row

LIMIT = ("--memory", "512MB")


def rows_of(size: int) -> list[Row]:
    """The rows of the table, for a log of that many events."""
    log, csv = Log(size), Log(size // 5, "csv")
    tenth, large, whale = Log(size // 5), Log(2 * size), Log(size, whale=True)
    funnel_only = ours(log, "--without-users"), chdb(log, "--without-users")
    hashed = "--hash-keys"
    return [
        Row("chdb", f"run, {short(size)} Parquet, against chdb", ours(log), chdb(log), target=0.5),
        Row(
            "chdb",
            f"run, {short(size)} Parquet, against chdb with 64-bit keys",
            ours(log),
            chdb(log, hashed),
            target=0.5,
        ),
        Row("duckdb", f"run, {short(size)} Parquet, against duckdb", ours(log), duckdb(log), target=0.33),
        Row("alone", "the funnel alone, against chdb", *funnel_only, target=0.6),
        Row("csv", f"run, {short(csv.events)} CSV, against chdb", ours(csv), chdb(csv), target=0.5),
        Row(
            "csv",
            f"run, {short(csv.events)} CSV, against chdb with 64-bit keys",
            ours(csv),
            chdb(csv, hashed),
            target=0.5,
        ),
        Row("csv", f"run, {short(csv.events)} CSV, against duckdb", ours(csv), duckdb(csv), target=0.25),
        Row("bare", f"run, {short(size)} Parquet, against a bare scan", ours(log), bare(log), target=1.4),
        Row("by", "`--by device`, against without", ours(log, "--by", "device"), ours(log), target=1.15),
        Row("five", "five funnels and ten goals, against one", ours(log, goals=FIVE_FUNNELS), ours(log), target=1.5),
        Row(
            "effects",
            f"`effects`, {short(tenth.events)}, against `run`",
            effects(tenth, GOALS),
            ours(tenth),
            target=2.0,
        ),
        Row(
            "effects",
            f"`effects` of nine micro goals, {short(tenth.events)}, against `run`",
            effects(tenth, FIVE_FUNNELS),
            ours(tenth, goals=FIVE_FUNNELS),
            target=2.0,
        ),
        Row("paths", f"`paths`, {short(tenth.events)}, against `run`", paths(tenth), ours(tenth), target=2.0),
        Row("checks", f"run, {short(size)} Parquet, against without checks", ours(log), unchecked(log), target=1.15),
        Row("checks", f"run, {short(csv.events)} CSV, against without checks", ours(csv), unchecked(csv), target=1.35),
        Row("growth", f"{short(large.events)} events, against a tenth", ours(large), ours(tenth), target=10.5),
        Row("memory", f"peak memory, {short(large.events)}", ours(large), unit="GiB", target=1.5),
        Row("memory", f"the same with `{' '.join(LIMIT)}`", ours(large, *LIMIT), same_as=ours(large), unit="GiB"),
        Row("whale", "one user with 30 % of the events, against none", ours(whale), ours(log), target=1.3),
        Row("start", "`--version`", alone("--version"), unit="ms", target=50),
        Row("start", "`--help`", alone("--help"), unit="ms", target=150),
        Row("start", "`validate`", alone("validate", str(GOALS)), unit="ms", target=350),
    ]


def chosen_rows(size: int, only: str) -> list[Row]:
    """The rows whose keys are named, or all."""
    rows = rows_of(size)
    named = {key for key in only.split(",") if key}
    if unknown := named - {row.key for row in rows}:
        keys = ", ".join(dict.fromkeys(row.key for row in rows))
        raise BenchmarkError(f"no such row: {', '.join(sorted(unknown))}; there are {keys}")
    return [row for row in rows if not named or row.key in named]


def check(rows: Sequence[Row]) -> dict[Run, bytes]:
    """What each run prints, after all that read the same log have given the same numbers."""
    outputs = {run: measure(run)[1] for run in unique(run for row in rows for run in row.runs)}
    answers = {run: answer(output) for run, output in outputs.items() if run.log}
    for one, other in combinations(answers, 2):
        if one.log == other.log and not agree(answers[one], answers[other]):
            raise BenchmarkError(
                f"different numbers of {one.log}:\n{one.name}: {answers[one]}\n{other.name}: {answers[other]}"
            )
    for row in rows:
        if row.same_as and outputs[row.ours] != outputs[row.same_as]:
            raise BenchmarkError(f"{row.ours.name} prints other bytes than {row.same_as.name}")
    return outputs


def tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def bench(size: int, only: str, rounds: int) -> None:
    rows = chosen_rows(size, only)
    for log in dict.fromkeys(run.log for row in rows for run in row.runs if run.log):
        tell(f"events {log}")
        log.make()
    tell("the same numbers?")
    outputs = check(rows)
    costs: dict[Run, Costs] = alternate(outputs, rounds, tell)
    page = results.page(short(size), rounds, rows, costs)
    print(page)
    if not only:
        (HERE / "RESULTS.md").write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure microfunnel beside its rivals.")
    parser.add_argument("--size", type=number, default=number("100M"), help="events of the main log, such as 20M")
    parser.add_argument("--only", default="", help="some rows: " + ", ".join({row.key: 0 for row in rows_of(10**6)}))
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    try:
        bench(wanted.size, wanted.only, wanted.rounds)
    except BenchmarkError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""Who is asked, how, and what the answer is: rows, users of the whole log, and users at each step."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logs import HERE, Log

PEERS = HERE.parent / ".venv-bench" / "bin" / "python"
PROGRAM = (sys.executable, "-m", "microfunnel")
GOALS = HERE / "goals.yaml"
FIVE_FUNNELS = HERE / "goals-five.yaml"


@dataclass(frozen=True)
class Run:
    """A program to be measured, and what it is called in the results."""

    name: str
    command: tuple[str, ...]
    log: Log | None = None


@dataclass(frozen=True)
class Answer:
    """What an engine found; None where it was not asked."""

    rows: int
    users: int | None
    steps: tuple[int, ...] | None


def ours(log: Log, *options: str, goals: Path = GOALS) -> Run:
    words = (*options, *([] if goals == GOALS else [goals.stem]))
    arguments = ("run", log.files, "--goals", str(goals), "--json", *options)
    return Run(" ".join(["microfunnel", *words]), (*PROGRAM, *arguments), log)


def effects(log: Log, goals: Path) -> Run:
    arguments = ("effects", log.files, "--goals", str(goals), "--json")
    return Run(f"microfunnel effects {goals.stem}", (*PROGRAM, *arguments), log)


def paths(log: Log) -> Run:
    arguments = ("paths", log.files, "--goals", str(GOALS), "--json")
    return Run("microfunnel paths", (*PROGRAM, *arguments), log)


def unchecked(log: Log) -> Run:
    arguments = ("run", log.files, "--goals", str(GOALS), "--json")
    return Run("microfunnel without checks", (sys.executable, script("unchecked"), *arguments), log)


def chdb(log: Log, *options: str) -> Run:
    return Run(" ".join(["chdb", *options]), (str(PEERS), script("clickhouse"), log.files, *options), log)


def duckdb(log: Log, *options: str) -> Run:
    return Run(" ".join(["duckdb", *options]), (str(PEERS), script("duck"), log.files, *options), log)


def bare(log: Log) -> Run:
    return Run("bare scan", (sys.executable, script("bare"), log.files), log)


def alone(*arguments: str) -> Run:
    """The program without a log."""
    return Run(" ".join(["microfunnel", arguments[0]]), (*PROGRAM, *arguments))


def script(name: str) -> str:
    return str(HERE / "rivals" / f"{name}.py")


def answer(output: bytes) -> Answer:
    """What was printed, whether by a rival or as a report of microfunnel."""
    found: dict[str, Any] = json.loads(output)
    if found.get("schema") == "microfunnel.effects/1":
        return Answer(found["events"]["rows_read"], found["events"]["users"], None)
    if "funnels" in found:
        shop = next(funnel for funnel in found["funnels"] if funnel["funnel"] == "shop")
        # The first step of a ledger is the second one; who took the first has entered.
        reached = [] if found["schema"].startswith("microfunnel.report") else [shop["entered"]]
        steps = (*reached, *(step["went_on" if reached else "reached"] for step in shop["steps"]))
        return Answer(found["events"]["rows_read"], found["events"].get("users"), steps)
    return Answer(found["rows"], found["users"], None if found["steps"] is None else tuple(found["steps"]))


def agree(one: Answer, other: Answer) -> bool:
    """Whether they say the same wherever both were asked."""
    pairs = ((one.rows, other.rows), (one.users, other.users), (one.steps, other.steps))
    return all(None in pair or pair[0] == pair[1] for pair in pairs)

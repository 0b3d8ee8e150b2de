"""RESULTS.md: one row for each target, and what every run took."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from engines import PEERS, Run
from logs import HERE
from measuring import Costs

GIB = 2**30
PEER_VERSIONS = "from importlib.metadata import version as v; print('chdb', v('chdb') + ', duckdb', v('duckdb'))"


@dataclass(frozen=True)
class Row:
    """A target: a ratio of times to theirs where there is one, else gigabytes or milliseconds of our own."""

    key: str
    measure: str
    ours: Run
    theirs: Run | None = None
    same_as: Run | None = None
    unit: str = "s"
    target: float | None = None

    @property
    def runs(self) -> list[Run]:
        return [run for run in (self.ours, self.theirs, self.same_as) if run]


def amount(row: Row, costs: Costs) -> float:
    """What counts in the row, in its unit."""
    return {"s": costs.wall, "ms": costs.wall * 1000, "GiB": costs.memory / GIB}[row.unit]


def shown(value: float, unit: str) -> str:
    return f"{value:.0f} ms" if unit == "ms" else f"{value:.2f} {unit}"


def target_line(row: Row, costs: Mapping[Run, Costs]) -> str:
    """The row of the first table."""
    own = amount(row, costs[row.ours])
    if row.theirs:
        other = amount(row, costs[row.theirs])
        theirs, ratio, found = shown(other, row.unit), f"{own / other:.2f}", own / other
        target = f"{row.target:g}"
    else:
        theirs, ratio, found = "", "", own
        target = "the same output" if row.target is None else f"{row.target:g} {row.unit}"
    met = "yes" if row.target is None or found <= row.target else "**no**"
    return f"| {row.measure} | {shown(own, row.unit)} | {theirs} | {ratio} | {target} | {met} |"


def cost_line(run: Run, costs: Costs) -> str:
    """The row of the second table."""
    least, most = costs.span
    times = f"{costs.wall:.2f} | {least:.2f} to {most:.2f} | {costs.cpu:.2f}"
    return f"| {run.name} | {run.log or ''} | {times} | {costs.memory / GIB:.2f} |"


def page(size: str, rounds: int, rows: Sequence[Row], costs: Mapping[Run, Costs]) -> str:
    """All of it, as Markdown."""
    return "\n".join(
        [
            f"# Results for SIZE={size}",
            "",
            *facts(),
            "",
            f"Medians of {rounds} alternating runs of whole processes, after one that was not timed, in which all",
            "engines gave the same numbers.",
            "",
            "| measure | ours | theirs | ratio | target | met |",
            "| --- | --- | --- | --- | --- | --- |",
            *(target_line(row, costs) for row in rows),
            "",
            "| run | events | seconds | least to most | CPU seconds | peak GiB |",
            "| --- | --- | --- | --- | --- | --- |",
            *(cost_line(run, each) for run, each in costs.items()),
            "",
        ]
    )


def facts() -> list[str]:
    """The machine, the versions, the commit and the day."""
    peers = said([str(PEERS), "-c", PEER_VERSIONS])
    commit = said(["git", "-C", str(HERE), "describe", "--always", "--dirty"])
    cores = len(os.sched_getaffinity(0))
    return [
        f"- {processor()}, {cores} cores, {memory() / GIB:.0f} GiB of memory, {platform.system()}",
        f"- Python {platform.python_version()}, polars {version('polars')}, {peers}",
        f"- commit {commit}, {datetime.now(UTC):%Y-%m-%d}",
    ]


def said(command: list[str]) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def processor() -> str:
    """The name of the processor, as far as the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine() or sys.platform


def memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

"""What whole processes cost."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from tempfile import TemporaryFile

from engines import Run

# Compiled modules are kept, as in every installation; where they are not, each start compiles all of them anew.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class BenchmarkError(Exception):
    """Why there are no results."""


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds of time and of all cores, and bytes of memory at its peak."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Costs:
    """What all rounds of a run took."""

    rounds: tuple[Cost, ...]

    def median(self, value: Callable[[Cost], float]) -> float:
        return statistics.median(map(value, self.rounds))

    @property
    def wall(self) -> float:
        return self.median(lambda cost: cost.wall)

    @property
    def cpu(self) -> float:
        return self.median(lambda cost: cost.cpu)

    @property
    def memory(self) -> float:
        return self.median(lambda cost: cost.memory)

    @property
    def span(self) -> tuple[float, float]:
        """The least and the most seconds."""
        return min(cost.wall for cost in self.rounds), max(cost.wall for cost in self.rounds)


def measure(run: Run) -> tuple[Cost, bytes]:
    """What one process took, and what it printed."""
    with TemporaryFile() as file:
        begin = time.perf_counter()
        with subprocess.Popen(run.command, stdout=file, env=ENVIRONMENT) as process:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        output = file.read()
    if process.returncode:
        raise BenchmarkError(f"{run.name} ended with exit code {process.returncode}: {' '.join(run.command)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT), output


def alternate(outputs: dict[Run, bytes], rounds: int, tell: Callable[[str], None]) -> dict[Run, Costs]:
    """The costs of the runs, one of each in every round; each must print again what it has printed."""
    costs: dict[Run, list[Cost]] = {run: [] for run in outputs}
    for nth in range(rounds):
        tell(f"round {nth + 1} of {rounds}")
        for run, expected in outputs.items():
            cost, output = measure(run)
            if output != expected:
                raise BenchmarkError(f"{run.name} printed something else than before: {' '.join(run.command)}")
            costs[run].append(cost)
    return {run: Costs(tuple(each)) for run, each in costs.items()}


def unique(runs: Iterable[Run]) -> list[Run]:
    """Each run once, in the order given."""
    return list(dict.fromkeys(runs))

"""The logs that are counted, made where they are not there yet."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DATA = Path(os.environ.get("MICROFUNNEL_BENCH_DATA", HERE / "data"))
FACTORS = {"K": 10**3, "M": 10**6}


def number(text: str) -> int:
    """A count such as 500, 200K or 20M."""
    factor = FACTORS.get(text[-1:].upper(), 1)
    return round(float(text if factor == 1 else text[:-1]) * factor)


def short(count: int) -> str:
    """A count as it is typed: 20M for 20000000."""
    sign, factor = ("M", 10**6) if count >= 10**6 else ("K", 10**3)
    return f"{count / factor:g}{sign}"


@dataclass(frozen=True)
class Log:
    events: int
    kind: str = "parquet"
    whale: bool = False

    def __str__(self) -> str:
        return f"{short(self.events)}-{self.kind}{'-whale' if self.whale else ''}"

    @property
    def folder(self) -> Path:
        return DATA / str(self)

    @property
    def files(self) -> str:
        return f"{self.folder}/*.{self.kind}"

    def make(self) -> None:
        """Write the files in a process of its own, whose memory is none of the measured ones'."""
        options = ["--format", self.kind, *(["--whale"] if self.whale else [])]
        program = [sys.executable, str(HERE / "make_events.py")]
        subprocess.run([*program, str(self.events), str(self.folder), *options], check=True)

"""The program for many inputs in one process, which its start would otherwise take longer than its work.

Each line of standard input is a JSON object of `arguments` and `folder` (to run in, where `out` and `err` are written);
the answer to it is the exit code.
"""

import json
import os
import resource
import sys
from pathlib import Path

from microfunnel import __main__, edge

MOST_MEMORY = 8 << 30
STREAMS = {1: "out", 2: "err"}


def exit_code(arguments: list[str], folder: Path) -> int:
    """How the program ends; polars writes to descriptors and not to `sys.stderr`, so these lead into the files."""
    own = {descriptor: os.dup(descriptor) for descriptor in STREAMS}
    stderr = sys.stderr
    for descriptor, name in STREAMS.items():
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    try:
        return __main__._run(arguments, debug=False)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stderr = stderr
        for descriptor, saved in own.items():
            os.dup2(saved, descriptor)
            os.close(saved)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    # A thread of its own in each run would be one too many at the end.
    vars(edge)["watch_signals"] = lambda: None
    for line in sys.stdin:
        wish = json.loads(line)
        os.chdir(wish["folder"])
        print(int(exit_code(wish["arguments"], Path(wish["folder"]))), flush=True)


if __name__ == "__main__":
    main()

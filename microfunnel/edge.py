"""Between the command line and the world: every error becomes a message and an exit code."""

import os
import sys
import traceback
from contextlib import suppress
from io import TextIOBase
from typing import TextIO

from microfunnel.cli import program
from microfunnel.errors import ExitCode, MicrofunnelError
from microfunnel.interrupts import watch_signals
from microfunnel.wording import brief, clean


class Harmless(TextIOBase):
    """A stream to which nothing gets through that acts on a terminal, whoever writes it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write("\n".join(clean(line) for line in text.split("\n")))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


def run_app(arguments: list[str], *, debug: bool) -> int:
    """The exit code of these arguments; messages go to standard error."""
    watch_signals()
    if sys.stderr is not None:
        sys.stderr = Harmless(sys.stderr)
    try:
        program(arguments)(arguments, prog_name="microfunnel")
    except MicrofunnelError as error:
        if debug:
            traceback.print_exc()
        say(*error.problems, *([f"hint: {error.hint}"] if error.hint else []))
        return error.exit_code
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else ExitCode.DONE
    except (KeyboardInterrupt, OSError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of polars is no Exception
        if debug:
            traceback.print_exc()
        say(f"microfunnel has a defect ({brief(f'{type(error).__name__}: {error}')}); please report it with --debug")
        return ExitCode.DEFECT
    else:
        code = ExitCode.DONE
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def say(*lines: str) -> None:
    """The lines on standard error, if there is one."""
    if sys.stderr is not None:
        sys.stderr.write("".join(f"{line}\n" for line in lines))


def unwritable(error: OSError) -> int:
    """The exit code where standard output takes no more; what it still holds is let go."""
    say(clean(f"standard output: can't be written: {error.strerror}"))
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OUTPUT

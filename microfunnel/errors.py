"""What can go wrong, as one exception per exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from microfunnel.wording import brief


class ExitCode(IntEnum):
    """The exit codes of the command line, a contract with cron jobs and scripts."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    INPUT = 3
    OUTPUT = 4
    DEFECT = 70
    INTERRUPTED = 130
    TERMINATED = 143


class MicrofunnelError(Exception):
    """A mistake that the user can mend: each problem says what is wrong and where, the hint what to do."""

    exit_code = ExitCode.DEFECT

    def __init__(self, *problems: str, hint: str | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.hint = hint


class UsageError(MicrofunnelError):
    """An option or an argument makes no sense."""

    exit_code = ExitCode.USAGE


class GoalsError(MicrofunnelError):
    """The goals file holds mistakes; all of them are listed."""

    exit_code = ExitCode.USAGE


class InputError(MicrofunnelError):
    """The events can't be read, or hold too little to work with."""

    exit_code = ExitCode.INPUT


class OutputError(MicrofunnelError):
    """The report could not be written."""

    exit_code = ExitCode.OUTPUT


@contextmanager
def polars_errors(place: str = "") -> Iterator[None]:
    """Turns what polars raises while it reads into an InputError that names the place."""
    try:
        yield
    except MicrofunnelError:
        raise
    except BaseException as error:
        # A panic of polars is no Exception, and its module is only importable with polars.
        kind = type(error)
        if kind.__module__.startswith("polars") or kind.__name__ == "PanicException" or isinstance(error, OSError):
            raise InputError(f"{place}{brief(error)}") from error
        raise

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


class NotTextError(InputError):
    """A text file has bytes that are no UTF-8."""


class OutputError(MicrofunnelError):
    """The report could not be written."""

    exit_code = ExitCode.OUTPUT


@contextmanager
def reading_errors(place: str = "") -> Iterator[None]:
    """Turns what goes wrong while events are read, in polars or in our own eyes, into an InputError with the place."""
    try:
        yield
    except InputError as error:
        raise type(error)(*(f"{place}{problem}" for problem in error.problems), hint=error.hint) from error
    except BaseException as error:
        # A panic of polars is no Exception, and its module is only importable with polars.
        kind = type(error)
        if kind.__module__.startswith("polars") or kind.__name__ == "PanicException" or isinstance(error, OSError):
            raise _in_words(str(error), place, is_panic=kind.__name__ == "PanicException") from error
        raise


BROKEN_LINES = {
    "more fields than": "has a row with more fields than the header",
    "not properly escaped": "has a quote that is never closed, or one inside a field",
    "CSV malformed": "has a quote that is never closed, or one inside a field",
    "error parsing line": "has a line that is not a JSON object",
    "expected to contain JSON object": "has a line that is not a JSON object",
    "TapeError": "has a line that is not a JSON object",
}
CUT_OFF = "ends in the middle of its compressed data"
BROKEN_FILES = {
    "unexpected end of file": CUT_OFF,
    "incomplete frame": CUT_OFF,
    "invalid gzip header": "has more after the end of its compressed data, which is not compressed",
    "File out of specification": "is damaged: its Parquet does not add up",
    "corrupt": "is damaged: its compressed data does not add up",
    "range.end": "has changed while it was read, or is cut off",
    "failed to fill whole buffer": "has changed while it was read, or is cut off",
}
"""What polars says of a broken file, in the words of users."""


STORES_SAY = {
    "/latest/api/token": "there are no credentials for it in the environment",
    "/latest/meta-data": "there are no credentials for it in the environment",
    "token request": "there are no credentials for it in the environment",
    "must be specified": "there is no account for it in the environment",
    "NoSuchBucket": "no such bucket",
    "not found": "no such object",
    "404 Not Found": "no such object",
    "necessary privileges": "access is denied; look at the credentials in the environment",
    "403 Forbidden": "access is denied; look at the credentials in the environment",
    "401 Unauthorized": "access is denied; look at the credentials in the environment",
    "301 Moved": "is in another region; say which in AWS_REGION",
    "refused": "can't be reached: connection refused",
    "dns error": "can't be reached: no such host",
    "timed out": "can't be reached: no answer in time",
    "error sending request": "can't be reached",
}
"""The same of an object store; its own answer is never shown, for it repeats keys and signatures."""


def _in_words(message: str, place: str, *, is_panic: bool) -> InputError:
    if "object-store error" in message or "error sending request" in message:
        said = next((ours for theirs, ours in STORES_SAY.items() if theirs in message), "the store can't give it")
        return InputError(f"{place}{said}")
    for theirs, ours in BROKEN_LINES.items():
        if theirs in message:
            return InputError(f"{place}{ours}")
    if "invalid utf" in message:
        hint = "name its encoding (--encoding latin-1), or count what is no text (--encoding-errors replace)"
        return NotTextError(f"{place}is not UTF-8 text", hint=hint)
    unknown = "is damaged, or of a kind that can't be read" if is_panic else brief(message)
    ours = next((ours for theirs, ours in BROKEN_FILES.items() if theirs in message), unknown)
    return InputError(f"{place}{ours}")

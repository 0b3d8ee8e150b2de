"""The program: runs the command line and turns whatever happens into a message and an exit code."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from microfunnel import __version__


def main() -> NoReturn:
    """Never returns; exits with one of `microfunnel.errors.ExitCode`."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"microfunnel {__version__}\n")
        sys.exit(0)
    # Panics of polars print what they know to stderr; a backtrace on top says nothing to a user.
    os.environ["RUST_BACKTRACE"] = "0"
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in arguments
    sys.exit(_run([argument for argument in arguments if argument != "--debug"], debug=debug))


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(143)


def _run(arguments: list[str], *, debug: bool) -> int:
    from microfunnel.cli import app
    from microfunnel.errors import ExitCode, MicrofunnelError
    from microfunnel.wording import brief, clean

    try:
        app(arguments, prog_name="microfunnel", standalone_mode=True)
    except MicrofunnelError as error:
        if debug:
            raise
        lines = [*error.problems, *([f"hint: {error.hint}"] if error.hint else [])]
        print(*(clean(line) for line in lines), sep="\n", file=sys.stderr)
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.DONE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BaseException as error:
        if debug:
            raise
        what = clean(brief(f"{type(error).__name__}: {error}"))
        print(f"microfunnel has a defect ({what}); please report it with what --debug shows", file=sys.stderr)
        return ExitCode.DEFECT
    return ExitCode.DONE


if __name__ == "__main__":
    main()

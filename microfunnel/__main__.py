"""The program: runs the command line and turns whatever happens into a message and an exit code."""

import gc
import os
import signal
import sys
from contextlib import suppress
from io import TextIOWrapper

from microfunnel import __version__


def main() -> None:
    """Never returns; exits with one of `microfunnel.errors.ExitCode`, or as a signal has it."""
    arguments = sys.argv[1:]
    # Panics of polars print what they know to stderr; a backtrace on top says nothing to a user.
    os.environ["RUST_BACKTRACE"] = "0"
    # Looking through all installed packages for plugins of pydantic costs more than reading a goals file.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"
    os.environ.setdefault("_RJEM_MALLOC_CONF", _allocation())
    # Looking for cycles of objects takes a tenth of a short run, and there are none to speak of.
    gc.disable()
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in arguments
    if not debug and isinstance(sys.stderr, TextIOWrapper):
        _keep_messages_apart(sys.stderr)
    _end(_run([argument for argument in arguments if argument != "--debug"], debug=debug))


def _allocation() -> str:
    """How jemalloc, which polars allocates with, keeps memory that was given back: to be said before it is loaded.

    Batches are freed by other threads than those that ask for the next one. With four arenas for each core, as usual,
    most of it goes back to the system and is fetched again, page by page.
    """
    arenas = max(1, (os.cpu_count() or 1) // 2)
    return f"narenas:{arenas},dirty_decay_ms:1000,muzzy_decay_ms:0"


def _keep_messages_apart(stream: TextIOWrapper) -> None:
    """Standard error is ours alone: Rust writes there what it knows of each panic of polars, also of a caught one."""
    own = os.dup(stream.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    sys.stderr = os.fdopen(own, "w", encoding=stream.encoding, errors=stream.errors, buffering=1)


def _end(code: int) -> None:
    """Ends the process at once: taking apart all that was loaded takes longer than reading a goals file."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()
    os._exit(code)


def _run(arguments: list[str], *, debug: bool) -> int:
    """The exit code; imports lie inside, so that an interrupt in them is one too."""
    try:
        if arguments in (["--version"], ["-V"]):
            print(f"microfunnel {__version__}", flush=True)
            return 0
        from microfunnel.edge import run_app

        return run_app(arguments, debug=debug)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        from microfunnel.edge import unwritable

        return unwritable(error)


if __name__ == "__main__":
    main()

"""The commands: options in, exit code out; everything else happens elsewhere."""

import os
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc
from typing import Annotated

import typer

COMMANDS = (
    "run",
    "effects",
    "paths",
    "members",
    "compare",
    "credit",
    "lag",
    "inspect",
    "init",
    "explain",
    "validate",
    "schema",
)
"""Their names, in the order of the help; each is the function of that name in the module of that name."""


def microfunnel(
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")] = False,
) -> None:
    """Count funnels and goals in exported clickstream: which step loses people, and which small actions matter."""


def program(arguments: Sequence[str]) -> typer.Typer:
    """What runs these arguments: only what they ask for is built, as to build all commands takes much longer."""
    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(microfunnel)
    asked = [name for name in COMMANDS if name == next(iter(arguments), None)]
    # A shell that completes a line says it in the environment alone.
    only_listed = not {*arguments} - {"-h", "--help"} and "_MICROFUNNEL_COMPLETE" not in os.environ
    for name in asked or COMMANDS:
        command = getattr(import_module(f"{__name__}.{name}"), name)
        app.command(name, help=getdoc(command))(_nothing if only_listed else command)
    return app


def _nothing() -> None:
    """Stands for each command where they are listed: reading the options of all takes longer."""

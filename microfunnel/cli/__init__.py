"""The commands: options in, exit code out; everything else happens elsewhere."""

from typing import Annotated

import typer

from microfunnel.cli.compare import compare
from microfunnel.cli.credit import credit
from microfunnel.cli.effects import effects
from microfunnel.cli.explain import explain
from microfunnel.cli.init import init
from microfunnel.cli.inspect import inspect
from microfunnel.cli.lag import lag
from microfunnel.cli.members import members
from microfunnel.cli.paths import paths
from microfunnel.cli.run import run
from microfunnel.cli.schema import schema
from microfunnel.cli.validate import validate

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def microfunnel(
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")] = False,
) -> None:
    """Count funnels and goals in exported clickstream: which step loses people, and which small actions matter."""


for command in (run, effects, paths, members, compare, credit, lag, inspect, init, explain, validate, schema):
    app.command()(command)

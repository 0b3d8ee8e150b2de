"""Print a contract."""

import json
from typing import Annotated

import typer

from microfunnel.cli.options import Contract


def schema(what: Annotated[Contract, typer.Argument(help="goals, report or inspection")]) -> None:
    """Print the JSON Schema of the goals file, of the JSON report or of an inspection."""
    from microfunnel.contracts import schema_of

    typer.echo(json.dumps(schema_of(what), indent=2))

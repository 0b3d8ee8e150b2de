"""Print a contract."""

import json
from typing import Annotated

import typer

from microfunnel.cli.options import Contract


def schema(what: Annotated[Contract, typer.Argument(help="goals, report, inspection or compare")]) -> None:
    """Print the JSON Schema of the goals file, of the JSON report, of an inspection or of a comparison."""
    from microfunnel.contracts import schema_of

    typer.echo(json.dumps(schema_of(what), indent=2))

"""Print a contract."""

from typing import Annotated

import typer

from microfunnel.cli.options import Contract


def schema(what: Annotated[Contract, typer.Argument(help="goals, or what a command prints")]) -> None:
    """Print the JSON Schema of the goals file, or of what a command prints as JSON."""
    import json

    from microfunnel.contracts import schema_of

    typer.echo(json.dumps(schema_of(what), indent=2))

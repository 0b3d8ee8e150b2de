"""Check a goals file."""

from pathlib import Path
from typing import Annotated

import typer


def validate(
    goals: Annotated[Path, typer.Argument(help="The goals file (YAML).", metavar="GOALS")],
) -> None:
    """Say all that is wrong with a goals file, or what it declares."""
    from microfunnel.reading.goals_file import read_goals
    from microfunnel.wording import clean, plural

    found = read_goals(goals)
    counts = f"{plural(len(found.goals), 'goal')}, {plural(len(found.funnels), 'funnel')}"
    typer.echo(clean(f"{goals}: {counts}, no mistakes"))

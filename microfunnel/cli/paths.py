"""Where the lost went."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, asks, show
from microfunnel.cli.options import Funnels

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.findings.paths import PathsResult
    from microfunnel.questions import Period


@asks
def paths(
    asked: Asked,
    funnel: Funnels = None,
    before: Annotated[
        str | None, typer.Option(help="What users did before this goal, not where funnels lose them.", metavar="GOAL")
    ] = None,
    depth: Annotated[int, typer.Option(help="Events of a path, repeats collapsed.", min=1, max=5)] = 1,
    top: Annotated[int, typer.Option(help="Paths kept apart; the rest is (other).", min=1)] = 5,
    label: Annotated[
        str, typer.Option(help="What events are called by, where they have it: a column.", metavar="COLUMN")
    ] = "event",
) -> None:
    """Show where the lost of each step went, or what came before a goal."""
    from microfunnel.choice import choose, choose_goal
    from microfunnel.errors import UsageError
    from microfunnel.insights.paths import Wish, find_paths, question_of
    from microfunnel.rendering import findings, paths_records
    from microfunnel.rendering import paths as paths_table

    goals = choose(asked.goals_file(), funnel or [], [], top)
    if before is not None:
        choose_goal("--before", before, goals)
        goals = goals if funnel else goals.model_copy(update={"funnels": {}})
    elif not goals.funnels:
        raise UsageError("the goals file has no funnel", hint="add one, or ask what came before a goal: --before GOAL")
    wish = Wish(before, depth, top, label)

    def find(table: "EventTable", period: "Period", options: "Options") -> "PathsResult":
        return find_paths(table, goals, wish, period, options)

    formats = findings.formats("paths", paths_table.render, paths_records.contents, paths_records.rows)
    show(asked, goals, Needed(question_of(goals, wish).fields_needed, option="--label"), find, formats)

"""Say how long users take to a goal."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, asks, show

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.findings.lag import LagFinding
    from microfunnel.questions import Period


@asks
def lag(
    asked: Asked,
    goal: Annotated[str, typer.Option(help="The goal that users come to.", metavar="NAME")],
    from_: Annotated[
        str, typer.Option("--from", help="Count from the first time of this goal, not the first event.", metavar="NAME")
    ] = "first",
) -> None:
    """Show how long users take to a goal: days, sessions, events, and the share converted by age."""
    from microfunnel.choice import choose_goals, choose_start
    from microfunnel.insights.lag import find_lag, question_of
    from microfunnel.rendering.lag import FORMATS

    whole = asked.goals_file()
    start = choose_start(whole, from_, goal)
    goals = choose_goals(whole, **{"goal": goal, "from": start})

    def find(table: "EventTable", period: "Period", options: "Options") -> "LagFinding":
        return find_lag(table, goals, goal, start, period, options)

    needed = question_of(goals, goal, start).fields_needed
    show(asked, goals, Needed(needed, sessions=True), find, FORMATS)

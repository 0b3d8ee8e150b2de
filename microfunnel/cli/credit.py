"""Say which channels get the credit for a goal."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, asks, show

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.findings.credit import CreditFinding
    from microfunnel.questions import Period


@asks
def credit(
    asked: Asked,
    channel: Annotated[str, typer.Option(help="Where the channel of an event stands.", metavar="COLUMN")],
    goal: Annotated[str, typer.Option(help="Whose completions are credited.", metavar="NAME")],
    lookback: Annotated[str, typer.Option(help="How long a touch counts.", metavar="DURATION")] = "30d",
    half_life: Annotated[
        str, typer.Option("--half-life", help="A touch so old weighs half in time decay.", metavar="DURATION")
    ] = "7d",
    direct: Annotated[
        list[str] | None,
        typer.Option(help="A value that is no channel, as direct and (none) are (repeatable).", metavar="VALUE"),
    ] = None,
) -> None:
    """Credit channels with the completions of a goal, by six models side by side."""
    from microfunnel.choice import choose_attribution, choose_goals
    from microfunnel.insights.credit import find_credit, question_of
    from microfunnel.rendering.credit import FORMATS

    goals = choose_goals(asked.goals_file(), goal=goal)
    by = choose_attribution(goal, channel, lookback, half_life, direct or [])

    def find(table: "EventTable", period: "Period", options: "Options") -> "CreditFinding":
        return find_credit(table, goals, by, period, options)

    show(asked, goals, Needed(question_of(goals, by).fields_needed, option="--channel", sessions=True), find, FORMATS)

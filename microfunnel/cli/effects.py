"""Say which micro goals go with a macro goal."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, asks, show

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.findings.effects import Effects
    from microfunnel.questions import Period


@asks
def effects(
    asked: Asked,
    macro: Annotated[list[str] | None, typer.Option(help="Only this macro goal (repeatable).", metavar="NAME")] = None,
    landmark: Annotated[
        str | None,
        typer.Option(help="Compare users at this age, such as 1d: what they had done by then.", metavar="DURATION"),
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Also events and values of columns that are no goals yet.")
    ] = False,
    columns: Annotated[
        str | None, typer.Option(help="Of these columns alone, A,B, values become candidates.", metavar="COLUMNS")
    ] = None,
    top: Annotated[int, typer.Option(help="Candidates that are shown.", min=1)] = 10,
) -> None:
    """Compare users who did each micro goal with those who did not: how many reached the macro goal."""
    from microfunnel.choice import choose_columns, choose_duration
    from microfunnel.insights.effects import Search, choose_effects, find_effects
    from microfunnel.rendering import effects as table
    from microfunnel.rendering import effects_records as records
    from microfunnel.rendering.findings import formats

    age = None if landmark is None else choose_duration("--landmark", landmark)
    named = choose_columns(columns, searched=candidates)
    search = Search(named, top) if candidates else None
    wish = choose_effects(asked.goals_file(), macro or [], age, search)

    def find(events: "EventTable", period: "Period", options: "Options") -> "Effects":
        return find_effects(events, wish, period, options)

    shown = formats("effects", table.render, records.contents, records.rows)
    show(asked, wish.goals, Needed(wish.fields_needed, option="--columns", discover=candidates), find, shown)

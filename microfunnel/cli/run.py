"""Count funnels and goals."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, asks, show
from microfunnel.cli.options import Funnels, Peers, Periods

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.questions import Period
    from microfunnel.results import Report


@asks
def run(
    asked: Asked,
    funnel: Funnels = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Split by COLUMN, A,B at once or COLUMN:last (repeatable).", metavar="COLUMN"),
    ] = None,
    top: Annotated[int, typer.Option(help="Segments kept apart with --by; the rest is (other).", min=1)] = 10,
    trend: Annotated[Periods | None, typer.Option(help="Also each period of entry on its own.")] = None,
    as_: Annotated[Peers | None, typer.Option("--as", help="Count as another system does.")] = None,
    what_if: Annotated[bool, typer.Option("--what-if", help="Also what more there would be if a step rose.")] = False,
    without_users: Annotated[
        bool, typer.Option("--without-users", help="Leave out how many users the whole log has, which takes time.")
    ] = False,
) -> None:
    """Count every funnel and every goal of the goals file in one reading of the events."""
    from dataclasses import replace

    from microfunnel.analysis import analyse, question_of
    from microfunnel.choice import choose
    from microfunnel.insights.what_if import with_levers
    from microfunnel.peers import PEERS
    from microfunnel.rendering import FORMATS

    peer = None if as_ is None else PEERS[as_]
    goals = choose(asked.goals_file(), funnel or [], by or [], top, peer)

    def count(table: "EventTable", period: "Period", options: "Options") -> "Report":
        caveats = () if peer is None else (("counted_as", peer.caveat),)
        report = analyse(replace(table, warnings=(*table.warnings, *caveats)), goals, period, options)
        return with_levers(report) if what_if else report

    needed = Needed(question_of(goals).fields_needed)
    show(asked, goals, needed, count, FORMATS, trend=trend, with_users=not without_users)

"""The units themselves."""

import sys
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, ask, asks
from microfunnel.cli.options import Color

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.insights.members import Members
    from microfunnel.questions import Period


class TableFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@partial(asks, without=("format_", "as_json"))
def members(
    asked: Asked,
    funnel: Annotated[
        str | None, typer.Option(help="Of which funnel; not needed where there is one.", metavar="NAME")
    ] = None,
    dropped_at: Annotated[
        str | None, typer.Option("--dropped-at", help="Units lost before this step.", metavar="STEP")
    ] = None,
    reached: Annotated[str | None, typer.Option(help="Units that reached this step.", metavar="STEP")] = None,
    goal: Annotated[str | None, typer.Option("--goal", help="Users who completed this goal.", metavar="GOAL")] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="Also the last value of this column (repeatable).", metavar="COLUMN"),
    ] = None,
    settled: Annotated[bool, typer.Option("--settled", help="Leave out those still in progress.")] = False,
    format_: Annotated[TableFormat, typer.Option("--format", "-f", help="What to print.")] = TableFormat.CSV,
) -> None:
    """List the units that were lost at a step or reached it, or the users with a goal."""
    from microfunnel.choice import choose_members
    from microfunnel.errors import UsageError
    from microfunnel.exporting import TABLES
    from microfunnel.insights.members import SESSION_ID, Wish, fields_needed, find
    from microfunnel.output import write_output
    from microfunnel.rendering.to_terminal import printed
    from microfunnel.rendering.trust import cautions
    from microfunnel.screen import detect_screen

    if format_ is TableFormat.PARQUET and asked.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("Parquet is not for terminals", hint="name a file: -o members.parquet")
    goals = asked.goals_file()
    given = {"--dropped-at": dropped_at, "--reached": reached, "--goal": goal}
    which = choose_members(goals, funnel, given, settled=settled)
    wish = Wish(which, tuple(dict.fromkeys(with_ or [])))

    def find_them(table: "EventTable", period: "Period", options: "Options") -> "Members":
        return find(table, goals, wish, period, options)

    wanted = Needed(fields_needed(goals, wish), [SESSION_ID], "--with")
    found, inputs = ask(asked, goals, wanted, find_them, with_users=False)
    if sys.stderr is not None:
        screen = detect_screen(sys.stderr, Color.NEVER)
        sys.stderr.write(printed(cautions(found.events, screen, "run --json"), screen))
    write_output(TABLES[format_](found.table), asked.output, inputs)

"""Account for one user."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from microfunnel.cli.options import (
    AsJson,
    AsOf,
    BadText,
    Color,
    Colours,
    Delimiter,
    Encoding,
    EncodingErrors,
    EventFiles,
    Funnels,
    GoalsPath,
    Layout,
    Output,
    Since,
    Until,
)
from microfunnel.cli.reading import read


def explain(
    unit: Annotated[str, typer.Argument(help="The id of a user.", metavar="UNIT")],
    events: EventFiles,
    goals: GoalsPath,
    funnel: Funnels = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    output: Output = None,
    color: Colours = Color.AUTO,
    layout: Layout = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    encoding_errors: EncodingErrors = BadText.FAIL,
) -> None:
    """Say why a user was counted in a funnel as it was: what became of each of its events."""
    from microfunnel.analysis import question_of
    from microfunnel.choice import choose, choose_period, choose_reading
    from microfunnel.events import EventTable
    from microfunnel.explaining import explain as explain_user
    from microfunnel.explanations import Explanation
    from microfunnel.output import write_output
    from microfunnel.reading.events import Request
    from microfunnel.reading.goals_file import read_goals
    from microfunnel.rendering import explanation, explanation_json
    from microfunnel.screen import detect_screen

    chosen = choose_reading(choose(read_goals(goals), funnel or [], [], 1), layout, delimiter, encoding)
    period = choose_period(since, until, as_of, chosen.events.timezone)

    def find(table: EventTable) -> tuple[Explanation, list[Path]]:
        return explain_user(unit, table, chosen, period), [goals, *table.paths]

    fields, replace_bad_text = question_of(chosen).fields_needed, encoding_errors is BadText.REPLACE
    wanted = Request(events, chosen.events, fields, chosen.need_sessions, replace_bad_text)
    found, inputs = read(wanted, find, color)
    screen = detect_screen(None if output else sys.stdout, color)
    render = explanation_json.render if as_json else explanation.render
    write_output(render(found, screen), output, inputs)

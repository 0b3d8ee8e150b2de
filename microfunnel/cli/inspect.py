"""Look into an export."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from microfunnel.cli.options import (
    AsJson,
    BadText,
    Color,
    Colours,
    Delimiter,
    Encoding,
    EncodingErrors,
    EventFiles,
    Layout,
    Output,
)
from microfunnel.cli.reading import read


def inspect(
    events: EventFiles,
    goals: Annotated[
        Path | None, typer.Option("--goals", "-g", help="A goals file, of which `events` counts.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
    output: Output = None,
    color: Colours = Color.AUTO,
    layout: Layout = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    encoding_errors: EncodingErrors = BadText.FAIL,
) -> None:
    """Show what is in an export: columns, users, events and their properties."""
    from microfunnel.choice import choose_reading
    from microfunnel.events import EventTable
    from microfunnel.inspecting.inspection import any_goals, fields_needed, inspect_events, no_events
    from microfunnel.inspections import Inspection
    from microfunnel.output import write_output
    from microfunnel.reading.events import Request
    from microfunnel.reading.goals_file import read_goals
    from microfunnel.rendering import inspection, inspection_json
    from microfunnel.screen import detect_screen

    chosen = choose_reading(any_goals() if goals is None else read_goals(goals), layout, delimiter, encoding)

    def look(table: EventTable) -> tuple[Inspection, list[Path]]:
        return inspect_events(table, chosen), [*([] if goals is None else [goals]), *table.paths]

    replace_bad_text = encoding_errors is BadText.REPLACE
    wanted = Request(events, chosen.events, fields_needed(chosen), True, replace_bad_text, discover=True)
    found, inputs = read(wanted, look, color)
    screen = detect_screen(None if output else sys.stdout, color)
    write_output((inspection_json if as_json else inspection).render(found, screen), output, inputs)
    if found.problems:
        raise no_events(found.problems, found.forms)

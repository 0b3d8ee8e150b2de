"""Begin a goals file."""

from pathlib import Path
from typing import Annotated

import typer

from microfunnel.cli.options import BadText, Color, Delimiter, Encoding, EncodingErrors, EventFiles, Layout, Output
from microfunnel.cli.reading import read


def init(
    events: EventFiles,
    output: Output = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    layout: Layout = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    encoding_errors: EncodingErrors = BadText.FAIL,
) -> None:
    """Propose a goals file for an export: a funnel, its goals, and what to change."""
    from microfunnel.choice import choose_reading
    from microfunnel.events import EventTable
    from microfunnel.inspecting.beside import people_only
    from microfunnel.inspecting.inspection import any_goals, fields_needed, no_events, survey
    from microfunnel.inspecting.proposing import propose
    from microfunnel.output import refuse_existing, write_output
    from microfunnel.reading.events import Request
    from microfunnel.rendering import goals_yaml

    refuse_existing(output, force=force)
    chosen = choose_reading(any_goals(), layout, delimiter, encoding)
    given = {"layout": layout, "delimiter": delimiter, "encoding": encoding}
    said = {name: value for name, value in given.items() if value is not None}

    def begin(table: EventTable) -> tuple[str, list[Path]]:
        if table.problems:
            raise no_events(table.problems, table.forms)
        where = people_only(table.forms)
        found, proposal = survey(table, any_goals(where), lambda seen: (seen.inspection, propose(seen)))
        return goals_yaml.render(found, proposal, said, where), list(table.paths)

    replace_bad_text = encoding_errors is BadText.REPLACE
    wanted = Request(events, chosen.events, fields_needed(chosen), True, replace_bad_text, discover=True)
    text, inputs = read(wanted, begin, Color.AUTO)
    write_output(text, output, inputs)

"""The commands: options in, exit code out; everything else happens elsewhere."""

import json
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from microfunnel.events import EventTable
    from microfunnel.reading.events import Request

Result = TypeVar("Result")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


class Color(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Periods(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class BadText(StrEnum):
    FAIL = "fail"
    REPLACE = "replace"


class Peers(StrEnum):
    POSTHOG = "posthog"
    MIXPANEL = "mixpanel"
    AMPLITUDE = "amplitude"
    CLICKHOUSE = "clickhouse"


class Contract(StrEnum):
    GOALS = "goals"
    REPORT = "report"
    INSPECTION = "inspection"


EventFiles = Annotated[
    list[str], typer.Argument(help="Files, folders, patterns, s3:// addresses, or -.", metavar="EVENTS...")
]
Layout = Annotated[str | None, typer.Option(help="Which tool's export it is; told by its fields.", metavar="NAME")]
Delimiter = Annotated[str | None, typer.Option(help="Between the fields of CSV; told by the header.", metavar="CHAR")]
Encoding = Annotated[str | None, typer.Option(help="Of text files, such as latin-1.", metavar="NAME")]
EncodingErrors = Annotated[BadText, typer.Option(help="What to do with bytes that are no text.")]
Funnels = Annotated[list[str] | None, typer.Option(help="Only this funnel (repeatable).", metavar="NAME")]
Since = Annotated[str | None, typer.Option(help="First moment of entries.", metavar="TIME")]
Until = Annotated[str | None, typer.Option(help="Moment before which entries lie.", metavar="TIME")]
AsOf = Annotated[str | None, typer.Option(help="Look at the log as it was then.", metavar="TIME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", metavar="FILE")]
Colours = Annotated[Color, typer.Option(help="Colours in tables.")]
GoalsPath = Annotated[Path, typer.Option("--goals", "-g", help="The goals file (YAML).", metavar="FILE")]


@app.callback()
def microfunnel(
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")] = False,
) -> None:
    """Count funnels and goals in exported clickstream: which step loses people, and which small actions matter."""


@app.command()
def run(
    events: EventFiles,
    goals: GoalsPath,
    funnel: Funnels = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Split by COLUMN, A,B at once or COLUMN:last (repeatable).", metavar="COLUMN"),
    ] = None,
    top: Annotated[int, typer.Option(help="Segments kept apart with --by; the rest is (other).", min=1)] = 10,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    trend: Annotated[Periods | None, typer.Option(help="Also each period of entry on its own.")] = None,
    as_: Annotated[Peers | None, typer.Option("--as", help="Count as another system does.")] = None,
    format_: Annotated[Format, typer.Option("--format", "-f", help="What to print.")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    output: Output = None,
    color: Colours = Color.AUTO,
    memory: Annotated[
        str, typer.Option(help="About so much memory; what needs more goes to temporary files.", metavar="SIZE")
    ] = "1500MB",
    without_users: Annotated[
        bool, typer.Option("--without-users", help="Leave out how many users the whole log has, which takes time.")
    ] = False,
    layout: Layout = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    encoding_errors: EncodingErrors = BadText.FAIL,
    max_bad: Annotated[str, typer.Option(help="Share of bad rows that is put up with.", metavar="SHARE")] = "1%",
    strict: Annotated[bool, typer.Option("--strict", help="Put up with no bad row.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write all rejected rows here (NDJSON).", metavar="FILE")] = None,
) -> None:
    """Count every funnel and every goal of the goals file in one reading of the events."""
    from dataclasses import replace

    from microfunnel.analysis import analyse, fields_needed
    from microfunnel.choice import choose, choose_memory, choose_now, choose_period, choose_reading, choose_share
    from microfunnel.events import EventTable
    from microfunnel.output import write_output, write_rejects
    from microfunnel.peers import PEERS
    from microfunnel.reading.events import Request
    from microfunnel.reading.goals_file import read_goals
    from microfunnel.rendering import FORMATS
    from microfunnel.results import Report
    from microfunnel.screen import detect_screen
    from microfunnel.trust.warnings import refuse_bad_rows

    peer = None if as_ is None else PEERS[as_]
    chosen = choose_reading(choose(read_goals(goals), funnel or [], by or [], top, peer), layout, delimiter, encoding)
    period = choose_period(since, until, as_of, chosen.events.timezone, trend)
    most, share = choose_memory(memory), choose_share(max_bad, strict=strict)
    now = choose_now(time.time_ns(), os.environ.get("SOURCE_DATE_EPOCH"))

    def count(table: EventTable) -> tuple[Report, list[Path]]:
        caveats = () if peer is None else (("counted_as", peer.caveat),)
        table = replace(table, warnings=(*table.warnings, *caveats))
        report = analyse(table, chosen, period, memory=most, with_users=not without_users, now=now)
        inputs = [goals, *table.paths]
        if rejects is not None:
            write_rejects(table, rejects, inputs)
        return report, inputs

    fields, replace_bad_text = fields_needed(chosen), encoding_errors is BadText.REPLACE
    wanted = Request(events, chosen.events, fields, chosen.need_sessions, replace_bad_text)
    report, inputs = _read(wanted, count, color)
    refuse_bad_rows(report.events, share)
    screen = detect_screen(None if output else sys.stdout, color)
    write_output(FORMATS["json" if as_json else format_](report, screen), output, inputs)


@app.command()
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
    found, inputs = _read(wanted, look, color)
    screen = detect_screen(None if output else sys.stdout, color)
    write_output((inspection_json if as_json else inspection).render(found, screen), output, inputs)
    if found.problems:
        raise no_events(found.problems, found.forms)


@app.command()
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
    text, inputs = _read(wanted, begin, Color.AUTO)
    write_output(text, output, inputs)


@app.command()
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
    from microfunnel.analysis import fields_needed
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

    fields, replace_bad_text = fields_needed(chosen), encoding_errors is BadText.REPLACE
    wanted = Request(events, chosen.events, fields, chosen.need_sessions, replace_bad_text)
    found, inputs = _read(wanted, find, color)
    screen = detect_screen(None if output else sys.stdout, color)
    render = explanation_json.render if as_json else explanation.render
    write_output(render(found, screen), output, inputs)


@app.command()
def validate(
    goals: Annotated[Path, typer.Argument(help="The goals file (YAML).", metavar="GOALS")],
) -> None:
    """Say all that is wrong with a goals file, or what it declares."""
    from microfunnel.reading.goals_file import read_goals
    from microfunnel.rendering.text import plural
    from microfunnel.wording import clean

    found = read_goals(goals)
    counts = f"{plural(len(found.goals), 'goal')}, {plural(len(found.funnels), 'funnel')}"
    typer.echo(clean(f"{goals}: {counts}, no mistakes"))


@app.command()
def schema(what: Annotated[Contract, typer.Argument(help="goals, report or inspection")]) -> None:
    """Print the JSON Schema of the goals file, of the JSON report or of an inspection."""
    from microfunnel.contracts import schema_of

    typer.echo(json.dumps(schema_of(what), indent=2))


def _read(wanted: "Request", use: "Callable[[EventTable], Result]", color: Color) -> "Result":
    """What `use` makes of the events; meanwhile a terminal shows how far it is."""
    from dataclasses import replace

    from microfunnel.display import shown_progress
    from microfunnel.reading.events import read_events

    stdin = sys.stdin.buffer if sys.stdin is not None else None
    with shown_progress(color) as listener:
        return read_events(replace(wanted, listener=listener), stdin, use)

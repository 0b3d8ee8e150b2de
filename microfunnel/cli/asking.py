"""What all commands share that ask a question of the events: their options, and the way from these to what is shown."""

import inspect
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

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
    Format,
    FormatName,
    GoalsPath,
    Layout,
    MaxBad,
    Memory,
    Output,
    RejectsPath,
    Since,
    Strict,
    Until,
)
from microfunnel.cli.reading import read

if TYPE_CHECKING:
    from microfunnel.accounts import EventsResult
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.goals import Goals
    from microfunnel.questions import Period
    from microfunnel.rendering import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says of the events, and of what becomes of the answer."""

    events: EventFiles
    goals: GoalsPath
    since: Since = None
    until: Until = None
    as_of: AsOf = None
    format_: FormatName = Format.TABLE
    as_json: AsJson = False
    output: Output = None
    color: Colours = Color.AUTO
    memory: Memory = "1500MB"
    layout: Layout = None
    delimiter: Delimiter = None
    encoding: Encoding = None
    encoding_errors: EncodingErrors = BadText.FAIL
    max_bad: MaxBad = "1%"
    strict: Strict = False
    rejects: RejectsPath = None

    def goals_file(self) -> "Goals":
        """The goals of the file, with what the command line says of the events."""
        from microfunnel.choice import choose_reading
        from microfunnel.reading.goals_file import read_goals

        return choose_reading(read_goals(self.goals), self.layout, self.delimiter, self.encoding)


class Finding(Protocol):
    """What can be shown."""

    @property
    def events(self) -> "EventsResult": ...


F = TypeVar("F", bound=Finding)
Find = Callable[["EventTable", "Period", "Options"], F]
Render = Callable[[F, "Screen"], str]


def asks(command: Callable[..., None], without: Collection[str] = ()) -> Callable[..., None]:
    """The command, which takes an Asked first, with its own options and all that Asked holds, as typer reads them.

    Options of Asked that the command goes `without` stay as they are.
    """
    _, *own = inspect.signature(command).parameters.values()
    asked_for = [each for each in fields(Asked) if each.name not in without]
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=each.type,
        )
        for each in asked_for
    ]

    @wraps(command)
    def said(**options: Any) -> None:  # noqa: ANN401 - typer passes whatever the options hold
        asked = Asked(**{each.name: options.pop(each.name) for each in asked_for})
        command(asked, **options)

    # The events and the goals come first, then what only this command has.
    given = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    parameters = [*shared[:2], *given, *shared[2:]]
    said.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(said)["__signature__"] = inspect.Signature(parameters)
    return said


@dataclass(frozen=True, slots=True)
class Needed:
    """What an answer needs of the export."""

    fields: Collection[str]
    optional: Collection[str] = ()
    """Fields that are looked at where there are any such."""
    option: str = "--by"
    """What names fields on the command line."""
    sessions: bool = False
    """Whether sessions matter also where no goal and no funnel asks for them."""
    discover: bool = False
    """Whether all fields are wanted; then `find` has to see to it that there are user, time and event."""


def show(
    asked: Asked,
    goals: "Goals",
    needed: Needed,
    find: "Find[F]",
    formats: "Mapping[str, Render[F]]",
    *,
    trend: str | None = None,
    with_users: bool = True,
    also_read: Sequence[Path] = (),
) -> None:
    """Reads the events, and shows what `find` finds in them, in the format that is asked for.

    Files that were `also_read` are not written to either.
    """
    from microfunnel.output import write_output
    from microfunnel.screen import detect_screen

    found, inputs = ask(asked, goals, needed, find, trend=trend, with_users=with_users)
    screen = detect_screen(None if asked.output else sys.stdout, asked.color)
    shown = formats["json" if asked.as_json else asked.format_](found, screen)
    write_output(shown, asked.output, [*also_read, *inputs])


def ask(
    asked: Asked,
    goals: "Goals",
    needed: Needed,
    find: "Find[F]",
    *,
    trend: str | None = None,
    with_users: bool = True,
) -> tuple[F, list[Path]]:
    """Reads the events: what `find` finds in them, and the files that were read.

    Rejected rows are written where that is asked for, and too many bad ones are an InputError.
    """
    from microfunnel.answering import Options
    from microfunnel.choice import choose_memory, choose_now, choose_period, choose_share
    from microfunnel.output import write_rejects
    from microfunnel.reading.events import Request
    from microfunnel.trust.warnings import refuse_bad_rows

    period = choose_period(asked.since, asked.until, asked.as_of, goals.events.timezone, trend)
    share = choose_share(asked.max_bad, strict=asked.strict)
    now = choose_now(time.time_ns(), os.environ.get("SOURCE_DATE_EPOCH"))
    options = Options(choose_memory(asked.memory), with_users=with_users, now=now)

    def use(table: "EventTable") -> tuple[F, list[Path]]:
        found = find(table, period, options)
        inputs = [asked.goals, *table.paths]
        if asked.rejects is not None:
            write_rejects(table, found.events.faulty, asked.rejects, inputs)
        return found, inputs

    request = Request(
        asked.events,
        goals.events,
        needed.fields,
        sessions=needed.sessions or goals.need_sessions,
        replace_bad_text=asked.encoding_errors is BadText.REPLACE,
        optional=needed.optional,
        option=needed.option,
        discover=needed.discover,
    )
    found, inputs = read(request, use, asked.color)
    refuse_bad_rows(found.events, share)
    return found, inputs

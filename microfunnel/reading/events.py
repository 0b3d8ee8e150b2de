"""Files become events for whoever uses them; where a file turns out to have broken lines, once more without these."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from microfunnel.errors import InputError, NotTextError, reading_errors
from microfunnel.events import EventTable
from microfunnel.forms import Form
from microfunnel.goals import Events
from microfunnel.progress import NOBODY, Listener
from microfunnel.reading.beginnings import SAMPLE_LINES
from microfunnel.reading.canonical import Canon, KnownTable, join_people, know
from microfunnel.reading.discovery import all_fields, forms_of, know_or_guess
from microfunnel.reading.endings import ends_in_a_line
from microfunnel.reading.expected import expected_rows
from microfunnel.reading.fields import near_columns
from microfunnel.reading.files import Source, find_files
from microfunnel.reading.lines import has_broken_lines, may_have_broken_lines
from microfunnel.reading.mending import BrokenRows, without_broken_lines
from microfunnel.reading.notices import Watch, cut_off
from microfunnel.reading.rejects import Rejects
from microfunnel.reading.stores import Stored
from microfunnel.reading.tables import Table, open_table
from microfunnel.reading.unpacking import Decoding, Unpacker, copied, first_bad_line
from microfunnel.scratch import scratch_errors, scratch_folder
from microfunnel.wording import quoted

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be read."""

    sources: Sequence[str]
    """Files, patterns, folders, or `-`."""
    settings: Events
    fields: Collection[str]
    """The fields that the goals look at."""
    sessions: bool = False
    """Whether the export's sessions are wanted."""
    replace_bad_text: bool = False
    listener: Listener = NOBODY
    """Who is told how far the reading is."""
    optional: Collection[str] = ()
    """Fields that are wanted where there are any such."""
    option: str = "--by"
    """What on the command line names fields."""
    discover: bool = False
    """Whether all fields of the files are wanted, also where no user, time or event is found among them."""


def read_events(request: Request, stdin: BinaryIO | None, use: Callable[[EventTable], Result]) -> Result:
    """What `use` makes of the events.

    Files are taken as clean and read at once, while another thread looks whether each line is a row. Where one is not,
    `use` is called again, with the rows that there are. Where a file has grown in the meantime, and so may have been
    read in the middle of a line, all is done again with a copy of it.
    """
    with scratch_folder() as folder:
        files = find_files(request.sources, stdin, folder)
        watch = Watch(files)
        try:
            result = _read(request, files, watch, folder, use)
        except InputError:
            if not watch.grown():
                raise
        else:
            if not watch.grown():
                return result
        again = folder / "again"
        with scratch_errors(folder):
            again.mkdir()
            still = [_still(source, again, number, watch.grown()) for number, source in enumerate(files)]
        return _read(request, still, watch, again, use)


def _still(source: Source | Stored, folder: Path, number: int, grown: Collection[str]) -> Source | Stored:
    """The file, or a copy in the folder if it is one of those that have grown; a last line without an end is half."""
    if not isinstance(source, Source) or source.name not in grown:
        return source
    with source.path.open("rb") as file:
        copy = copied(file, folder / f"as it was {number}")
    return replace(source, path=copy, is_cut=ends_in_a_line(copy))


def _read(
    request: Request,
    files: Sequence[Source | Stored],
    watch: Watch,
    folder: Path,
    use: Callable[[EventTable], Result],
) -> Result:
    """What `use` makes of the events of these files."""
    decoding = Decoding(request.settings.encoding, replace=request.replace_bad_text)
    sources = Unpacker(folder, decoding).readable(files)
    try:
        reading = _Reading(request, sources, decoding, watch)
        result, broken = _at_once(reading, use)
    except NotTextError as error:
        raise _with_line(sources, error) from error
    if not broken:
        return result[0]
    mended = {
        table.name: without_broken_lines(table, folder / f"mended {number}") for number, table in enumerate(broken)
    }
    known = [replace(each, table=mended.get(each.table.name, (each.table,))[0]) for each in reading.known]
    return use(reading.events(known, {name: rows for name, (_, rows) in mended.items()}))


def _at_once(reading: "_Reading", use: Callable[[EventTable], Result]) -> tuple[list[Result], list[Table]]:
    """What `use` makes of the events, if every line is a row, and else the tables with lines that are none."""
    tables = [known.table for known in reading.known]
    with ThreadPoolExecutor(1) as pool:
        try:
            events = reading.events(reading.known, {})
            # Not before: to load what counts bytes takes the lock of Python, which describing the events needs.
            looking = pool.submit(lambda: list(filter(may_have_broken_lines, tables)))
            return [use(events)], looking.result()
        except InputError:
            # Lines that are no rows may be the cause, even where no time can be read: of half a row none can.
            texts = [each for each in tables if each.shape is not None or each.is_open_ended]
            broken = [each for each in texts if has_broken_lines(each)]
            if not broken:
                raise
            return [], broken


class _Reading:
    """The files of one request, opened and understood."""

    def __init__(self, request: Request, sources: Sequence[Source | Stored], decoding: Decoding, watch: Watch) -> None:
        self._request = request
        self._watch = watch
        self.sources = sources
        settings = request.settings
        opened = [(source.name, open_table(source, settings.layout, settings.delimiter)) for source in sources]
        empty = [name for name, table in opened if table is None]
        tables = [table for _, table in opened if table is not None]
        if not tables:
            raise InputError(*(f"{path}: is empty" for path in empty))
        self._forms: tuple[Form, ...] = ()
        self._problems: tuple[str, ...] = ()
        self._fields = request.fields
        if request.discover:
            known, self._problems = _guessed(tables, settings)
            self._forms = forms_of(known, settings)
            self._fields = {*request.fields, *all_fields(self._forms)}
        else:
            known = [know(table, settings) for table in tables]
        self._check_anonymous(known)
        self._fields = {*self._fields, *_fields_there(known, request.optional)}
        needed = {*request.fields} - {"user", "event"} if self._problems else request.fields
        missing = _missing_fields(known, needed, request.option)
        self.known = [replace(each, table=each.table.with_keys(missing)) for each in known]
        replaced = "bytes that are no text were replaced"
        self._warnings = [
            *watch.same_name,
            *(notice for table in tables for notice in table.notices),
            *(("empty_file", f"{name} is empty") for name in empty),
            *(("unseen_field", f"none of the first {SAMPLE_LINES:,} rows has a field {name!r}") for name in missing),
            *(("replaced_bytes", f"{name}: {n:,} times {replaced}") for name, n in decoding.replaced.items()),
        ]

    def events(self, known: Sequence[KnownTable], broken: Mapping[str, BrokenRows]) -> EventTable:
        """The events of these tables, of which `broken` rows are none."""
        settings = self._request.settings
        canon = Canon(
            settings,
            self._fields,
            has_sessions=self._request.sessions and any("session" in each.values for each in known),
            whole_ids=settings.columns.anonymous is None and all(each.is_of_whole_ids for each in known),
            has_same=any(each.same is not None for each in known),
            has_ties=any(each.ties for each in known),
        )
        if settings.columns.anonymous is not None:
            canon = replace(canon, people=join_people(canon, known))
        halves = "lines with half a character (a lone surrogate), which was replaced:"
        mended = [
            ("replaced_bytes", f"{name}: {halves} {rows.mended:,}") for name, rows in broken.items() if rows.mended
        ]
        cut = [cut_off(name) for name, rows in broken.items() if rows.reasons["cut_off"]]
        layouts = [each.table.layout.title for each in known if each.table.layout is not None]
        return EventTable(
            frame=canon.events(known),
            by_file=lambda: ((each.table.name, canon.events([each])) for each in known),
            paths=tuple(Path(source.name) for source in self.sources if isinstance(source, Source)),
            elsewhere=sum(isinstance(source, Stored) for source in self.sources),
            listener=self._request.listener,
            expected=partial(
                expected_rows,
                [each.table.path for each in known if each.table.path is not None],
                [each.table.frame for each in known if each.table.path is None],
            ),
            warnings=(*self._warnings, *mended, *cut),
            noticed=partial(self._noticed, canon, known),
            joined_ids=None if canon.people is None else canon.people.height,
            is_user=lambda name: all(each.is_user(name) for each in known),
            whole_ids=canon.whole_ids,
            layouts=tuple(dict.fromkeys(layouts)),
            broken=sum((rows.reasons for rows in broken.values()), start=Counter()),
            rejects=Rejects(canon, tuple(known), broken),
            forms=self._forms,
            problems=self._problems,
        )

    def _noticed(
        self, canon: Canon, known: Sequence[KnownTable], first: int | None, last: int | None
    ) -> list[tuple[str, str]]:
        """What more is known when the events have been read."""
        message = "local times that the clocks showed twice, of which the first is taken:"
        repeated = {each.table.name: canon.repeated_times(each, first or 0, last or 0) for each in known}
        found = [("repeated_time", f"{name}: {message} {n:,}") for name, n in repeated.items() if n]
        return [*self._watch.changed(), *found]

    def _check_anonymous(self, known: Sequence[KnownTable]) -> None:
        wish = self._request.settings.columns.anonymous
        if wish is not None and not any("anonymous" in each.values for each in known):
            near = near_columns([wish], known[0].table.schema)
            raise InputError(f"no file has a column {quoted(wish)} (for anonymous); {near}")


def _guessed(tables: Sequence[Table], settings: Events) -> tuple[list[KnownTable], tuple[str, ...]]:
    """The tables with what could be told of them, and what could not."""
    guessed = [know_or_guess(table, settings) for table in tables]
    problems = dict.fromkeys(problem for _, found in guessed for problem in found)
    return [known for known, _ in guessed], tuple(problems)


def _fields_there(known: Sequence[KnownTable], fields: Collection[str]) -> list[str]:
    """Those of the fields that some file has."""
    return [name for name in fields if any(each.field(name) is not None for each in known)]


def _missing_fields(known: Sequence[KnownTable], fields: Collection[str], option: str) -> list[str]:
    """The fields that no file shows; an InputError where none can hold them either."""
    missing = [name for name in sorted(fields) if all(each.field(name) is None for each in known)]
    if missing and not any(each.table.is_open_ended for each in known):
        first = known[0].table
        place = first.name if len(known) == 1 else f"none of the {len(known)} files"
        raise InputError(
            *(f"{place}: has no column {name!r}; {near_columns([name], first.schema)}" for name in missing),
            hint=f"the goals file (or {option}) names columns that the events do not have",
        )
    return missing


def _with_line(sources: Sequence[Source | Stored], error: NotTextError) -> InputError:
    """The error with the line that is no text."""
    for source in sources:
        if isinstance(source, Source):
            with reading_errors(f"{source.name}: "):
                line = first_bad_line(source.path)
            if line is not None:
                return InputError(f"{source.name}: line {line:,} is not UTF-8 text", hint=error.hint)
    return InputError(*error.problems, hint=error.hint)

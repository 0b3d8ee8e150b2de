"""The report for people: funnels, scorecard and what became of the rows, as wide as the screen."""

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from microfunnel.rendering import Screen
from microfunnel.rendering.cells import caution, name
from microfunnel.rendering.funnel import funnel_section
from microfunnel.rendering.grid import flow, room
from microfunnel.rendering.scorecard import scorecard
from microfunnel.rendering.text import number, period, plural, words
from microfunnel.results import EventsResult, Report, ReportWarning
from microfunnel.wording import REASONS

MOST_REJECTED = 3
"""Rows that are shown of those that could not be used."""
MOST_ALIKE = 5
"""So many warnings of a kind are shown: one may be needed for each of hundreds of event names."""


def render(report: Report, screen: Screen) -> str:
    """All that people want to see, the most important first."""
    sections = [funnel_section(funnel, report.events, screen) for funnel in report.funnels]
    if report.goals:
        sections.append(scorecard(report.goals, screen))
    lines = [line for section in sections for line in (*section, Text(), Text())]
    return printed([*lines, *_trust(report, screen)], screen)


def printed(lines: Iterable[Text], screen: Screen) -> str:
    """The lines as text, with colour codes where the screen has colours, and nothing else that acts on a terminal."""
    out = StringIO()
    console = Console(
        file=out,
        width=room(screen),
        height=100,
        force_terminal=screen.colour,
        force_interactive=False,
        force_jupyter=False,
        color_system="standard" if screen.colour else None,
        no_color=not screen.colour,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)
    return out.getvalue()


def _trust(report: Report, screen: Screen) -> list[Text]:
    events = report.events
    phrases = [_rows(events, screen), _scope(events)]
    if not report.funnels:
        phrases.append(Text(period(events.first_time, events.last_time, events.timezone)))
    lines = flow(phrases, screen)
    for line in lines:
        line.stylize_before("dim")
    messages = [*_rejected(events), *_cautions(events.warnings)]
    return [*lines, *(line for message in messages for line in caution(message, screen))]


def _rejected(events: EventsResult) -> list[str]:
    """Some of the rows that could not be used."""
    samples = events.bad_samples[:MOST_REJECTED]
    shown = (f"{row.file}:{row.line} {REASONS.get(row.reason, words(row.reason))}" for row in samples)
    return [f"rejected, for example: {'; '.join(shown)}"] if samples else []


def _cautions(warnings: Sequence[ReportWarning]) -> list[str]:
    """The messages of all warnings, but only some of each kind."""
    messages: dict[str, list[str]] = {}
    for warning in warnings:
        messages.setdefault(warning.warning, []).append(warning.message)
    shown = []
    for alike in messages.values():
        most = len(alike) if len(alike) <= MOST_ALIKE + 1 else MOST_ALIKE
        shown += alike[:most]
        shown += [f"and {number(len(alike) - most)} more of this kind; --json has all"] if most < len(alike) else []
    return shown


def _rows(events: EventsResult, screen: Screen) -> Text:
    parts = [f"{plural(events.rows_read, 'row')} read", f"{number(events.rows_used)} used"]
    if events.rows_filtered:
        parts.append(f"{number(events.rows_filtered)} filtered")
    if rejected := sum(events.rejected.values()):
        reasons = [f"{number(n)} {REASONS.get(reason, words(reason))}" for reason, n in events.rejected.items() if n]
        parts.append(f"{number(rejected)} rejected ({', '.join(reasons)})")
    return name(", ".join(parts), screen)


def _scope(events: EventsResult) -> Text:
    parts = [] if events.users is None else [plural(events.users, "user")]
    if events.sessions is not None:
        parts.append(plural(events.sessions, "session"))
    if events.joined_ids is not None:
        parts.append(f"{plural(events.joined_ids, 'anonymous id')} joined")
    files = plural(events.files, "file") + (f" ({', '.join(events.layouts)})" if events.layouts else "")
    return Text(" in ".join(filter(None, [", ".join(parts), files])))

"""What stands below the numbers: what became of the rows, and what a reader should know before trusting them."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.accounts import EventsResult, ReportWarning
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import caution, name
from microfunnel.rendering.grid import flow
from microfunnel.rendering.text import number, period, words
from microfunnel.wording import REASONS, plural

MOST_REJECTED = 3
"""Rows that are shown of those that could not be used."""
MOST_ALIKE = 5
"""So many warnings of a kind are shown: one may be needed for each of hundreds of event names."""


def trust(events: EventsResult, screen: Screen, *, with_period: bool) -> list[Text]:
    """What became of the rows, and what to know before trusting the numbers; the period where nothing else says it."""
    phrases = [_rows(events, screen), _scope(events)]
    if with_period:
        phrases.append(Text(period(events.first_time, events.last_time, events.timezone)))
    lines = flow(phrases, screen)
    for line in lines:
        line.stylize_before("dim")
    return [*lines, *cautions(events, screen)]


def cautions(events: EventsResult, screen: Screen, whole: str = "--json") -> list[Text]:
    """What to know before trusting the numbers; where some is left out, what has the `whole` of it."""
    messages = [*_rejected(events), *_cautions(events.warnings, whole)]
    return [line for message in messages for line in caution(message, screen)]


def _rejected(events: EventsResult) -> list[str]:
    """Some of the rows that could not be used."""
    samples = events.bad_samples[:MOST_REJECTED]
    shown = (f"{row.file}:{row.line} {REASONS.get(row.reason, words(row.reason))}" for row in samples)
    return [f"rejected, for example: {'; '.join(shown)}"] if samples else []


def _cautions(warnings: Sequence[ReportWarning], whole: str) -> list[str]:
    """The messages of all warnings, but only some of each kind."""
    messages: dict[str, list[str]] = {}
    for warning in warnings:
        messages.setdefault(warning.warning, []).append(warning.message)
    shown = []
    for alike in messages.values():
        most = len(alike) if len(alike) <= MOST_ALIKE + 1 else MOST_ALIKE
        shown += alike[:most]
        shown += [f"and {number(len(alike) - most)} more of this kind; {whole} has all"] if most < len(alike) else []
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

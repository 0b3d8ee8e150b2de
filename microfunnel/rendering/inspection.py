"""An inspection for people: the finding, which column is what, which events there are, and what they carry."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.forms import Form
from microfunnel.inspections import Inspection, Property
from microfunnel.rendering import Screen
from microfunnel.rendering.bars import bar
from microfunnel.rendering.cells import GOOD, HEADER, LONGEST_VALUE, caution, figures, name, share
from microfunnel.rendering.grid import Bars, Column, cut, flow, grid, room, size, wrap
from microfunnel.rendering.text import number, period, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.wording import REASONS, plural

MOST_EVENTS = 25
MOST_PROPERTIES = 40
MOST_VALUES = 3
MOST_LISTED = 12
SELDOM = 0.002
"""Values of which even the commonest is seldomer than this tell nobody anything."""
PROPERTIES = "properties"
SHARES, COUNTS, LEAST_VALUES = 11, 11, 24
"""Cells of the columns before the values, and of these at least."""
PERCENT = 10
"""Cells of a share in brackets, after a space."""
ROLES = ("user", "time", "event", "session")


def render(found: Inspection, screen: Screen) -> str:
    """What is in an export, the most important first."""
    sections = [[*_finding(found, screen), *_rows(found, screen)]]
    sections += [_form(form, screen, alone=len(found.forms) == 1) for form in found.forms]
    if found.names:
        sections.append(_events(found, screen))
    if found.properties:
        sections.append(_properties(found, screen))
    lines = [line for section in sections for line in (*section, Text())][:-1]
    warnings = [line for each in found.events.warnings for line in caution(each.message, screen)]
    return printed([*lines, *([Text(), *warnings] if warnings else [])], screen)


def _finding(found: Inspection, screen: Screen) -> list[Text]:
    events = found.events
    kinds = dict.fromkeys(", ".join(filter(None, [form.kind, form.layout])) for form in found.forms)
    files = f"{plural(events.files, 'file')} ({'; '.join(kinds)})"
    if found.problems:
        phrases = [f"{plural(events.rows_read, 'row')} in {files}", "not yet events: see below"]
    else:
        who = f"{plural(events.rows_used, 'event')} of {plural(events.users or 0, 'user')}"
        phrases = [who, period(events.first_time, events.last_time, events.timezone), f"in {files}"]
    lines = wrap(name(", ".join(phrases), screen), screen)
    for line in lines:
        line.stylize_before("bold")
    return lines


def _rows(found: Inspection, screen: Screen) -> list[Text]:
    events = found.events
    if found.problems:
        return []
    parts = [f"{plural(events.rows_read, 'row')} read, {number(events.rows_used)} used"]
    if events.rows_filtered:
        parts.append(f"{number(events.rows_filtered)} filtered")
    if events.rejected:
        reasons = [f"{number(n)} {REASONS.get(reason, words(reason))}" for reason, n in events.rejected.items()]
        parts.append(f"{number(sum(events.rejected.values()))} rejected ({', '.join(reasons)})")
    if events.sessions is None:
        sessions = "no sessions given: a pause of 30 minutes begins a new one"
    else:
        sessions = plural(events.sessions, "session")
    return flow([name(", ".join(parts), screen, HEADER), name(sessions, screen, HEADER)], screen)


def _form(form: Form, screen: Screen, *, alone: bool) -> list[Text]:
    """Which column is what, and who says so."""
    others = len(form.files) - 1
    title = form.files[0] + (f" and {plural(others, 'file')} like it" if others else "")
    columns = [
        Column(Text(), [Text(role) for role in ROLES], right=False),
        Column(Text(), [name(form.columns.get(role, "-"), screen) for role in ROLES], right=False, least=12),
        Column(Text(), [Text(_told_by(form, role), style=HEADER) for role in ROLES], right=False, goes=1),
    ]
    heading = Text("columns", style="bold")
    if not alone:
        heading.append_text(name(f" of {title}", screen, HEADER))
    return [*flow([heading], screen), *grid(columns, screen)[1:]]


def _told_by(form: Form, role: str) -> str:
    if role not in form.columns:
        return "" if role == "session" else "declare it"
    if role in form.guessed:
        return "a usual name"
    return "declared" if form.layout is None else "as this export has it"


def _events(found: Inspection, screen: Screen) -> list[Text]:
    shown = found.names[:MOST_EVENTS]
    labels = [_value(each.event, screen) for each in shown]
    columns = [
        Column(Text("events", style="bold"), labels, right=False, least=12),
        figures("events", [number(each.events) for each in shown], goes=1),
        figures("users", [number(each.users) for each in shown]),
        figures("of users", [share(each.of_users) for each in shown]),
    ]
    shares = [each.of_users.value or 0.0 for each in shown]

    def draw(width: int) -> Sequence[Text]:
        return [Text(bar(each, width, unicode=screen.unicode), style=GOOD) for each in shares]

    lines = grid(columns, screen, Bars(draw, 5, 24, [""] * len(shown)))
    if (more := found.different_events - len(shown)) > 0:
        lines.append(Text(f"and {plural(more, 'other event name')}", style=HEADER))
    if found.unnamed_events:
        lines.append(Text(f"and {plural(found.unnamed_events, 'event')} of still other names", style=HEADER))
    return lines


def _properties(found: Inspection, screen: Screen) -> list[Text]:
    """Those that tell events apart as a table, the others in a line each."""
    telling = [each for each in found.properties if each.different > 1]
    same = [each for each in found.properties if each.different == 1]
    empty = [each.field for each in found.properties if not each.filled]
    telling.sort(key=lambda each: -each.filled)
    shown = telling[:MOST_PROPERTIES]
    lines: list[Text] = []
    if shown:
        labels = [_value(each.field, screen) for each in shown]
        most = _room_for_values(labels, screen)
        columns = [
            Column(Text(PROPERTIES, style="bold"), labels, right=False, least=14),
            figures("filled", [share(each.filling) for each in shown], goes=2),
            figures("different", [number(each.different) for each in shown], goes=1),
            Column(
                Text("commonest values", style=HEADER),
                [_commonest(each, most, screen) for each in shown],
                right=False,
                least=16,
            ),
        ]
        lines += grid(columns, screen)
    lines += [Text(f"and {number(len(telling) - len(shown))} more", style=HEADER)] if len(telling) > len(shown) else []
    constant = [f"{each.field} ({each.commonest[0].value})" for each in same if each.commonest]
    lines += _list("Always the same where filled: ", constant, screen)
    lines += _list("Never filled: ", empty, screen)
    if found.property_rows is not None:
        lines.append(Text(f"Properties are those of the first {number(found.property_rows)} rows.", style=HEADER))
    return lines


def _list(title: str, items: Sequence[str], screen: Screen) -> list[Text]:
    if not items:
        return []
    shown = [_value(item, screen).plain for item in items[:MOST_LISTED]]
    if len(items) > MOST_LISTED:
        shown.append(f"{len(items) - MOST_LISTED:,} more")
    lines = wrap(Text(f"{title}{', '.join(shown)}"), screen)
    for line in lines:
        line.stylize_before(HEADER)
    return lines


def _value(text: str, screen: Screen) -> Text:
    """A name of the export, cut where it is as long as an address."""
    shown = name(text, screen)
    most = max(LONGEST_VALUE, room(screen) // 2)
    return shown if screen.width is None else cut(shown, most, screen)


def _room_for_values(labels: Sequence[Text], screen: Screen) -> int | None:
    """Cells beside the other columns; where there are too few, one of these goes."""
    if screen.width is None:
        return None
    left = room(screen) - max(len(PROPERTIES), *(size(label.plain) for label in labels)) - SHARES
    return max(left - COUNTS if left - COUNTS >= LEAST_VALUES else left, LEAST_VALUES)


def _commonest(each: Property, most: int | None, screen: Screen) -> Text:
    """The commonest values with their shares; none of a field whose values hardly ever repeat."""
    if not each.commonest or each.commonest[0].rows == 1:
        return Text("each only once", style=HEADER)
    if each.commonest[0].rows < each.filled * SELDOM:
        return Text("hardly ever the same", style=HEADER)
    values = []
    for value in each.commonest[:MOST_VALUES]:
        shown = name(value.value, screen)
        shown = shown if most is None else cut(shown, min(LONGEST_VALUE, most - PERCENT), screen)
        values.append(f"{shown.plain} ({share(value.share)})")
    # Whole values, as many as there is room for.
    while most is not None and len(values) > 1 and size(", ".join(values)) > most:
        values.pop()
    return Text(", ".join(values))

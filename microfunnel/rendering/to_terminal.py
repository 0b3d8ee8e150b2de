"""The report for people: funnels, scorecard and what became of the rows, as wide as the screen."""

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from microfunnel import results
from microfunnel.rendering import Screen, tables
from microfunnel.rendering.grid import GAP, flow, room, size, wrap
from microfunnel.rendering.tables import WORST, name, unit
from microfunnel.rendering.text import REASONS, interval, number, percent, period, plural, window, words
from microfunnel.results import EventsResult, FunnelResult, Report, Step, Totals

ORDERS = {"ordered": "in order", "strict": "in strict order", "any": "in any order"}
CAUTION = "bold yellow"


def render(report: Report, screen: Screen) -> str:
    """All that people want to see, the most important first."""
    sections = [_funnel(funnel, report.events, screen) for funnel in report.funnels]
    if report.goals:
        sections.append(tables.scorecard(report.goals, screen))
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


def _funnel(funnel: FunnelResult, events: EventsResult, screen: Screen) -> list[Text]:
    lines = [*_headline(funnel, events, screen), *_summary(funnel, screen), Text(), *tables.steps(funnel, screen)]
    segments = tables.segments(funnel, screen)
    return [*lines, Text(), *segments] if segments else lines


def _headline(funnel: FunnelResult, events: EventsResult, screen: Screen) -> list[Text]:
    title = name(funnel.funnel, screen, "bold")
    counted = name(_how(funnel), screen)
    days = Text(period(events.first_time, events.last_time, events.timezone), style="dim")
    used = size(title.plain) + size(counted.plain)
    gap = 3 if used + size(days.plain) + 3 + GAP <= room(screen) else GAP
    line = Text(" " * gap).join([title, counted])
    left = room(screen) - size(line.plain) - size(days.plain)
    if left >= GAP or screen.width is None:
        return [Text(" " * max(left, GAP)).join([line, days])]
    return [*flow([title, counted], screen, " " * gap), *wrap(days, screen)]


def _how(funnel: FunnelResult) -> str:
    counts = unit(funnel) if unit(funnel) == funnel.count else f"units of {funnel.count}"
    how = [counts, ORDERS.get(funnel.order, funnel.order), window(funnel.window_seconds)]
    if funnel.entry == "first":
        how.append("first entry only")
    return ", ".join(how)


def _summary(funnel: FunnelResult, screen: Screen) -> list[Text]:
    totals = funnel.totals
    if not totals.entered:
        return [Text(f"No {unit(funnel)} entered.")]
    lines = flow(_converted(totals), screen)
    if totals.worst_step is None:
        return [*lines, Text(f"No {unit(funnel)} are lost on the way.")]
    return [*lines, *wrap(_worst(totals.worst_step, totals, screen), screen)]


def _converted(totals: Totals) -> list[Text]:
    rate = totals.conversion
    shown = f"{percent(rate.value)} ({interval(rate.interval())})"
    counts = f"{number(totals.entered)} entered, {number(totals.converted)} converted: "
    phrases = [Text.assemble(counts, (shown, "bold"))]
    if totals.in_progress and totals.matured is not None:
        matured = totals.matured
        counts = f"{number(matured.part)} of {number(matured.whole)}"
        phrases.append(
            Text(f"{number(totals.in_progress)} in progress, matured rate {percent(matured.value)} ({counts})")
        )
    return phrases


def _worst(worst: Step, totals: Totals, screen: Screen) -> Text:
    before = totals.steps[worst.step - 2]
    counts = f"{number(worst.dropped or 0)} of {number(worst.previous or 0)}"
    share = percent(worst.drop_off.value if worst.drop_off else None)
    return Text.assemble(
        "Most are lost between ",
        name(words(before.goal), screen),
        " and ",
        name(words(worst.goal), screen),
        ": ",
        (f"{counts} ({share})", WORST),
    )


def _trust(report: Report, screen: Screen) -> list[Text]:
    events = report.events
    phrases = [_rows(events, screen), _scope(events)]
    if not report.funnels:
        phrases.append(Text(period(events.first_time, events.last_time, events.timezone)))
    lines = flow(phrases, screen)
    for line in lines:
        line.stylize_before("dim")
    return [*lines, *(line for warning in events.warnings for line in _warning(warning, screen))]


def _rows(events: EventsResult, screen: Screen) -> Text:
    parts = [f"{plural(events.rows_read, 'row')} read", f"{number(events.rows_used)} used"]
    if events.rows_filtered:
        parts.append(f"{number(events.rows_filtered)} filtered")
    if rejected := sum(events.rejected.values()):
        reasons = [f"{number(n)} {REASONS.get(reason, words(reason))}" for reason, n in events.rejected.items() if n]
        parts.append(f"{number(rejected)} rejected ({', '.join(reasons)})")
    return name(", ".join(parts), screen)


def _scope(events: EventsResult) -> Text:
    parts = [plural(events.users, "user")]
    if events.sessions is not None:
        parts.append(plural(events.sessions, "session"))
    return Text(f"{', '.join(parts)} in {plural(events.files, 'file')}")


def _warning(warning: results.ReportWarning, screen: Screen) -> Sequence[Text]:
    lines = wrap(name(warning.message, screen), screen, indent=2)
    return [Text.assemble(("  " if place else "! ", CAUTION), line) for place, line in enumerate(lines)]

"""The report for people: funnels, scorecard and what became of the rows, as wide as the screen."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.text import Text

from microfunnel.rendering import Screen
from microfunnel.rendering.funnel import funnel_section
from microfunnel.rendering.grid import room
from microfunnel.rendering.scorecard import scorecard
from microfunnel.rendering.trust import trust
from microfunnel.results import Report


def render(report: Report, screen: Screen) -> str:
    """All that people want to see, the most important first."""
    sections = [funnel_section(funnel, report.events, screen) for funnel in report.funnels]
    if report.goals:
        sections.append(scorecard(report.goals, screen))
    lines = [line for section in sections for line in (*section, Text(), Text())]
    return printed([*lines, *trust(report.events, screen, with_period=not report.funnels)], screen)


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

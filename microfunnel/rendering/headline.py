"""The first line of a section: what it is about, how that was counted, and the days at its right end."""

from rich.text import Text

from microfunnel.accounts import EventsResult
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import name
from microfunnel.rendering.grid import GAP, flow, room, size, wrap
from microfunnel.rendering.text import period


def headline(title: str, counted: str, events: EventsResult, screen: Screen) -> list[Text]:
    """The line, or several where it is too long for one."""
    about, how = name(title, screen, "bold"), name(counted, screen)
    days = Text(period(events.first_time, events.last_time, events.timezone), style="dim")
    used = size(about.plain) + size(how.plain)
    gap = 3 if used + size(days.plain) + 3 + GAP <= room(screen) else GAP
    line = Text(" " * gap).join([about, how])
    left = room(screen) - size(line.plain) - size(days.plain)
    if left >= GAP or screen.width is None:
        return [Text(" " * max(left, GAP)).join([line, days])]
    return [*flow([about, how], screen, " " * gap), *wrap(days, screen)]

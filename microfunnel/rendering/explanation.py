"""Why one user was counted as it was, for people: its events and what became of each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.text import Text

from microfunnel.explanations import (
    ExplainedEvent,
    ExplainedFunnel,
    ExplainedJourney,
    ExplainedUnit,
    Explanation,
    Verdict,
)
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import CAUTION, GOOD, HEADER, QUIET, UNITS, name
from microfunnel.rendering.funnel import ORDERS
from microfunnel.rendering.grid import Column, grid, room, wrap
from microfunnel.rendering.text import DASH, MONTHS, STOPPED, window, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.verdicts import absent_words, verdict_words
from microfunnel.wording import plural

MOST_EVENTS = 1_000
"""Lines of events for one funnel; nobody reads more."""
NARROW = 80
"""Cells below which times go without seconds, so that verdicts stay whole."""
COUNTED = {"entry", "taken", "optional_taken"}
STOPPING = {"excluded", "interrupts", "too_late", "too_late_within", "drops"}
ASIDE = {"no_goal", "no_step"}


class _Clock:
    """Times as the people of one time zone read them, with the year where there are several."""

    def __init__(self, explanation: Explanation) -> None:
        self.zone = ZoneInfo(explanation.timezone)
        times = (event.time for funnel in explanation.funnels for unit in funnel.units for event in unit.events)
        self.years = {self._local(time).year for time in times if time is not None}

    def _local(self, time: int) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).astimezone(self.zone)

    def shown(self, time: int | None, *, seconds: bool = False) -> str:
        if time is None:
            return DASH
        moment = self._local(time)
        year = f" {moment.year}" if len(self.years) > 1 or moment.year not in self.years else ""
        return f"{moment.day} {MONTHS[moment.month - 1]}{year} {moment:{'%H:%M:%S' if seconds else '%H:%M'}}"


def render(explanation: Explanation, screen: Screen) -> str:
    """Each funnel with the user's units, and under each unit its events."""
    clock = _Clock(explanation)
    years = f", {min(clock.years)}" if len(clock.years) == 1 else ""
    title = Text.assemble(
        "user ", name(explanation.user, screen, "bold"), (f"   times of {explanation.timezone}{years}", HEADER)
    )
    lines = wrap(title, screen)
    for funnel in explanation.funnels:
        lines += [Text(), *_funnel(funnel, clock, screen)]
    return printed(lines, screen)


def _funnel(funnel: ExplainedFunnel, clock: _Clock, screen: Screen) -> list[Text]:
    counted = funnel.count if funnel.count in UNITS else f"units of {funnel.count}"
    how = [counted, ORDERS.get(funnel.order, funnel.order), window(funnel.window_seconds)]
    how += ["first entry only"] if funnel.entry == "first" else []
    lines = wrap(Text.assemble(name(funnel.funnel, screen, "bold"), "   ", name(", ".join(how), screen)), screen)
    left = MOST_EVENTS
    for unit in funnel.units:
        if unit.unit is not None:
            lines += [Text(), *wrap(name(unit.unit, screen, "bold"), screen)]
        lines += _journeys(unit, funnel, clock, screen)
        shown = unit.events[:left]
        left -= len(shown)
        lines += [Text(), *_events(shown, funnel, clock, screen)] if shown else []
    hidden = sum(len(unit.events) for unit in funnel.units) - (MOST_EVENTS - left)
    return (
        [*lines, *wrap(Text(f"... and {plural(hidden, 'more event')}; --json has all", QUIET), screen)]
        if hidden
        else lines
    )


def _journeys(unit: ExplainedUnit, funnel: ExplainedFunnel, clock: _Clock, screen: Screen) -> list[Text]:
    if unit.absent is not None:
        return wrap(Text(absent_words(unit, funnel)), screen)
    lines = []
    for place, journey in enumerate(unit.journeys, start=1):
        number = f"attempt {place}: " if funnel.count == "attempts" else ""
        lines += wrap(name(number + _journey(journey, clock), screen), screen)
    return lines


def _journey(journey: ExplainedJourney, clock: _Clock) -> str:
    """A journey in one line."""
    taken = ", ".join(f"{words(step.goal)} {clock.shown(step.time)}" for step in journey.taken)
    return f"reached {journey.reached} of {plural(journey.required, 'step')}: {taken}; {_outcome(journey, clock)}"


def _outcome(journey: ExplainedJourney, clock: _Clock) -> str:
    if journey.outcome == "converted":
        return "converted"
    if journey.outcome == "in_progress":
        return f"in progress until {clock.shown(journey.closes)}"
    before = "" if journey.stopped_before is None else f" before {words(journey.stopped_before)}"
    return f"stopped{before}: {STOPPED[journey.outcome]}"


def _events(events: Sequence[ExplainedEvent], funnel: ExplainedFunnel, clock: _Clock, screen: Screen) -> list[Text]:
    seconds = screen.width is None or room(screen) >= NARROW
    times = [Text(clock.shown(event.time, seconds=seconds)) for event in events]
    verdicts = [", ".join(verdict_words(verdict, funnel) for verdict in event.verdicts) for event in events]
    styles = [_style(event.verdicts[0]) for event in events]
    return grid(
        [
            Column(Text("time", style=HEADER), times),
            Column(
                Text("event", style=HEADER), [name(_event(event), screen) for event in events], right=False, least=12
            ),
            Column(
                Text("fits", style=HEADER),
                [name(_fits(event, funnel), screen) for event in events],
                right=False,
                goes=1,
            ),
            Column(
                Text("what became of it", style=HEADER),
                [name(verdict, screen, style) for verdict, style in zip(verdicts, styles, strict=True)],
                right=False,
                least=8,
            ),
        ],
        screen,
    )


def _event(event: ExplainedEvent) -> str:
    return (event.event or DASH) + ("" if event.own else " (another user)")


def _fits(event: ExplainedEvent, funnel: ExplainedFunnel) -> str:
    """The steps that the event fits, or else its goals."""
    steps = [f"{step} {words(funnel.steps[step - 1].goal)}" for step in event.steps]
    return ", ".join(steps or [words(goal) for goal in event.goals])


def _style(verdict: Verdict) -> str:
    if verdict.verdict in COUNTED:
        return GOOD
    if verdict.verdict in STOPPING:
        return CAUTION
    return QUIET if verdict.verdict in ASIDE else ""

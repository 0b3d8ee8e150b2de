"""One user's way through one funnel, from the journeys that `tally_funnel` counts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from microfunnel.counting.attempts import ENDED, ENTERED, EXCLUDED, STOP, STOPS, UNIT
from microfunnel.counting.funnels import CLOSES, EVENT_NUMBER, Found, Limits, find_journeys, unit_expr
from microfunnel.counting.journeys import DEPTH, ENTRY, FIRST
from microfunnel.counting.serving import UnitEvent, serving, serving_any
from microfunnel.counting.tallies import OPEN, took_column
from microfunnel.counting.verdicts import Judge, Way
from microfunnel.events import TIME, field_column
from microfunnel.explanations import (
    ExplainedEvent,
    ExplainedFunnel,
    ExplainedJourney,
    ExplainedUnit,
    NamedStep,
    TakenStep,
    Verdict,
)
from microfunnel.funnels import Funnel

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as it stands in the log."""

    time: int | None
    event: str | None
    goals: tuple[str, ...]
    """The goals that it completes."""
    own: bool
    """False for an event of another user."""
    unused: str | None
    """Why it is not looked at; None for one that is."""


@dataclass(frozen=True, slots=True)
class UserLog:
    """All events that matter to one user, by numbers in order of time."""

    events: Mapping[int, LoggedEvent]
    counted: pl.DataFrame
    """The used ones as `tally_funnel` wants them, with `event_number`; those of all users who share a unit."""
    limits: Limits


def explain_funnel(log: UserLog, name: str, funnel: Funnel) -> ExplainedFunnel:
    """What the funnel made of the user's units, those without a journey included."""
    found = find_journeys(log.counted, name, funnel, log.limits)
    counted = {unit: list(rows.iter_rows(named=True)) for unit, rows in _by_unit(found.journeys).items()}
    units = _units(log, funnel)
    seen = _seen(found, funnel)
    absent = _absences(log, name, funnel) if units.keys() - counted.keys() else {}
    explained: list[ExplainedUnit] = []
    for unit, numbers in units.items():
        events = [seen.get(number) or UnitEvent(number, log.events[number].time or 0, ()) for number in numbers]
        entries = found.rows[EVENT_NUMBER]
        ways = [_way(row, entries[row[ENTRY]], events, found, funnel) for row in counted.get(unit, ())]
        reason = None if ways else absent.get(unit, "no_entry")
        judge = Judge(funnel, found.plan.required, ways, log.limits.since, log.limits.until, reason == "dropped")
        explained.append(
            ExplainedUnit(
                unit=_unit_name(log, funnel, numbers[0], len(explained) + 1),
                events=tuple(
                    _explain(log.events[event.number], event, judge.verdicts(event))
                    for event in _in_turn(events, ways, funnel)
                ),
                journeys=tuple(
                    _journey(row, way, found, funnel) for row, way in zip(counted.get(unit, ()), ways, strict=True)
                ),
                absent=reason,
            )
        )
    return ExplainedFunnel(
        funnel=name,
        order=funnel.order,
        count=", ".join(funnel.unit_columns) or str(funnel.count),
        entry=funnel.entry,
        window_seconds=None if funnel.window is None else funnel.window / 1_000_000,
        steps=tuple(NamedStep(step.label, step.optional) for step in funnel.steps),
        units=_with_others(log, explained, units.values()),
        enters_anywhere=funnel.open or funnel.order == "any",
    )


def _by_unit(journeys: pl.DataFrame) -> dict[Any, pl.DataFrame]:
    parts = journeys.sort(ENTERED).partition_by(UNIT, as_dict=True)
    return {unit: rows for (unit,), rows in parts.items()}


def _units(log: UserLog, funnel: Funnel) -> dict[Any, list[int]]:
    """The events of each unit that the user has a part in, by number; the unit that began first comes first."""
    members = log.counted.select(unit_expr(funnel), EVENT_NUMBER).drop_nulls().sort(EVENT_NUMBER)
    units: dict[Any, list[int]] = {}
    for unit, number in members.iter_rows():
        units.setdefault(unit, []).append(number)
    return {unit: numbers for unit, numbers in units.items() if any(log.events[number].own for number in numbers)}


def _seen(found: Found, funnel: Funnel) -> dict[int, UnitEvent]:
    """The events that the funnel looks at."""
    plan = found.plan
    steps = [f"step_{step}" for step in range(len(funnel.steps))]
    links = dict(zip(plan.required, plan.path.links, strict=True))
    guards = {step: link.exclusions for step, link in links.items()}
    if funnel.order == "any":
        guards = dict.fromkeys(plan.required, plan.exclusions)
    strangers = {step: [link.strangers] if link.strangers else [] for step, link in links.items()}
    return {
        row[EVENT_NUMBER]: UnitEvent(
            row[EVENT_NUMBER],
            row[TIME],
            tuple(step for step, column in enumerate(steps) if row[column]),
            _where(row, guards),
            _where(row, strangers),
        )
        for row in found.rows.iter_rows(named=True)
    }


def _where(row: Row, columns: Mapping[int, Iterable[str]]) -> frozenset[int]:
    return frozenset(step for step, names in columns.items() if any(row[name] for name in names))


def _way(row: Row, entry: int, events: Sequence[UnitEvent], found: Found, funnel: Funnel) -> Way:
    """The journey with the events that it took."""
    took = {step: row[took_column(step)] for step in range(len(funnel.steps)) if row[took_column(step)] is not None}
    required = {step: took[step] for step in found.plan.required if step in took}
    if funnel.order == "any":
        served = serving_any(events, entry, list(required.values()))
        times = {event.number: event.time for event in events}
        took = {step: times[number] for number, steps in served.items() for step in steps}
    else:
        served = serving(events, entry, required, {step: took[step] for step in found.plan.optional if step in took})
    return Way(entry, row[ENTERED], row[STOP], row[ENDED], served, took)


def _in_turn(events: Sequence[UnitEvent], ways: Sequence[Way], funnel: Funnel) -> list[UnitEvent]:
    """The events in order of time, those of one instant in the order of the steps that they served."""
    turn = {number: min(steps) for way in ways for number, steps in way.served.items()}
    if funnel.order == "any":
        turn |= {way.entry: -1 for way in ways}
    return sorted(events, key=lambda event: (event.time, turn.get(event.number, math.inf), event.number))


def _journey(row: Row, way: Way, found: Found, funnel: Funnel) -> ExplainedJourney:
    required = found.plan.required
    converted = row[DEPTH] == len(required)
    in_progress = row[OPEN] and row[STOP] != EXCLUDED
    before = None if converted or funnel.order == "any" else funnel.steps[required[row[DEPTH]]].label
    return ExplainedJourney(
        taken=tuple(
            TakenStep(step + 1, funnel.steps[step].label, time, funnel.steps[step].optional)
            for step, time in sorted(way.took.items(), key=lambda item: (item[1], item[0]))
        ),
        first=row[FIRST],
        depth=row[DEPTH],
        required=len(required),
        outcome="in_progress" if in_progress and not converted else STOPS[row[STOP]],
        stopped_before=before,
        closes=row[CLOSES],
    )


def _absences(log: UserLog, name: str, funnel: Funnel) -> dict[Any, str]:
    """Why units that could have a journey have none: what leaves them out is taken away, and they are counted again."""
    at_all = funnel.model_copy(update={"on_exclusion": "end"})
    reasons = {"outside_period": replace(log.limits, since=None, until=None), "dropped": log.limits}
    return {
        unit: reason
        for reason, limits in reasons.items()
        for unit in find_journeys(log.counted, name, at_all, limits).journeys[UNIT]
    }


def _unit_name(log: UserLog, funnel: Funnel, number: int, place: int) -> str | None:
    if funnel.count == "sessions":
        return f"session {place}"
    if not funnel.unit_columns:
        return None
    row = log.counted.row(by_predicate=pl.col(EVENT_NUMBER) == number, named=True)
    return ", ".join(f"{name} {row[field_column(name)]}" for name in funnel.unit_columns)


def _explain(logged: LoggedEvent, event: UnitEvent, verdicts: tuple[Verdict, ...]) -> ExplainedEvent:
    steps = tuple(step + 1 for step in event.steps)
    if verdicts[0].verdict == "no_step" and not logged.goals:
        verdicts = (replace(verdicts[0], verdict="no_goal"),)
    return ExplainedEvent(logged.time, logged.event, logged.goals, steps, verdicts, own=logged.own)


def _with_others(
    log: UserLog, units: Sequence[ExplainedUnit], members: Iterable[Sequence[int]]
) -> tuple[ExplainedUnit, ...]:
    """The units, and the user's events that belong to none of them; where the user is the unit, they stand in it."""
    known = {number for numbers in members for number in numbers}
    others = [
        ExplainedEvent(event.time, event.event, event.goals, (), (Verdict(event.unused or "no_unit"),))
        for number, event in log.events.items()
        if number not in known and event.own
    ]
    if not others:
        return tuple(units)
    if len(units) == 1 and units[0].unit is None:
        whole = [*units[0].events, *others]
        whole.sort(key=lambda event: (event.time is None, event.time or 0))
        return (replace(units[0], events=tuple(whole)),)
    absent = "no_unit" if any(event.verdicts[0].verdict == "no_unit" for event in others) else "unused"
    return (*units, ExplainedUnit(None, tuple(others), (), absent))

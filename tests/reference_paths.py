"""What the lost did next, and what came before a goal, in plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from reference import Counted, count_funnel, rule_of, units_of
from reference_goals import SECOND, Row, completions, micros, time_of
from reference_rule import EXCLUDED, IN_PROGRESS, TOO_LATE, Journey, Limits, Rule, Times
from reference_tally import percentile, why_stopped

MAY_BE_ANYWHERE = {EXCLUDED, IN_PROGRESS, TOO_LATE}


@dataclass
class Waits:
    """Units, and how many microseconds what came next took to come, where anything did."""

    units: int = 0
    waits: list[int] = field(default_factory=list)

    def add(self, wait: int | None) -> None:
        self.units += 1
        self.waits += [] if wait is None else [wait]

    def summary(self) -> tuple[int, int, int, float | None]:
        seconds = sorted(wait // SECOND for wait in self.waits)
        return self.units, len(seconds), sum(self.waits), percentile(seconds, 50) if seconds else None


Key = tuple[str, tuple[str, ...]]
"""Outcome and path."""


@dataclass
class Told:
    """The lines of each required step but the last: those of the lost, and those of the ones who went on."""

    lost: list[dict[Key, Waits]]
    went_on: list[dict[Key, Waits]]


def ledger(
    rows: Sequence[Row], file: Mapping[str, Any], limits: Limits, depth: int, label: str = "event"
) -> tuple[Told, Counted]:
    """The ledger of the funnel `f`, and the funnel as it is counted."""
    rows = [row for row in rows if limits.as_of is None or time_of(row) <= limits.as_of]
    timeout = micros(file.get("events", {}).get("session_timeout", "30m"))
    rule = rule_of(file["funnels"]["f"], file["goals"], rows, timeout, limits)
    data_end = limits.as_of if limits.as_of is not None else max(map(time_of, rows), default=0)
    counted = count_funnel(rows, file, "f", limits)
    names = [str(row.get(label) or row["event"]) for row in rows]
    places = range(len(rule.required) - 1)
    told = Told([{} for _ in places], [{} for _ in places])
    for unit, log in units_of(rule, rows, timeout).items():
        for journey in counted.journeys.get(unit, []):
            for place in range(journey.start, min(journey.depth, len(rule.required) - 1)):
                (outcome, path), wait = told_of(journey, place, Log(rule, log, names, data_end), depth)
                lines = told.lost if journey.depth == place + 1 else told.went_on
                lines[place].setdefault((outcome, path), Waits()).add(wait)
    return told, counted


@dataclass(frozen=True)
class Log:
    """All events of a unit, and what bounds them."""

    rule: Rule
    times: Times
    names: Sequence[str]
    data_end: int


def told_of(journey: Journey, place: int, whole: Log, depth: int) -> tuple[Key, int | None]:
    """What is told of a unit that stood at a step, and how long what came next took to come."""
    rule, log, names = whole.rule, whole.times, whole.names
    now = journey.times[place - journey.start]
    went_on = journey.times[place - journey.start + 1] if journey.depth > place + 1 else None
    step = rule.required[place]
    everything = frozenset().union(*(each.rows for each in rule.steps))
    same = everything if rule.order == "any" else rule.steps[step].rows
    until = everything if rule.order == "any" else frozenset().union(*(each.rows for each in rule.steps[: step + 1]))
    stands = min(names[row] for row, time in log.items() if time == now and row in same)
    later = [row for row, time in log.items() if time > now]
    later.sort(key=lambda row: (log[row], names[row], [row in each.rows for each in rule.steps]))
    while later and later[0] in same and names[later[0]] == stands:
        later = later[1:]
    came = log[later[0]] if later else None
    if went_on is not None and (came is None or came >= went_on):
        return ("next_step", ()), went_on - now
    wait = None if came is None else came - now
    if went_on is None and (why := why_stopped(journey, whole.data_end)) in MAY_BE_ANYWHERE:
        return (why, ()), wait
    if not later:
        return ("left", ()), None
    path = tuple(name for name, _ in groupby(names[row] for row in later))
    shown = path[:depth] if len(path) >= depth else (*path, "(left)")
    return ("looped_back" if later[0] in until else "went_to", shown), wait


def before(
    rows: Sequence[Row], file: Mapping[str, Any], goal: str, limits: Limits, depth: int
) -> dict[tuple[str, ...], Waits]:
    """How users came to their first completion of a goal in the period."""
    rows = [row for row in rows if limits.as_of is None or time_of(row) <= limits.as_of]
    timeout = micros(file.get("events", {}).get("session_timeout", "30m"))
    completed = [row for row in completions(file["goals"][goal], rows, timeout) if limits.may_enter(time_of(rows[row]))]
    found: dict[tuple[str, ...], Waits] = {}
    for user in {rows[row]["user"] for row in completed}:
        first = min(time_of(rows[row]) for row in completed if rows[row]["user"] == user)
        own = sorted((time_of(row), str(row["event"])) for row in rows if row["user"] == user and time_of(row) < first)
        runs = [(name, next(run)[0]) for name, run in groupby(reversed(own), key=lambda event: event[1])][:depth]
        path = tuple(name for name, _ in reversed(runs))
        shown = path if len(path) == depth else ("(began)", *path)
        found.setdefault(shown, Waits()).add(first - runs[-1][1] if runs else None)
    return found

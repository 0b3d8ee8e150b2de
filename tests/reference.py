"""The counting rule in plain Python, slow and obvious: what the fast code has to agree with.

A log is a list of rows: `user`, `time` (integer microseconds), `event`, perhaps `session`, and other fields as text or
None. Goals and funnels are written as in the goals file. Nothing here is shared with the package, so that a mistake in
one of the two shows.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

Row = Mapping[str, str | int | None]
Unit = Hashable

SECOND = 1_000_000
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
SHARES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95}
NOT_SET, OTHER = "(not set)", "(other)"


def micros(duration: str) -> int:
    """Microseconds of `90s`, `1.5h`, `7d`."""
    return int(Fraction(duration[:-1]) * UNITS[duration[-1]] * SECOND)


def optional_micros(duration: str | None) -> int | None:
    return None if duration is None or duration == "none" else micros(duration)


def time_of(row: Row) -> int:
    time = row["time"]
    assert isinstance(time, int)
    return time


# --- which events complete a goal -------------------------------------------------------------------------------------


def holds(match: Any, row: Row) -> bool:
    """Whether all conditions of a match hold for one event."""
    if match == "any":
        return True
    for key, wanted in match.items():
        if key == "any":
            held = any(holds(part, row) for part in wanted)
        elif key == "all":
            held = all(holds(part, row) for part in wanted)
        elif key == "not":
            held = not holds(wanted, row)
        else:
            held = field_holds(row.get(key), wanted)
        if not held:
            return False
    return True


def field_holds(value: str | int | None, wanted: Any) -> bool:
    """A value, one of a list of values, or operators that must all hold; values are compared as text."""
    if not isinstance(wanted, dict):
        return value is not None and str(value) in texts(wanted)
    return all(operator_holds(operator, value, operand) for operator, operand in wanted.items())


def operator_holds(operator: str, value: str | int | None, operand: Any) -> bool:
    if operator == "exists":
        return (value is not None) is operand
    if value is None:  # what is missing is not equal to anything, so only `not` lets it pass
        return operator == "not"
    text = str(value)
    tests: dict[str, Callable[[], bool]] = {
        "not": lambda: text not in texts(operand),
        "in": lambda: text in texts(operand),
        "contains": lambda: any(part in text for part in texts(operand)),
        "starts_with": lambda: text.startswith(tuple(texts(operand))),
        "ends_with": lambda: text.endswith(tuple(texts(operand))),
        "regex": lambda: re.search(operand, text) is not None,
        "gt": lambda: float(text) > operand,
        "gte": lambda: float(text) >= operand,
        "lt": lambda: float(text) < operand,
        "lte": lambda: float(text) <= operand,
    }
    return tests[operator]()


def texts(values: Any) -> list[str]:
    return [str(value) for value in (values if isinstance(values, list) else [values])]


def sessions_of(rows: Sequence[Row], timeout: int) -> list[Unit]:
    """The session of each row: the given one, or else the user's rows split where the gap is over the timeout."""
    if any(row.get("session") is not None for row in rows):
        return [(row["user"], row.get("session")) for row in rows]
    sessions: dict[int, Unit] = {}
    last: dict[Unit, tuple[int, int]] = {}  # user to the time of the latest row and the number of its session
    for index in sorted(range(len(rows)), key=lambda index: time_of(rows[index])):
        user, time = rows[index]["user"], time_of(rows[index])
        before, number = last.get(user, (time, 0))
        last[user] = (time, number + (time - before > timeout))
        sessions[index] = (user, last[user][1])
    return [sessions[index] for index in range(len(rows))]


def completions(goal: Mapping[str, Any], rows: Sequence[Row], timeout: int = micros("30m")) -> set[int]:
    """The rows that complete a goal, by their index.

    Of several rows of one instant any one may be the row that fills a count: only its time is laid down.
    """
    in_order = sorted(range(len(rows)), key=lambda index: time_of(rows[index]))
    sessions = sessions_of(rows, timeout)
    if "session_lasts" in goal:
        return long_sessions(micros(goal["session_lasts"]), rows, sessions, in_order)
    matching = [index for index in in_order if holds(goal["match"], rows[index])]
    if "at_least" not in goal and "per" not in goal:
        return set(matching)
    counted: dict[Unit, set[Unit]] = {}  # what has been counted so far, per user or session
    full: dict[Unit, int] = {}  # per user or session, the row with which the count was full
    for index in matching:
        whose = sessions[index] if goal.get("per") == "session" else rows[index]["user"]
        value = rows[index].get(goal["distinct"]) if "distinct" in goal else index
        if value is not None and value != "":
            counted.setdefault(whose, set()).add(value)
        if len(counted.get(whose, ())) >= goal.get("at_least", 1):
            full.setdefault(whose, index)
    return set(full.values())


def long_sessions(lasts: int, rows: Sequence[Row], sessions: Sequence[Unit], in_order: Sequence[int]) -> set[int]:
    """Of each session the first row that lies at least so long after the session's first."""
    begins: dict[Unit, int] = {}
    long: dict[Unit, int] = {}
    for index in in_order:
        begin = begins.setdefault(sessions[index], time_of(rows[index]))
        if time_of(rows[index]) - begin >= lasts:
            long.setdefault(sessions[index], index)
    return set(long.values())


# --- attempts and the journey -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A step of a funnel with all the rows that complete it."""

    rows: frozenset[int]
    within: int | None
    after: int


@dataclass(frozen=True)
class Limits:
    """The times of a run: entries from `since` on and before `until`, and the log as it was at `as_of`."""

    since: int | None = None
    until: int | None = None
    as_of: int | None = None

    def may_enter(self, time: int) -> bool:
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Rule:
    """All that decides how far the rows of a unit carry it."""

    steps: list[Step]
    window: int | None
    first_entry_only: bool
    increasing: bool
    limits: Limits
    of_sessions: bool

    @property
    def ends(self) -> bool:
        return self.window is not None or self.of_sessions


@dataclass(frozen=True)
class Journey:
    """How far a unit got, when it took each step, and the entries (rows) from which it got there just so."""

    times: tuple[int, ...]
    entries: frozenset[int]
    closes: int | None = None
    """The last moment at which it could have gone on."""

    @property
    def depth(self) -> int:
        return len(self.times)


def attempts(path: tuple[int, ...], rule: Rule, times: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    """Every way in which an attempt may go on from the rows taken so far, each to its end."""
    going_on = next_rows(path, rule, times) if len(path) < len(rule.steps) else []
    if not going_on:
        yield path
    for row in going_on:
        yield from attempts((*path, row), rule, times)


def next_rows(path: tuple[int, ...], rule: Rule, times: Mapping[int, int]) -> list[int]:
    """The rows that may serve the next step: those of the same instant, and those of the earliest instant after it.

    What is later than that is never looked at: an attempt does not pass over an event to wait for a better one.
    """
    entry, now, step = times[path[0]], times[path[-1]], rule.steps[len(path)]
    eligible = [row for row in step.rows if row in times and row not in path and times[row] >= now + step.after]
    same_instant = [row for row in eligible if times[row] == now and not rule.increasing]
    later = [row for row in eligible if times[row] > now]
    next_instant = [row for row in later if times[row] == min(times[other] for other in later)]
    return [
        row
        for row in same_instant + next_instant
        if (step.within is None or times[row] <= now + step.within)
        and (rule.window is None or times[row] <= entry + rule.window)
    ]


def journey(rule: Rule, times: Mapping[int, int]) -> Journey | None:
    """The best attempt of one unit, whose rows are the keys of `times`; None where the unit never enters."""
    entries = [row for row in rule.steps[0].rows if row in times and rule.limits.may_enter(times[row])]
    if rule.first_entry_only:
        entries = [row for row in entries if times[row] == min(times[other] for other in entries)]
    paths = [path for entry in entries for path in attempts((entry,), rule, times)]
    if not paths:
        return None

    def rank(path: tuple[int, ...]) -> tuple[int, int, int, list[int]]:
        """Deepest, there first, started last, and then as early as possible on the way."""
        return -len(path), times[path[-1]], -times[path[0]], [times[row] for row in path]

    best = min(map(rank, paths))
    return Journey(tuple(best[-1]), frozenset(path[0] for path in paths if rank(path) == best))


# --- what a funnel counts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Times:
    """How long units took: their number, the exact sum, and percentiles of whole seconds."""

    n: int
    total_us: int
    percentiles: dict[str, float]


@dataclass(frozen=True)
class Tally:
    """The numbers of a funnel, or of one of its segments."""

    reached: list[int]
    in_progress: int | None
    in_progress_by_step: list[int]
    """Units in progress, by the step that they have yet to take; the first step has none."""
    matured: tuple[int, int] | None
    times_from_previous: list[Times | None]
    times_from_first: list[Times | None]


@dataclass(frozen=True)
class Counted:
    """A funnel as counted by the reference."""

    total: Tally
    segments: dict[str, dict[str, Tally]]
    """Column to value to the numbers of the units with that value."""
    journeys: dict[Unit, Journey]


def count_funnel(rows: Sequence[Row], file: Mapping[str, Any], name: str, limits: Limits = NO_LIMITS) -> Counted:
    """Count the funnel of that name in a goals file over a log."""
    rows = [row for row in rows if limits.as_of is None or time_of(row) <= limits.as_of]
    funnel = file["funnels"][name]
    timeout = micros(file.get("events", {}).get("session_timeout", "30m"))
    steps = [step_of(step, file["goals"], rows, timeout) for step in funnel["steps"]]
    rule = rule_of(funnel, steps, limits)
    by_session = funnel.get("count", "users") == "sessions"
    units = sessions_of(rows, timeout) if by_session else [row["user"] for row in rows]
    journeys: dict[Unit, Journey] = {}
    for unit in set(units):
        times = {index: time_of(row) for index, row in enumerate(rows) if units[index] == unit}
        if found := journey(rule, times):
            quiet = [max(times.values()) + timeout] if by_session else []
            window = [found.times[0] + rule.window] if rule.window is not None else []
            journeys[unit] = replace(found, closes=min(window + quiet, default=None))
    data_end = limits.as_of if limits.as_of is not None else max(map(time_of, rows), default=0)
    segments = {}
    for column, groups in segment(list(journeys.values()), rows, columns_of(funnel)).items():
        segments[column] = {value: tally(group, rule, data_end) for value, group in groups.items()}
    return Counted(tally(list(journeys.values()), rule, data_end), segments, journeys)


def step_of(step: Any, goals: Mapping[str, Any], rows: Sequence[Row], timeout: int) -> Step:
    spec = {"goal": step} if isinstance(step, str) else step
    goal = goals[spec["goal"]] if "goal" in spec else {"match": spec["match"]}
    completed = frozenset(completions(goal, rows, timeout))
    return Step(completed, optional_micros(spec.get("within")), micros(spec.get("after", "0s")))


def rule_of(funnel: Mapping[str, Any], steps: list[Step], limits: Limits) -> Rule:
    return Rule(
        steps=steps,
        window=optional_micros(funnel.get("window", "7d")),
        first_entry_only=funnel.get("entry", "best") == "first",
        increasing=funnel.get("ties", "any") == "increasing",
        limits=limits,
        of_sessions=funnel.get("count", "users") == "sessions",
    )


def columns_of(funnel: Mapping[str, Any]) -> dict[str, int]:
    """The columns that a funnel is broken down by, and how many of their values keep their name."""
    by = funnel.get("by", [])
    chosen = [
        each if isinstance(each, Mapping) else {"column": each} for each in (by if isinstance(by, list) else [by])
    ]
    return {str(each["column"]): int(each.get("top", 10)) for each in chosen}


def segment(
    journeys: Sequence[Journey], rows: Sequence[Row], columns: Mapping[str, int]
) -> dict[str, dict[str, list[Journey]]]:
    """Per column, the units by the value of their entry; the rest of the values after the largest ones is (other).

    A journey has one entry. Where several would do, it is the one with the smallest values.
    """
    segments = {}
    values = [min(values_of(rows[entry], columns) for entry in found.entries) for found in journeys]
    for place, (column, top) in enumerate(columns.items()):
        groups: dict[str, list[Journey]] = {}
        for found, value in zip(journeys, values, strict=True):
            groups.setdefault(value[place], []).append(found)
        largest_first = sorted(groups, key=lambda value: (-len(groups[value]), value))
        segments[column] = {value: groups[value] for value in largest_first[:top]}
        if rest := [found for value in largest_first[top:] for found in groups[value]]:
            segments[column][OTHER] = rest
    return segments


def values_of(row: Row, columns: Iterable[str]) -> list[str]:
    return [str(row.get(column) or NOT_SET) for column in columns]


def tally(journeys: Sequence[Journey], rule: Rule, data_end: int) -> Tally:
    """Add up units; one is in progress while its window, or its session, reaches past the end of the data."""
    steps = len(rule.steps)
    lost = [found for found in journeys if found.depth < steps]
    running = [found for found in lost if found.closes is not None and found.closes > data_end]
    mature = [found for found in journeys if found.closes is not None and found.closes <= data_end]
    return Tally(
        reached=[sum(found.depth >= step for found in journeys) for step in range(1, steps + 1)],
        in_progress=len(running) if rule.ends else None,
        in_progress_by_step=[sum(found.depth == step - 1 for found in running) for step in range(1, steps + 1)],
        matured=(sum(found.depth == steps for found in mature), len(mature)) if rule.ends else None,
        times_from_previous=[None, *(times_between(journeys, step - 1, step) for step in range(1, steps))],
        times_from_first=[None, *(times_between(journeys, 0, step) for step in range(1, steps))],
    )


def times_between(journeys: Sequence[Journey], start: int, end: int) -> Times:
    """Waits from one step to another (0 for the first), over the units that reached the later one."""
    waits = sorted(found.times[end] - found.times[start] for found in journeys if found.depth > end)
    seconds = [wait // SECOND for wait in waits]
    shares = {name: percentile(seconds, share) for name, share in SHARES.items()} if seconds else {}
    return Times(len(waits), sum(waits), shares)


def percentile(ordered: Sequence[int], share: int) -> float:
    """The value below which so many of a hundred lie, on the line between the two neighbours of that place."""
    whole, rest = divmod((len(ordered) - 1) * share, 100)
    above = ordered[min(whole + 1, len(ordered) - 1)]
    return float(ordered[whole] + Fraction(rest, 100) * (above - ordered[whole]))

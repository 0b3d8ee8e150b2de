"""Goals in plain Python: durations, matches, sessions, and which events complete a goal.

A log is a list of rows: `user`, `time` (integer microseconds), `event`, perhaps `session`, and other fields as text or
None. Goals are written as in the goals file. Nothing here is shared with the package.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Row = Mapping[str, str | int | None]
Unit = Hashable

SECOND = 1_000_000
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


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


def sessions_of(rows: Sequence[Row], timeout: int) -> list[Unit | None]:
    """The session of each row: the given one, None without one; or else split where the gap is over the timeout."""
    if any("session" in row for row in rows):
        return [None if row.get("session") is None else (row["user"], row["session"]) for row in rows]
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
        if whose is None:
            continue
        value = rows[index].get(goal["distinct"]) if "distinct" in goal else index
        if value is not None and value != "":
            counted.setdefault(whose, set()).add(value)
        if len(counted.get(whose, ())) >= goal.get("at_least", 1):
            full.setdefault(whose, index)
    return set(full.values())


def long_sessions(
    lasts: int, rows: Sequence[Row], sessions: Sequence[Unit | None], in_order: Sequence[int]
) -> set[int]:
    """Of each session the first row that lies at least so long after the session's first."""
    begins: dict[Unit, int] = {}
    long: dict[Unit, int] = {}
    for index in in_order:
        session = sessions[index]
        if session is not None:
            begin = begins.setdefault(session, time_of(rows[index]))
            if time_of(rows[index]) - begin >= lasts:
                long.setdefault(session, index)
    return set(long.values())

"""The effects of micro goals in plain Python; nothing here is shared with the package."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from reference_goals import Row, completions, micros, time_of


@dataclass
class Counted:
    """What is counted against one macro goal."""

    users: int = 0
    converted: int = 0
    early: int = 0
    young: int = 0
    value: Decimal = Decimal(0)
    done: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    exposed: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    followed: dict[Any, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class Times:
    """What is asked for: the period and the age, microseconds."""

    since: int | None = None
    until: int | None = None
    as_of: int | None = None
    landmark: int | None = None

    def inside(self, row: Row) -> bool:
        time = time_of(row)
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


def amount(row: Row, goal: Mapping[str, Any]) -> Decimal:
    value = goal.get("value", 0)
    if not isinstance(value, dict):
        return Decimal(str(value))
    try:
        return Decimal(str(row.get(value["column"]) or "").strip())
    except InvalidOperation:
        return Decimal(0)


def effects_of(
    rows: Sequence[Row], file: Mapping[str, Any], times: Times, fields: Collection[str] = ()
) -> dict[str, Counted]:
    """By macro goal; in `done`, `exposed` and `followed` a goal is its name, a value is its field and itself."""
    used = [row for row in rows if times.as_of is None or time_of(row) <= times.as_of]
    end = times.as_of if times.as_of is not None else max(map(time_of, rows))
    if times.until is not None:
        end = min(end, times.until - 1)
    goals = file["goals"]
    timeout = micros(file["events"]["session_timeout"])
    completed = {name: completions(goal, used, timeout) for name, goal in goals.items()}
    found = {name: Counted() for name, goal in goals.items() if goal["kind"] == "macro"}
    for user in dict.fromkeys(row["user"] for row in used if times.inside(row)):
        own = [place for place, row in enumerate(used) if row["user"] == user and times.inside(row)]
        done: dict[Any, int] = {}
        for place in own:
            keys: list[Any] = [name for name in goals if name not in found and place in completed[name]]
            keys += [(name, used[place].get(name)) for name in fields if used[place].get(name) not in {None, ""}]
            for key in keys:
                done[key] = min(done.get(key, end), time_of(used[place]))
        first = min(time_of(used[place]) for place in own)
        for macro, counted in found.items():
            reached = [used[place] for place in own if place in completed[macro]]
            worth = sum((amount(row, goals[macro]) for row in reached), Decimal(0))
            earliest = min(map(time_of, reached), default=None)
            count_user(counted, Story(first, done, earliest, worth), times.landmark, end)
    return found


@dataclass(frozen=True)
class Story:
    """What a user did: the first event, the first time of each thing done, the macro goal and what it was worth."""

    first: int
    done: Mapping[Any, int]
    reached: int | None
    worth: Decimal


def count_user(counted: Counted, user: Story, landmark: int | None, end: int) -> None:
    for key in user.done:
        counted.done[key] += 1
    age = user.first + (landmark or 0)
    if landmark is not None and age > end:
        counted.young += 1
        return
    if user.reached is not None and user.reached <= age:
        counted.early += 1
        return
    converts = user.reached is not None
    counted.users += 1
    counted.converted += converts
    counted.value += user.worth
    for key, time in user.done.items():
        before = time <= age if landmark is not None else user.reached is None or time < user.reached
        counted.exposed[key] += before
        counted.followed[key] += before and converts

"""The counting rule in plain Python, slow and obvious: what the fast code has to agree with.

Funnels are written as in the goals file. `reference_goals` says which events complete a goal, `reference_attempts` and
`reference_any` how far a unit may get, `reference_journeys` what of it counts, `reference_segments` and
`reference_tally` what is added up. Nothing here is shared
with the package, so that a mistake in one of the two shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from reference_goals import Row, Unit, completions, holds, micros, optional_micros, sessions_of, time_of
from reference_journeys import journeys_of_units
from reference_rule import Exclusion, Journey, Limits, Rule, Step, Times
from reference_segments import By, Value, breakdowns, groups_of, largest
from reference_tally import Tally, tally

NO_LIMITS = Limits()


@dataclass(frozen=True)
class Counted:
    """A funnel as counted by the reference."""

    total: Tally
    segments: dict[str, dict[str, Tally]]
    """Breakdown (`device`, or `device last`) to value to the numbers; several columns are joined with commas."""
    trend: dict[str, Tally]
    """The first day of each period with an entry, ISO 8601, to its numbers."""
    journeys: dict[Unit, list[Journey]]


@dataclass(frozen=True)
class Counting:
    """All that counts a funnel over a log."""

    rows: Sequence[Row]
    rule: Rule
    units: Mapping[Unit, Times]
    """Each unit's rows by index, and their times."""
    timeout: int
    data_end: int

    def journeys(self, rule: Rule | None = None, only: frozenset[int] | None = None) -> dict[Unit, list[Journey]]:
        """The journeys of each unit, perhaps over some of the rows only."""
        units: dict[Unit, Times] = {
            unit: {row: time for row, time in log.items() if only is None or row in only}
            for unit, log in self.units.items()
        }
        found = journeys_of_units(rule or self.rule, units)
        return {
            unit: [replace(journey, closes=self.closes(unit, journey)) for journey in of_unit]
            for unit, of_unit in found.items()
        }

    def closes(self, unit: Unit, journey: Journey) -> int | None:
        """Where its window ends, and for a session no later than the session could still go on."""
        window = [journey.times[0] + self.rule.window] if self.rule.window is not None else []
        quiet = [max(self.units[unit].values()) + self.timeout] if self.rule.count == "sessions" else []
        return min(window + quiet, default=None)

    def tally(self, journeys: Sequence[Journey]) -> Tally:
        return tally(journeys, self.rule, self.data_end)


def count_funnel(
    rows: Sequence[Row], file: Mapping[str, Any], name: str, limits: Limits = NO_LIMITS, trend: str | None = None
) -> Counted:
    """Count the funnel of that name in a goals file over a log, also by `day`, `week` or `month` of entry."""
    rows = [row for row in rows if limits.as_of is None or time_of(row) <= limits.as_of]
    funnel, events = file["funnels"][name], file.get("events", {})
    timeout = micros(events.get("session_timeout", "30m"))
    rule = rule_of(funnel, file["goals"], rows, timeout, limits)
    data_end = limits.as_of if limits.as_of is not None else max(map(time_of, rows), default=0)
    counting = Counting(rows, rule, units_of(rule, rows, timeout), timeout, data_end)
    found = counting.journeys()
    segments = segments_of(counting, flat(found), breakdowns(funnel))
    zone = ZoneInfo(events.get("timezone", "UTC"))
    periods = trend_of(counting, trend, zone) if trend else {}
    return Counted(
        total=counting.tally(flat(found)),
        segments={
            by.name: {", ".join(value): counting.tally(group) for value, group in segments[by].items()}
            for by in segments
        },
        trend={period: counting.tally(group) for period, group in periods.items()},
        journeys=found,
    )


def flat(journeys: Mapping[Unit, Sequence[Journey]]) -> list[Journey]:
    return [journey for of_unit in journeys.values() for journey in of_unit]


def units_of(rule: Rule, rows: Sequence[Row], timeout: int) -> dict[Unit, Times]:
    """The rows of each unit; a row that has no session or lacks a column of the unit belongs to none."""
    names: Sequence[Unit | None]
    if rule.count == "sessions":
        names = sessions_of(rows, timeout)
    elif isinstance(rule.count, tuple):
        names = [tuple(row.get(column) for column in rule.count) for row in rows]
    else:
        names = [row["user"] for row in rows]
    units: dict[Unit, dict[int, int]] = {}
    for index, (unit, row) in enumerate(zip(names, rows, strict=True)):
        is_whole = not isinstance(rule.count, tuple) or all(row.get(column) not in {None, ""} for column in rule.count)
        if unit is not None and is_whole:
            units.setdefault(unit, {})[index] = time_of(row)
    return dict(units)


# --- the rule as the goals file says it -------------------------------------------------------------------------------


def rule_of(
    funnel: Mapping[str, Any], goals: Mapping[str, Any], rows: Sequence[Row], timeout: int, limits: Limits
) -> Rule:
    steps = [step_of(step, goals, rows, timeout) for step in funnel["steps"]]
    count = funnel.get("count", "users")
    return Rule(
        steps=steps,
        order=funnel.get("order", "ordered"),
        window=optional_micros(funnel.get("window", "7d")),
        first_entry_only=funnel.get("entry", "best") == "first",
        increasing=funnel.get("ties", "any") == "increasing",
        limits=limits,
        count=tuple(count) if isinstance(count, list) else count,
        open=funnel.get("open", False),
        exclusions=[exclusion_of(each, steps, goals, rows, timeout) for each in funnel.get("exclude", [])],
        drop=funnel.get("on_exclusion", "end") == "drop",
        ignored=frozenset(
            index for index, row in enumerate(rows) if any(is_ignored(row, each) for each in funnel.get("ignore", []))
        ),
    )


def step_of(step: Any, goals: Mapping[str, Any], rows: Sequence[Row], timeout: int) -> Step:
    """A step; one with `any` is completed by whatever completes one of its goals."""
    spec: Mapping[str, Any] = {"goal": step} if isinstance(step, str) else step
    own = [{"match": spec["match"]}] if "match" in spec else []
    named = dict.fromkeys(spec.get("any", [spec["goal"]] if "goal" in spec else []))
    wanted = [goals[name] for name in named] + own
    return Step(
        label=spec.get("name") or " or ".join(spec.get("any", [spec.get("goal")])),
        rows=frozenset(index for goal in wanted for index in completions(goal, rows, timeout)),
        within=optional_micros(spec.get("within")),
        after=micros(spec.get("after", "0s")),
        optional=spec.get("optional", False),
        amounts=amounts_of([goal for goal in wanted if "value" in goal], rows, timeout),
    )


def amounts_of(valued: Sequence[Mapping[str, Any]], rows: Sequence[Row], timeout: int) -> dict[int, Decimal] | None:
    """What each row that completes the only goal with a value is worth, without those that have no number."""
    if len(valued) != 1:
        return None
    (goal,) = valued
    found = {}
    for index in completions(goal, rows, timeout):
        spec = goal["value"]
        try:
            found[index] = Decimal(str(rows[index].get(spec["column"]) if isinstance(spec, Mapping) else spec))
        except InvalidOperation:
            continue
    return found


def exclusion_of(
    spec: Mapping[str, Any], steps: Sequence[Step], goals: Mapping[str, Any], rows: Sequence[Row], timeout: int
) -> Exclusion:
    labels = [step.label for step in steps]
    first, last = map(labels.index, spec["between"]) if "between" in spec else (0, len(steps))
    goal = goals[spec["goal"]] if "goal" in spec else {"match": spec["match"]}
    return Exclusion(frozenset(completions(goal, rows, timeout)), first, last)


def is_ignored(row: Row, wanted: Any) -> bool:
    return row.get("event") == wanted if isinstance(wanted, str) else holds(wanted, row)


# --- segments and periods ---------------------------------------------------------------------------------------------


def segments_of(
    counting: Counting, journeys: Sequence[Journey], bys: Sequence[By]
) -> dict[By, dict[Value, list[Journey]]]:
    groups = groups_of(journeys, counting.rows, [by for by in bys if by.value != "all_steps"], counting.rule)
    for by in bys:
        if by.value == "all_steps":
            groups[by] = each_value_on_its_own(counting, by)
    return {by: largest(groups[by], by) for by in bys}


def each_value_on_its_own(counting: Counting, by: By) -> dict[Value, list[Journey]]:
    """For each value, the journeys that the rows with that value alone make."""
    values = [by.of(row) or by.not_set for row in counting.rows]
    groups = {}
    for value in set(values):
        only = frozenset(index for index, other in enumerate(values) if other == value)
        if found := flat(counting.journeys(only=only)):
            groups[value] = found
    return groups


def trend_of(counting: Counting, trend: str, zone: ZoneInfo) -> dict[str, list[Journey]]:
    """The journeys by period of entry; attempts are what they are, other units have a journey of each period."""
    if counting.rule.count == "attempts":
        groups: dict[str, list[Journey]] = {}
        for journey in flat(counting.journeys()):
            groups.setdefault(first_day(journey.times[0], trend, zone).isoformat(), []).append(journey)
        return groups
    found = {}
    for day in sorted({first_day(time_of(row), trend, zone) for row in counting.rows}):
        begin, end = midnight(day, zone), midnight(next_period(day, trend), zone)
        limits = counting.rule.limits
        since = begin if limits.since is None else max(begin, limits.since)
        until = end if limits.until is None else min(end, limits.until)
        if in_period := flat(counting.journeys(replace(counting.rule, limits=Limits(since, until)))):
            found[day.isoformat()] = in_period
    return found


def first_day(time: int, trend: str, zone: ZoneInfo) -> date:
    """The first day of the period that holds a time."""
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).astimezone(zone).date()
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[trend]


def next_period(day: date, trend: str) -> date:
    return {
        "day": day + timedelta(days=1),
        "week": day + timedelta(days=7),
        "month": (day + timedelta(days=31)).replace(day=1),
    }[trend]


def midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000

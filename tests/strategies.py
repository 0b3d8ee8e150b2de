"""Logs and funnels to count: random ones, small and full of edges, and the cases in `peers/`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from reference_goals import SECOND, time_of
from reference_rule import Limits

Log = list[dict[str, str | int | None]]

# The default run is the same every time; the long one looks for something new.
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
settings.register_profile("default", derandomize=True)
settings.register_profile("long", database=None, print_blob=True)
PROFILE = settings.get_profile("long" if LONG else "default")


def examples(default: int) -> settings:
    """So many examples, ten times as many in the long profile."""
    count = default * 10 if LONG else default
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(PROFILE, max_examples=count, deadline=None, suppress_health_check=slow)


# --- random logs and funnels ------------------------------------------------------------------------------------------

# Times lie half a second apart, and so do all durations: ties and the very ends of windows are hit all the time, and
# waits are not always whole seconds.
START = 1_700_000_000 * SECOND
TICK = SECOND // 2
TICKS = 16
PRICES = [None, "", "5", "10", "30", "50", "x", "0.07", "-12.345678", "1,50"]
DURATIONS = ["0s", "0.5s", "1s", "1.5s", "2s", "3s", "5s"]

PLAIN_GOALS: dict[str, dict[str, Any]] = {
    "a": {"kind": "milestone", "match": {"event": "a"}},
    "b": {"kind": "milestone", "match": {"event": "b"}, "value": {"column": "price"}},
    "c": {"kind": "milestone", "match": {"event": "c"}, "value": 2.50},
    "d": {"kind": "macro", "match": {"event": "d"}},
    "a_or_b": {"kind": "milestone", "match": {"event": ["a", "b"]}, "value": {"column": "price"}},
    "b_or_c": {"kind": "milestone", "match": {"any": [{"event": "b"}, {"event": {"in": ["c"]}}]}},
    "not_a": {"kind": "milestone", "match": {"event": {"not": "a"}}},
    "a_on_phone": {"kind": "milestone", "match": {"event": "a", "device": "phone"}},
    "every": {"kind": "milestone", "match": "any"},
}
COUNTED_GOALS: dict[str, dict[str, Any]] = {
    "two_a": {"kind": "secondary", "match": {"event": "a"}, "at_least": 2, "value": {"column": "price"}},
    "two_in_session": {"kind": "secondary", "match": {"event": ["a", "b"]}, "at_least": 2, "per": "session"},
    "three_for_user": {"kind": "secondary", "match": "any", "at_least": 3, "per": "user"},
    "two_devices": {"kind": "secondary", "match": "any", "at_least": 2, "distinct": "device"},
    "two_kinds": {"kind": "secondary", "match": "any", "at_least": 2, "distinct": "event", "per": "session"},
    "first_b": {"kind": "secondary", "match": {"event": "b"}, "per": "session"},
    "two_seconds": {"kind": "secondary", "session_lasts": "2s"},
}


@dataclass(frozen=True)
class Case:
    """A log, a goals file with one funnel `f`, and the times of the run."""

    rows: Log
    file: dict[str, Any]
    limits: Limits
    trend: str | None = None


def times(ticks: int = TICKS) -> st.SearchStrategy[int]:
    return st.integers(0, ticks).map(lambda tick: START + tick * TICK)


@st.composite
def logs(draw: st.DrawFn, *, sessions: bool | None = None, ties: bool = True) -> Log:
    """One to three users with up to twelve events each, but at least one event: a row is what names the columns.

    Without `ties`, the events of a user have different times.
    """
    with_sessions = draw(st.booleans()) if sessions is None else sessions
    rows: Log = []
    for user in ["u1", "u2", "u3"][: draw(st.integers(1, 3))]:
        # Few instants make for many ties.
        latest = draw(st.sampled_from([2, 6, TICKS])) if ties else 2 * TICKS
        for time in draw(st.lists(times(latest), min_size=not rows, max_size=12, unique=not ties)):
            device = draw(st.sampled_from([None, "", "phone", "tablet", "watch"]))
            row: dict[str, str | int | None] = {"user": user, "time": time, "event": draw(st.sampled_from("abcd"))}
            if with_sessions:
                row["session"] = draw(st.sampled_from([None, f"{user}-1", f"{user}-2"]))
            row |= {"device": device, "order": draw(st.sampled_from([None, "", "1", "2"]))}
            rows.append(row | {"price": draw(st.sampled_from(PRICES))})
    return rows


@st.composite
def step(draw: st.DrawFn, goals: list[str], *, first: bool, limited: bool) -> str | dict[str, str]:
    """A goal, sometimes to be reached within a time or not before one."""
    goal = draw(st.sampled_from(goals))
    if first or not limited or draw(st.booleans()):
        return goal
    spec = {"goal": goal}
    shortest = 0
    if draw(st.booleans()):
        shortest = draw(st.integers(0, len(DURATIONS) - 1))
        spec["after"] = DURATIONS[shortest]
    if draw(st.booleans()):
        spec["within"] = draw(st.sampled_from(DURATIONS[shortest:]))
    return spec


@st.composite
def funnels(draw: st.DrawFn, goals: list[str], *, sessions: bool = True, limited: bool = True) -> dict[str, Any]:
    """A funnel of one to four steps; `limited` ones may have `within` and `after`."""
    length = draw(st.sampled_from([1, 2, 2, 3, 3, 3, 4, 4]))
    funnel: dict[str, Any] = {
        "steps": [draw(step(goals, first=number == 0, limited=limited)) for number in range(length)],
        "window": draw(st.sampled_from(["none", *DURATIONS, "8s", "7d"])),
        "entry": draw(st.sampled_from(["best", "best", "first"])),
        "ties": draw(st.sampled_from(["any", "any", "increasing"])),
    }
    if sessions and draw(st.booleans()):
        funnel["count"] = "sessions"
    if by := draw(st.sampled_from([None, "device", ["device"], {"column": "device", "top": 1}, ["device", "event"]])):
        funnel["by"] = by
    return funnel


@st.composite
def whole_funnels(draw: st.DrawFn, goals: list[str], order: str | None = None) -> dict[str, Any]:
    """A funnel with any of all the options that go together."""
    order = order or draw(st.sampled_from(["ordered", "ordered", "strict", "any"]))
    funnel = draw(funnels(goals, sessions=False, limited=order != "any"))
    funnel |= {"order": order, "count": draw(st.sampled_from(UNITS)), "by": []}
    attempts = funnel["count"] == "attempts"
    if order == "any":
        del funnel["ties"]
    if order == "strict" and draw(st.booleans()):
        funnel["ignore"] = draw(st.sampled_from([["c"], ["c", "d"]]))
    if attempts:
        del funnel["entry"]
    elif order != "any" and draw(st.integers(0, 3)) == 3:
        funnel["open"] = True
    funnel["steps"] = draw(steps_of_all_kinds(funnel["steps"], goals, optional=order != "any"))
    if exclude := draw(st.lists(exclusions(funnel), max_size=2)):
        funnel["exclude"] = exclude
        if not attempts:
            funnel["on_exclusion"] = draw(st.sampled_from(["end", "drop"]))
    choices = BREAKDOWNS + [{"column": "device", "value": f"step:{name}"} for name in unique_labels(funnel)]
    funnel["by"] = draw(st.lists(st.sampled_from(choices), max_size=3, unique_by=columns_and_value))
    return funnel


def columns_and_value(by: Any) -> str:
    """What tells two breakdowns of a funnel apart."""
    spec = {"column": by} if isinstance(by, str) else by
    return f"{spec['column']} {spec.get('value', 'entry')}"


UNITS = ["users", "users", "sessions", "attempts", ["order"], ["user", "order"]]
BREAKDOWNS: list[Any] = [
    "device",
    {"column": "device", "top": 1},
    {"column": ["device", "event"]},
    {"column": "device", "value": "first"},
    {"column": "device", "value": "last", "top": 2},
    {"column": ["device", "price"], "value": "last"},
    {"column": "device", "value": "all_steps"},
    {"column": ["device", "event"], "value": "all_steps", "top": 3},
    {"column": "price", "bins": [10, 50]},
    {"column": "price", "bins": [10], "value": "first"},
]


@st.composite
def steps_of_all_kinds(draw: st.DrawFn, steps: list[Any], goals: list[str], *, optional: bool) -> list[Any]:
    """These steps, some of them now completed by either of two goals, and optional ones after some of them."""
    found: list[Any] = []
    for number, each in enumerate(steps):
        spec = {"goal": each} if isinstance(each, str) else dict(each)
        if draw(st.integers(0, 4)) == 4:
            spec["any"] = [spec.pop("goal"), draw(st.sampled_from(goals))]
            spec["name"] = f"either {number}"
        found.append(spec)
        if optional and draw(st.integers(0, 3)) == 3:
            found.append({"goal": draw(st.sampled_from(goals)), "optional": True})
    return found


def unique_labels(funnel: Mapping[str, Any], *, required: bool = False) -> list[str]:
    """The labels that name one step only; in any order, no step has a time of its own that could be named."""
    if funnel["order"] == "any":
        return []
    labels = [step.get("name") or step["goal"] for step in funnel["steps"]]
    kept = [step for step in funnel["steps"] if not (required and step.get("optional"))]
    return [label for step in kept if labels.count(label := step.get("name") or step["goal"]) == 1]


@st.composite
def exclusions(draw: st.DrawFn, funnel: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = draw(st.sampled_from([{"match": {"event": "d"}}, {"goal": "b_or_c"}, {"goal": "a"}]))
    labels = unique_labels(funnel, required=True)
    if len(labels) > 1 and draw(st.booleans()):
        ends = draw(st.lists(st.sampled_from(range(len(labels))), min_size=2, max_size=2, unique=True))
        spec = spec | {"between": [labels[place] for place in sorted(ends)]}
    return spec


@st.composite
def limits(draw: st.DrawFn, rows: Log) -> Limits:
    """Often none, else at an event or next to it; `since` may lie after `until`, and `as_of` before the last event."""
    if draw(st.booleans()):
        return Limits()
    near = st.builds(lambda row, ticks: time_of(row) + ticks * TICK, st.sampled_from(rows), st.integers(-1, 2))
    return Limits(*(draw(st.none() | near) for _ in range(3)))


def goals_file(funnel: Mapping[str, Any], goals: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A goals file with the one funnel `f`; sessions are split after half a second and more."""
    events = {"session_timeout": "0.5s"}
    return {"version": 1, "events": events, "goals": dict(goals or PLAIN_GOALS), "funnels": {"f": dict(funnel)}}


@st.composite
def cases(draw: st.DrawFn, *, limited: bool = True) -> Case:
    """Goals that each event completes or doesn't, so that ties may be as wild as they like."""
    rows = draw(logs())
    return Case(rows, goals_file(draw(funnels(list(PLAIN_GOALS), limited=limited))), draw(limits(rows)))


@st.composite
def counted_cases(draw: st.DrawFn) -> Case:
    """Goals with a count among the steps: only different times say which event fills it."""
    rows, goals = draw(logs(ties=False)), PLAIN_GOALS | COUNTED_GOALS
    return Case(rows, goals_file(draw(funnels([*COUNTED_GOALS, "a", "b", "every"])), goals), draw(limits(rows)))


@st.composite
def whole_cases(draw: st.DrawFn, order: str | None = None) -> Case:
    """All options together."""
    rows = draw(logs())
    return Case(rows, goals_file(draw(whole_funnels(list(PLAIN_GOALS), order))), draw(limits(rows)))


@st.composite
def cases_of_days(draw: st.DrawFn) -> Case:
    """The same with a day for each second, and a trend; in between the clocks change and a month begins."""
    case = draw(whole_cases())
    funnel = in_days(case.file["funnels"]["f"])
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
    file = case.file | {"events": {"session_timeout": "0.5d", "timezone": zone}, "funnels": {"f": funnel}}
    rows = [row | {"time": day_of(time_of(row))} for row in case.rows]
    ends = [
        None if time is None else day_of(time) for time in (case.limits.since, case.limits.until, case.limits.as_of)
    ]
    return Case(rows, file, Limits(*ends), draw(st.sampled_from(["day", "week", "month"])))


def in_days(funnel: Mapping[str, Any]) -> dict[str, Any]:
    def longer(spec: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: value.replace("s", "d") if key in {"window", "within", "after"} else value
            for key, value in spec.items()
        }

    return longer(funnel) | {"steps": [longer(step) for step in funnel["steps"]]}


def day_of(time: int) -> int:
    return START - 20 * 86_400 * SECOND + (time - START) * 86_400


# --- the cases in peers/ ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PeerCase:
    """What another system finds in a log, said in the words of our goals file."""

    id: str
    case: Case
    expected: dict[str, Any]


def peer_cases(name: str) -> list[PeerCase]:
    """The cases of `peers/NAME.json`."""
    found = json.loads((Path(__file__).parent / "peers" / f"{name}.json").read_text(encoding="utf-8"))
    return [
        PeerCase(
            case["id"],
            Case(
                [event | {"time": micros_of(event["time"])} for event in case["events"]],
                {"version": 1, "goals": case["goals"], "funnels": {"f": case["funnel"]}},
                Limits(),
                case.get("trend"),
            ),
            case["expected"],
        )
        for case in found
    ]


def all_peer_cases() -> list[PeerCase]:
    """All cases that our rule reproduces."""
    names = ["ordered", "strict", "any", "exclusions", "segments", "units", "trend"]
    return [case for name in names for case in peer_cases(name)]


def micros_of(time: str | int) -> int:
    """Microseconds of an ISO time, or of a number of seconds since some midnight."""
    if isinstance(time, int):
        return START // (86_400 * SECOND) * (86_400 * SECOND) + time * SECOND
    moment = datetime.fromisoformat(time)
    whole = moment.replace(tzinfo=UTC, microsecond=0)
    return int(whole.timestamp()) * SECOND + moment.microsecond

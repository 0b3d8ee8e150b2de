"""Real exports, which are no part of the project: numbers known from elsewhere, or counted anew in plain Python."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from microfunnel.analysis import analyse, question_of
from microfunnel.findings.paths import PathsResult
from microfunnel.goals import Goals
from microfunnel.insights.paths import Wish, find_paths
from microfunnel.insights.paths import question_of as paths_question
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.results import Report

DATA = Path(__file__).parents[2] / "shared" / "data"
NO_PERIOD = Period()
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not on this machine")


def report_of(name: str, goals: Mapping[str, Any]) -> Report:
    checked = Goals.model_validate({"version": 1, **goals})
    fields, sessions = question_of(checked).fields_needed, checked.need_sessions
    request = Request([str(DATA / name)], checked.events, fields, sessions)
    return read_events(request, None, lambda table: analyse(table, checked, Period()))


def funnels(events: Sequence[str], *counts: str) -> dict[str, Any]:
    """Goals that are an event each, and one funnel through them for each way to count."""
    return {
        "goals": {event: {"kind": "milestone", "match": {"event": event}} for event in events},
        "funnels": {count: {"steps": list(events), "window": "none", "count": count} for count in counts},
    }


def reached(report: Report) -> dict[str, list[int]]:
    return {funnel.funnel: [step.reached for step in funnel.totals.steps] for funnel in report.funnels}


def assert_rows_add_up(report: Report, rows: int) -> None:
    events = report.events
    assert events.rows_read == rows == events.rows_used + events.rows_filtered + sum(events.rejected.values())


@pytest.mark.parametrize(
    ("events", "users", "sessions"),
    [
        (("catalog", "add_to_cart", "purchase"), [600, 511, 285], [2837, 819, 213]),
        (
            ("add_to_cart", "shipping_details", "payment_details", "purchase"),
            [522, 403, 284, 148],
            [1213, 587, 263, 82],
        ),
    ],
    ids=["shop", "checkout"],
)
def test_ecom(events: Sequence[str], users: list[int], sessions: list[int]) -> None:
    report = report_of("ecom.csv.gz", funnels(events, "users", "sessions"))
    assert reached(report) == {"users": users, "sessions": sessions}
    assert_rows_add_up(report, 31_106)
    assert (report.events.users, report.events.sessions) == (600, 3605)


PRODUCT_SEEN: dict[str, Any] = {"event": "Page View", "product_category": {"exists": True}}
CLIQUE_BAIT: dict[str, Any] = {
    "seen": {"kind": "milestone", "match": PRODUCT_SEEN},
    "added": {"kind": "milestone", "match": {"event": "Add to Cart"}},
    "checkout": {"kind": "milestone", "match": {"event": "Page View", "page_name": "Checkout"}},
    "bought": {"kind": "macro", "match": {"event": "Purchase"}},
}


@pytest.mark.parametrize(
    ("user", "count", "expected"),
    [
        ("user_id", "sessions", [2653, 2510, 2103, 1777]),
        ("cookie_id", "sessions", [2653, 2510, 2103, 1777]),
        ("cookie_id", "users", [1782, 1715, 1525, 1352]),
        ("user_id", "users", [500, 499, 492, 484]),
    ],
)
def test_clique_bait(user: str, count: str, expected: list[int]) -> None:
    columns = {"user": user, "session": "visit_id"}
    report = report_of(
        "clique_bait_events.csv.gz",
        {
            "events": {"columns": columns},
            "goals": CLIQUE_BAIT,
            "funnels": {"f": {"steps": list(CLIQUE_BAIT), "window": "none", "count": count}},
        },
    )
    assert reached(report) == {"f": expected}
    assert_rows_add_up(report, 32_734)


def test_ga4() -> None:
    events = ("view_item", "add_to_cart", "purchase")
    goals = funnels(events, "users") | {"events": {"columns": {"user": "user_pseudo_id"}}}
    report = report_of("ga4_events.parquet", goals)
    assert reached(report) == {"users": [1965, 33, 3]}
    assert_rows_add_up(report, 24_219)
    assert report.events.users == 19_210


# --- GitHub, against a count in plain Python --------------------------------------------------------------------------

GITHUB: dict[str, Any] = {
    "events": {"columns": {"user": "actor.login"}},
    "goals": {
        "created": {"kind": "milestone", "match": {"event": "CreateEvent", "payload.ref_type": "branch"}},
        "pushed": {"kind": "milestone", "match": {"event": "PushEvent"}},
        "large_push": {"kind": "secondary", "match": {"event": "PushEvent", "payload.size": {"gte": 3}}},
        "opened": {"kind": "macro", "match": {"event": "PullRequestEvent", "payload.action": "opened"}},
    },
    "funnels": {
        "branch": {"steps": ["created", "pushed", "opened"], "window": "none"},
        "change": {"steps": ["pushed", "opened"], "window": "none"},
    },
}
Event = Mapping[str, Any]
MATCHES: Mapping[str, Callable[[Event], bool]] = {
    "created": lambda event: event["type"] == "CreateEvent" and event["payload"].get("ref_type") == "branch",
    "pushed": lambda event: event["type"] == "PushEvent",
    "large_push": lambda event: event["type"] == "PushEvent" and event["payload"]["size"] >= 3,
    "opened": lambda event: event["type"] == "PullRequestEvent" and event["payload"]["action"] == "opened",
}


@cache
def github(name: str) -> Sequence[Event]:
    if name.endswith(".parquet"):
        return pl.read_parquet(DATA / name).to_dicts()
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def depth(events: Iterable[Event], steps: Sequence[str]) -> int:
    """How many steps one user took in order, without a window: the earliest next event is as good as any other.

    Events of one second may follow each other whichever way carries farther, so each second is gone through until
    nothing of it helps any more; an event serves one step.
    """
    taken = 0
    seconds: dict[str, list[Event]] = {}
    for event in events:
        seconds.setdefault(event["created_at"], []).append(event)
    for second in sorted(seconds):
        left = seconds[second]
        while taken < len(steps):
            fitting = next((event for event in left if MATCHES[steps[taken]](event)), None)
            if fitting is None:
                break
            left = [event for event in left if event is not fitting]
            taken += 1
    return taken


@pytest.mark.parametrize("name", ["github_events.ndjson.gz", "github_events.parquet"])
def test_github(name: str) -> None:
    events = github(name)
    report = report_of(name, GITHUB)
    by_actor: dict[str, list[Event]] = {}
    for event in events:
        by_actor.setdefault(event["actor"]["login"], []).append(event)
    assert_rows_add_up(report, len(events))
    assert report.events.users == len(by_actor)
    for goal in report.goals:
        completed = [event["actor"]["login"] for event in events if MATCHES[goal.goal](event)]
        assert (goal.completions, goal.users) == (len(completed), len(set(completed))), goal.goal
        assert completed
    for funnel, counted in reached(report).items():
        steps = GITHUB["funnels"][funnel]["steps"]
        depths = [depth(theirs, steps) for theirs in by_actor.values()]
        assert counted == [sum(each > step for each in depths) for step in range(len(steps))]
        assert counted[1]


def test_a_parameter_of_ga4_is_found_by_its_key() -> None:
    goals = {
        "events": {"columns": {"user": "user_pseudo_id", "session": "event_params.ga_session_id"}},
        "goals": {
            "page": {
                "kind": "milestone",
                "match": {"event": "page_view", "event_params.page_location": {"contains": "Apparel"}},
                "per": "session",
            },
            "buy": {"kind": "macro", "match": {"event": "purchase"}, "value": {"column": "event_params.value"}},
        },
    }
    rows = pl.read_parquet(DATA / "ga4_events.parquet", columns=["event_name", "event_params", "user_pseudo_id"])
    visits, money = set(), Decimal(0)
    for name, params, user in rows.iter_rows():
        values = {param["key"]: next((v for v in param["value"].values() if v is not None), None) for param in params}
        if name == "page_view" and "Apparel" in str(values.get("page_location")):
            visits.add((user, values["ga_session_id"]))
        if name == "purchase":
            money += Decimal(str(values.get("value") or 0))
    page, buy = report_of("ga4_events.parquet", goals).goals
    assert (page.completions, buy.value) == (len(visits), money)


def paths_of(name: str, goals: Mapping[str, Any], period: Period = NO_PERIOD, **wish: Any) -> PathsResult:
    checked, wished = Goals.model_validate({"version": 1, **goals}), Wish(**wish)
    fields = paths_question(checked, wished).fields_needed
    request = Request([str(DATA / name)], checked.events, fields, checked.need_sessions)
    return read_events(request, None, lambda table: find_paths(table, checked, wished, period))


def test_where_the_visits_of_clique_bait_went_that_saw_the_checkout_and_did_not_buy() -> None:
    """15.50 % of the visits that view the checkout page do not buy, by the published answers."""
    wanted = {
        "events": {"columns": {"user": "cookie_id", "session": "visit_id"}},
        "goals": {name: CLIQUE_BAIT[name] for name in ("checkout", "bought")},
        "funnels": {"shop": {"steps": ["checkout", "bought"], "count": "sessions", "window": "none"}},
    }
    found = paths_of("clique_bait_events.csv.gz", wanted, label="page_name")
    (step,) = found.funnels[0].steps
    assert (step.dropped, step.went_on) == (326, 1777)
    assert round(100 * step.dropped / (step.dropped + step.went_on), 2) == 15.5
    assert sum(line.lost for line in step.lines) == step.dropped


def test_mobile_visits_of_ecom_loop_back_from_shipping_while_the_checkout_is_broken() -> None:
    """The planted story: from 9 April to 9 May a bug sends mobile buyers back to their cart."""
    steps = {"add": "add_to_cart", "cart": "cart", "shipping": "shipping_details", "purchase": "purchase"}
    wanted = {
        "events": {"columns": {"session": "session_id"}, "where": {"platform": "mobile"}},
        "goals": {name: {"kind": "milestone", "match": {"event": event}} for name, event in steps.items()},
        "funnels": {"checkout": {"steps": list(steps), "count": "sessions", "window": "none"}},
    }
    begin, day = 1_712_620_800_000_000, 86_400_000_000
    broken, before = Period(begin, begin + 30 * day), Period(begin - 60 * day, begin - 31 * day)
    looped = []
    for period in (broken, before):
        step = paths_of("ecom.csv.gz", wanted, period).funnels[0].steps[2]
        looped.append((sum(line.lost for line in step.lines if line.outcome == "looped_back"), step.dropped))
    assert looped == [(7, 21), (0, 4)]

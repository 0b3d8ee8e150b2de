"""Real exports, which are no part of the project: numbers known from elsewhere, or counted anew in plain Python."""

import csv
import gzip
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from reference_effects import Times
from reference_effects import effects_of as reference_effects

from microfunnel.analysis import analyse, question_of
from microfunnel.events import EventTable
from microfunnel.findings.compare import Experiment
from microfunnel.findings.effects import MacroEffects
from microfunnel.findings.paths import PathsResult
from microfunnel.funnels import Breakdown
from microfunnel.goals import Goals
from microfunnel.insights.compare import compare_periods, compare_segments, compare_variants, question_of_variants
from microfunnel.insights.effects import choose_effects, find_effects
from microfunnel.insights.paths import Wish, find_paths
from microfunnel.insights.paths import question_of as paths_question
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.results import Rate, Report

Finding = TypeVar("Finding")

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


def effects_of(name: str, goals: Mapping[str, Any], landmark: int | None = None) -> MacroEffects:
    checked = Goals.model_validate({"version": 1, **goals})
    wish = choose_effects(checked, [], landmark, None)
    request = Request([str(DATA / name)], checked.events, wish.fields_needed, checked.need_sessions)
    (macro,) = read_events(request, None, lambda table: find_effects(table, wish, Period())).macros
    return macro


@pytest.mark.parametrize("landmark", [None, 86_400_000_000])
@pytest.mark.parametrize(
    ("name", "user", "macro", "micros"),
    [
        ("clique_bait_events.csv.gz", "cookie_id", "Purchase", ("Ad Click", "Ad Impression", "Add to Cart")),
        ("ecom.csv.gz", "user_id", "purchase", ("catalog", "add_to_cart", "home")),
    ],
)
def test_effects(name: str, user: str, macro: str, micros: Sequence[str], landmark: int | None) -> None:
    """Counted anew in plain Python."""
    kinds = {macro: "macro", **dict.fromkeys(micros, "secondary")}
    goals = {event: {"kind": kind, "match": {"event": event}} for event, kind in kinds.items()}
    found = effects_of(name, {"events": {"columns": {"user": user}}, "goals": goals}, landmark)
    rows = pl.read_csv(DATA / name, infer_schema=False)
    (event,) = (column for column in ("event", "event_name") if column in rows.columns)
    (time,) = (column for column in ("event_time", "timestamp") if column in rows.columns)
    file = {"events": {"session_timeout": "30m"}, "goals": goals}
    moments = rows[time].str.to_datetime(time_unit="us").dt.epoch("us")
    plain = [
        {"user": who, "time": when, "event": what}
        for who, when, what in zip(rows[user], moments, rows[event], strict=True)
    ]
    expected = reference_effects(plain, file, Times(landmark=landmark))[macro]
    assert (found.conversion, found.early, found.young) == (
        Rate(expected.converted, expected.users),
        expected.early,
        expected.young,
    )
    for each in found.goals:
        assert each.effect.done == expected.done[each.goal]
        assert each.effect.followed == Rate(expected.followed[each.goal], expected.exposed[each.goal])
    assert found.conversion.part or landmark is not None


def test_the_campaign_of_clique_bait_has_the_published_effect() -> None:
    """Visits without an impression, with one and without a click, and with a click: how many, and how many buy."""
    events = {"impression": "Ad Impression", "click": "Ad Click", "bought": "Purchase"}
    goals = {
        name: {"kind": "macro" if name == "bought" else "secondary", "match": {"event": event}}
        for name, event in events.items()
    }
    found = effects_of("clique_bait_events.csv.gz", {"events": {"columns": {"user": "visit_id"}}, "goals": goals})
    impression, click = (each.effect for each in found.goals)
    assert found.conversion == Rate(1777, 3564)
    assert (impression.done, impression.without) == (876, Rate(1040, 2688))
    assert (click.done, click.followed) == (702, Rate(624, 702))
    unclicked = impression.followed.part - click.followed.part, impression.followed.whole - click.followed.whole
    assert unclicked == (113, 174)


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


def test_money_of_ga4_is_of_one_currency() -> None:
    """575 purchases of 41,534.96 US dollars; 49 say the currency and no amount."""
    value = {"column": "event_params.value", "currency": "event_params.currency"}
    goals = {
        "events": {"columns": {"user": "user_pseudo_id"}},
        "goals": {"buy": {"kind": "macro", "match": {"event": "purchase"}, "value": value}},
        "funnels": {"buy": {"steps": ["buy"], "window": "none"}},
    }
    report = report_of("ga4_events.parquet", goals)
    (buy,), (funnel,) = report.goals, report.funnels
    assert (buy.completions, buy.value, buy.currency) == (624, Decimal("41534.96"), "USD")
    assert [warning.message for warning in report.events.warnings if warning.warning == "unread_value"] == [
        "49 completions of `buy` have no number in `event_params.value`"
    ]
    first: dict[str, dict[int, list[Any]]] = {}
    rows = pl.read_parquet(
        DATA / "ga4_events.parquet", columns=["event_name", "event_params", "user_pseudo_id", "event_timestamp"]
    )
    for name, params, user, time in rows.iter_rows():
        if name == "purchase":
            values = {
                param["key"]: next((v for v in param["value"].values() if v is not None), None) for param in params
            }
            first.setdefault(user, {}).setdefault(time, []).append(values.get("value"))
    entries = [times[min(times)] for times in first.values()]
    worth = [
        min((Decimal(str(value)) for value in those if value is not None), default=Decimal(0)) for those in entries
    ]
    assert (funnel.totals.converted, funnel.totals.value) == (len(first), sum(worth))


# --- comparisons, against counts in plain Python ----------------------------------------------------------------------


def rows_of(name: str, user: str, event: str, time: str) -> dict[str, list[tuple[str, str, dict[str, str]]]]:
    """The rows of each user as time (sortable text), event and all fields, in order."""
    users: dict[str, list[tuple[str, str, dict[str, str]]]] = {}
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            users.setdefault(row[user], []).append((row[time], row[event], row))
    return {user: sorted(rows, key=lambda row: row[0]) for user, rows in users.items()}


def read(name: str, goals: Goals, fields: Collection[str], use: Callable[[EventTable], Finding]) -> Finding:
    return read_events(Request([str(DATA / name)], goals.events, fields, goals.need_sessions), None, use)


def converts(
    rows: Sequence[tuple[str, str, Any]], first: str, last: str, since: str = "", until: str = "~"
) -> bool | None:
    """Whether somebody did the last step after (or at the moment of) the first one; None without an entry."""
    entries = [time for time, event, _ in rows if event == first and since <= time < until]
    return None if not entries else any(event == last and time >= entries[0] for time, event, _ in rows)


def rate(outcomes: Iterable[bool | None]) -> Rate:
    entered = [each for each in outcomes if each is not None]
    return Rate(sum(entered), len(entered))


def test_platforms_of_ecom_as_if_they_were_variants() -> None:
    goals = Goals.model_validate({"version": 1, **funnels(("catalog", "purchase"), "users")})
    needed = question_of_variants(goals, "platform").fields_needed
    experiment = Experiment("platform", "desktop")
    found = read("ecom.csv.gz", goals, needed, lambda table: compare_variants(table, goals, experiment, Period()))
    users = rows_of("ecom.csv.gz", "user_id", "event", "timestamp").values()
    seen = [({row["platform"] for *_, row in rows} - {""}, converts(rows, "catalog", "purchase")) for rows in users]
    for variant in found.variants:
        assert variant.totals.conversion == rate(done for names, done in seen if names == {variant.name})
    assert found.several.conversion == rate(done for names, done in seen if len(names) > 1)
    assert found.without.entered == 0
    assert sum(each.totals.entered for each in found.variants) + found.several.entered == 600


def test_two_periods_of_clique_bait() -> None:
    goals = Goals.model_validate(
        {
            "version": 1,
            "events": {"columns": {"user": "cookie_id", "time": "event_time", "event": "event_name"}},
            **funnels(("Page View", "Purchase"), "users"),
        }
    )
    turn = 1_582_934_400_000_000  # 2020-02-29
    periods = Period(until=turn), Period(since=turn)
    needed = question_of(goals).fields_needed
    found = read("clique_bait_events.csv.gz", goals, needed, lambda table: compare_periods(table, goals, periods))
    users = rows_of("clique_bait_events.csv.gz", "cookie_id", "event_name", "event_time").values()
    before = [converts(rows, "Page View", "Purchase", until="2020-02-29") for rows in users]
    after = [converts(rows, "Page View", "Purchase", since="2020-02-29") for rows in users]
    assert (found.conversion.other, found.conversion.rate) == (rate(before), rate(after))
    assert found.both == sum(None not in pair for pair in zip(before, after, strict=True))
    assert found.before.still_open == found.after.still_open == 0


def test_channels_of_ecom_and_all_others() -> None:
    goals = Goals.model_validate({"version": 1, **funnels(("catalog", "purchase"), "users")})
    (funnel,) = goals.funnels.values()
    split = funnel.model_copy(update={"by": [Breakdown(column="acquisition_channel")]})
    goals = goals.model_copy(update={"funnels": {"users": split}})
    needed = question_of(goals).fields_needed
    found = read("ecom.csv.gz", goals, needed, lambda table: compare_segments(table, goals, Period()))
    whole = found.funnel.totals.conversion
    own = [each.conversion.rate for each in found.segments]
    assert (sum(each.part for each in own), sum(each.whole for each in own)) == (whole.part, whole.whole)
    for each in found.segments:
        assert each.conversion.other == Rate(
            whole.part - each.conversion.rate.part, whole.whole - each.conversion.rate.whole
        )


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

"""Credit of channels, against a ledger of fractions that is written down conversion by conversion."""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import groupby, pairwise
from math import floor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from schemas import kept
from strategies import START, examples
from user_logs import SECOND, table_of

from microfunnel.counting import credit
from microfunnel.counting.counts import count
from microfunnel.counting.credit import Attribution, Credits
from microfunnel.counting.funnels import Limits
from microfunnel.events import TIME, USER, field_column
from microfunnel.findings.credit import MODELS, CreditFinding
from microfunnel.goals import Goals
from microfunnel.insights.credit import find_credit, question_of
from microfunnel.matching import conditions, match_goals
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.rendering import Screen
from microfunnel.rendering.credit import FORMATS
from microfunnel.rendering.grid import size

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
DAY = 86_400 * SECOND
MILLION = 1_000_000
Row = dict[str, Any]
Shares = dict[tuple[str, str], Fraction]
"""By model and channel."""
GOALS = Goals.model_validate(
    {
        "version": 1,
        "events": {"session_timeout": "1d"},
        "goals": {"buy": {"kind": "macro", "match": {"event": "b"}, "value": {"column": "price"}}},
    }
)
DIRECT = frozenset({"direct", "(none)"})
BY = Attribution("buy", "channel", lookback=4 * DAY, half_life=2 * DAY, direct=DIRECT)


def found(rows: Sequence[Row], by: Attribution = BY, period: Period | None = None) -> CreditFinding:
    return find_credit(table_of(rows, GOALS, sessions=True), GOALS, by, period or Period())


# --- the ledger -------------------------------------------------------------------------------------------------------


def label(row: Row) -> str | None:
    text = (row.get("channel") or "").strip()
    return "direct" if text.lower() in DIRECT else row["channel"] if text else None


def visits(rows: Sequence[Row]) -> list[Any]:
    """The session of each row of one user, which are in order of time; given ones, or split by pauses."""
    if any("session" in row for row in rows):
        return [row.get("session") for row in rows]
    numbers = [0]
    for before, row in pairwise(rows):
        numbers.append(numbers[-1] + (row["time"] - before["time"] > DAY))
    return numbers


def story(rows: Sequence[Row], *, given_sessions: bool) -> list[tuple[int, bool, str, Row]]:
    """The events of one user in order, each with its time, whether it converts, and its channel."""

    def turn(row: Row) -> tuple[Any, ...]:
        return (row["time"], row["event"] == "b", label(row) is None, label(row) or "")

    ordered = sorted(rows, key=turn)
    sessions = [row.get("session") for row in ordered] if given_sessions else visits(ordered)
    known: dict[Any, str] = {}
    events = []
    for row, session in zip(ordered, sessions, strict=True):
        own = label(row)
        if own is not None and session is not None:
            known[session] = own
        channel = own or known.get(session) or "direct"
        events.append((row["time"], row["event"] == "b", channel, row))
    return sorted(events, key=lambda event: event[:3])


def path(events: Sequence[tuple[int, bool, str, Row]], place: int, lookback: int) -> list[tuple[str, int]]:
    """The touches up to this conversion: channel, and how long before it their last event was."""
    time = events[place][0]
    near = [event for event in events[: place + 1] if event[0] >= time - lookback]
    groups = (list(group) for _, group in groupby(near, key=lambda event: event[2]))
    return [(group[-1][2], time - group[-1][0]) for group in groups]


def ideal(touches: Sequence[tuple[str, int]], half_life: int) -> Shares:
    """What each channel should get of one conversion."""
    n = len(touches)
    named = [each for each, (channel, _) in enumerate(touches) if channel != "direct"]
    decay = [Fraction(2.0 ** (-age / half_life)) for _, age in touches]
    ends = {1: [Fraction(1)], 2: [Fraction(1, 2)] * 2}
    middle = [Fraction(1, 5) / (n - 2)] * (n - 2) if n > 2 else []
    weights = {
        "first": [Fraction(each == 0) for each in range(n)],
        "last": [Fraction(each == n - 1) for each in range(n)],
        "last_non_direct": [Fraction(each == (named or [n - 1])[-1]) for each in range(n)],
        "linear": [Fraction(1, n)] * n,
        "position": ends.get(n) or [Fraction(2, 5), *middle, Fraction(2, 5)],
        "time_decay": [weight / sum(decay) for weight in decay],
    }
    shares: Shares = defaultdict(Fraction)
    for model, each in weights.items():
        for (channel, _), weight in zip(touches, each, strict=True):
            shares[model, channel] += weight
    return shares


def in_millionths(shares: Shares, model: str, whole: int) -> dict[str, int]:
    """The largest remainder; of equal ones the first channel."""
    exact = {channel: share * whole for (each, channel), share in shares.items() if each == model}
    floors = {channel: floor(share) for channel, share in exact.items()}
    ranked = sorted(exact, key=lambda channel: (floors[channel] - exact[channel], channel))
    for channel in ranked[: whole - sum(floors.values())]:
        floors[channel] += 1
    return floors


def amount(row: Row) -> int:
    try:
        return int(Decimal((row.get("price") or "0").strip()) * MILLION)
    except InvalidOperation:
        return 0


class Ledger:
    """Every conversion written down on its own."""

    def __init__(self, rows: Sequence[Row], by: Attribution, period: Period) -> None:
        used = [row for row in rows if period.as_of is None or row["time"] <= period.as_of]
        users: dict[str, list[Row]] = defaultdict(list)
        for row in used:
            users[row["user"]].append(row)
        given_sessions = any("session" in row for row in rows)
        self.credits: Counter[tuple[str, str]] = Counter()
        self.values: Counter[tuple[str, str]] = Counter()
        self.fractions: Shares = defaultdict(Fraction)
        self.on_path: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.users: dict[str, set[str]] = defaultdict(set)
        self.touches: Counter[str] = Counter()
        self.conversions = 0
        self.money = 0
        for user, own in users.items():
            events = story(own, given_sessions=given_sessions)
            self._present(user, events, period)
            for place, (time, converts, _, row) in enumerate(events):
                if converts and inside(time, period):
                    self._convert(path(events, place, by.lookback), amount(row), by)

    def _present(self, user: str, events: Sequence[tuple[int, bool, str, Row]], period: Period) -> None:
        for channel, touch in groupby(events, key=lambda event: event[2]):
            if any(inside(time, period) for time, *_ in touch):
                self.touches[channel] += 1
                self.users[channel].add(user)

    def _convert(self, touches: Sequence[tuple[str, int]], money: int, by: Attribution) -> None:
        shares = ideal(touches, by.half_life)
        for key, share in shares.items():
            self.fractions[key] += share
        for model in MODELS:
            for channel, credit_ in in_millionths(shares, model, MILLION).items():
                self.credits[model, channel] += credit_
            for channel, value in in_millionths(shares, model, money).items():
                self.values[model, channel] += value
        self.on_path.update({channel for channel, _ in touches})
        self.lengths[len(touches)] += 1
        self.conversions += 1
        self.money += money


def inside(time: int, period: Period) -> bool:
    return (period.since is None or time >= period.since) and (period.until is None or time < period.until)


# --- random logs ------------------------------------------------------------------------------------------------------

CHANNELS = [None, "", " ", "direct", "Direct ", "(none)", "email", "ads", "ads", "search"]
PRICES = [None, "", "x", "0.01", "10", "99.999999", "-0.05", "1000000"]


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """A few users whose events lie half days apart, so that ties and the very end of the look-back are common."""
    sessions = draw(st.booleans())
    rows: list[Row] = []
    for user in ["u1", "u2", "u3"][: draw(st.integers(1, 3))]:
        latest = draw(st.sampled_from([2, 12, 24]))
        for tick in draw(st.lists(st.integers(0, latest), min_size=1, max_size=14)):
            row: Row = {"user": user, "time": START + tick * DAY // 2, "event": draw(st.sampled_from("aab"))}
            if sessions:
                row["session"] = draw(st.sampled_from([None, f"{user}-1", f"{user}-2"]))
            rows.append(row | {"channel": draw(st.sampled_from(CHANNELS)), "price": draw(st.sampled_from(PRICES))})
    return rows


@st.composite
def periods(draw: st.DrawFn) -> Period:
    moment = st.none() | st.integers(0, 24).map(lambda tick: START + tick * DAY // 2)
    return Period(draw(moment), draw(moment), draw(st.none() | moment))


def assert_same(result: CreditFinding, ledger: Ledger) -> None:
    assert result.conversions == ledger.conversions
    assert result.value == Decimal(ledger.money) / MILLION
    assert result.lengths == dict(sorted(ledger.lengths.items()))
    channels = {each.channel: each for each in result.channels}
    assert {name: each.on_path for name, each in channels.items() if each.on_path} == ledger.on_path
    assert {name: each.touches for name, each in channels.items() if each.touches} == ledger.touches
    assert {name: each.users for name, each in channels.items() if each.users} == {
        name: len(users) for name, users in ledger.users.items()
    }
    for model in MODELS:
        assert sum(each.credits[model] for each in result.channels) == result.conversions * MILLION
        assert sum(each.values[model] for each in result.channels) == ledger.money
        for name, each in channels.items():
            assert abs(each.credits[model] - ledger.fractions[model, name] * MILLION) <= ledger.conversions
            # Time decay has no exact fractions; its weights are right to more digits than are shared out.
            loose = ledger.conversions if model == "time_decay" else 0
            assert abs(each.credits[model] - ledger.credits[model, name]) <= loose
            assert abs(each.values[model] - ledger.values[model, name]) <= loose


@examples(120)
@given(logs(), periods())
def test_credit_is_that_of_the_ledger(rows: list[Row], period: Period) -> None:
    assert_same(found(rows, period=period), Ledger(rows, BY, period))


@examples(30)
@given(logs(), st.permutations(range(14)), st.integers(1, 9))
def test_neither_the_order_of_rows_nor_pieces_change_a_number(rows: list[Row], order: list[int], at_once: int) -> None:
    turned = [rows[each] for each in order if each < len(rows)] + rows[len(order) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credit, "AT_ONCE", at_once)
        in_pieces = found(turned)
    assert in_pieces.channels == found(rows).channels


@examples(30)
@given(logs())
def test_the_credit_of_sets_of_users_adds_up(rows: list[Row]) -> None:
    named = conditions(GOALS)
    question = question_of(GOALS, BY)
    table = table_of(rows, GOALS)
    frame = table.frame.with_columns(match_goals(named)).select(question.columns(table, named)).collect()
    limits = Limits(None, None, START + 100 * DAY, GOALS.events.session_timeout)

    def ask(some: pl.DataFrame) -> Credits:
        return count(some, GOALS, named, limits, question.count, with_sessions=True).found

    whole = ask(frame)
    parts = [ask(frame.filter(pl.col(USER) % 3 == part)) for part in range(3)]
    for added in (question.add(parts), question.add(parts[::-1])):
        for table_ in ("shares", "channels", "lengths"):
            one, other = getattr(added, table_), getattr(whole, table_)
            kept = other.columns
            # Channels that some set does not have at all are no difference.
            assert_frame_equal(one.select(kept).sort(kept), other.sort(kept), check_exact=True)
    assert {TIME, field_column("channel")} <= set(frame.columns)


# --- edges ------------------------------------------------------------------------------------------------------------


def day(number: float, channel: str | None, event: str = "a", user: str = "u", **fields: Any) -> Row:
    return {"user": user, "time": START + int(number * DAY), "event": event, "channel": channel, **fields}


def shares(result: CreditFinding, model: str) -> dict[str, float]:
    return {each.channel: each.credits[model] / MILLION for each in result.channels if each.credits[model]}


MONTH = Attribution("buy", "channel", lookback=30 * DAY, half_life=7 * DAY, direct=DIRECT)


@pytest.mark.parametrize(("more", "first"), [(0, "email"), (1, "ads")])
def test_the_look_back_ends_after_exactly_so_long(more: int, first: str) -> None:
    rows = [day(0, "email"), day(20, "ads"), day(30, "search", "b")]
    rows[2]["time"] += more
    assert shares(found(rows, MONTH), "first") == {first: 1}


def test_equal_neighbours_are_one_touch_as_old_as_its_last_event() -> None:
    rows = [day(0, "email"), day(25, "email"), day(26, "ads"), day(40, "search", "b")]
    result = found(rows, MONTH)
    assert result.lengths == {3: 1}
    assert shares(result, "linear") == {"email": 0.333333, "ads": 0.333334, "search": 0.333333}
    weights = {"email": 2 ** (-15 / 7), "ads": 2 ** (-14 / 7), "search": 1.0}
    for channel, share in shares(result, "time_decay").items():
        assert share == pytest.approx(weights[channel] / sum(weights.values()), abs=1e-6)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("a", {"a": 1}),
        ("ab", {"a": 0.5, "b": 0.5}),
        ("abc", {"a": 0.4, "b": 0.2, "c": 0.4}),
        ("abcd", {"a": 0.4, "b": 0.1, "c": 0.1, "d": 0.4}),
        ("aba", {"a": 0.8, "b": 0.2}),
        ("aabb", {"a": 0.5, "b": 0.5}),
    ],
)
def test_position(channels: str, expected: Mapping[str, float]) -> None:
    rows = [day(number, channel) for number, channel in enumerate(channels[:-1])]
    assert shares(found([*rows, day(6, channels[-1], "b")], MONTH), "position") == expected


def test_a_path_of_direct_touches_alone_credits_direct() -> None:
    result = found([day(0, None), day(5, "(none)"), day(9, "Direct", "b", price="5")], MONTH)
    (channel,) = result.channels
    assert (channel.channel, channel.is_direct, channel.touches, channel.assisted) == ("direct", True, 1, 0)
    assert {channel.value(model) for model in MODELS} == {Decimal(5)}


def test_last_non_direct_skips_direct_but_not_beyond_the_look_back() -> None:
    assert shares(found([day(0, "email"), day(9, None, "b")], MONTH), "last_non_direct") == {"email": 1}
    assert shares(found([day(0, "email"), day(31, None, "b")], MONTH), "last_non_direct") == {"direct": 1}


def test_an_event_without_channel_belongs_to_its_visit() -> None:
    rows = [day(0, "email"), day(0.5, None), day(1, None, "b"), day(9, None, "b")]
    assert shares(found(rows, MONTH), "last") == {"email": 1, "direct": 1}


def test_each_conversion_of_a_user_is_credited_on_its_own() -> None:
    rows = [day(0, "email"), day(1, "ads", "b", price="10"), day(2, "search", "b", price="20")]
    result = found(rows, MONTH)
    assert (result.conversions, result.users, result.value) == (2, 1, Decimal(30))
    assert shares(result, "first") == {"email": 2}
    assert shares(result, "last") == {"ads": 1, "search": 1}
    assert {each.channel: each.assisted for each in result.channels} == {"email": 2, "ads": 1, "search": 0}


def test_a_cent_over_three_touches_is_a_cent() -> None:
    rows = [day(0, "email"), day(1, "ads"), day(2, "search", "b", price="0.01")]
    linear = {each.channel: each.value("linear") for each in found(rows, MONTH).channels}
    assert linear == {"ads": Decimal("0.003334"), "email": Decimal("0.003333"), "search": Decimal("0.003333")}


@pytest.mark.parametrize("price", ["99999999999999999999999999", "-99999999999999999999999999.999999"])
def test_any_amount_of_money_is_shared_exactly(price: str) -> None:
    rows = [day(0, "email"), day(1, "ads"), day(2, "search", "b", price=price)]
    result = found(rows, MONTH)
    for model in MODELS:
        assert sum(each.values[model] for each in result.channels) == int(f"{price}.0".split(".")[0]) * MILLION + (
            -999_999 if "." in price else 0
        )


def test_a_touch_of_the_very_instant_comes_before_the_conversion() -> None:
    rows = [day(0, "search", "b"), day(0, "zoo"), day(0, "ads")]
    result = found(rows, MONTH)
    assert (shares(result, "first"), shares(result, "last")) == ({"ads": 1}, {"search": 1})


def test_nobody_converts() -> None:
    result = found([day(0, "email")], MONTH)
    assert (result.conversions, result.value, result.mean_touches) == (0, Decimal(0), None)
    assert result.single_touch.value is None
    assert [(each.channel, each.users, each.credits["last"]) for each in result.channels] == [("email", 1, 0)]


def test_a_user_with_thousands_of_events_and_conversions() -> None:
    """Every touch before each of 2,000 conversions is 20 million pairs."""
    rows = [day(each / 1000, "ab"[each % 2], "b" if each % 10 == 9 else "a") for each in range(20_000)]
    result = found(rows, MONTH)
    assert result.lengths == dict.fromkeys(range(10, 20_001, 10), 1)
    assert sum(each.credits["time_decay"] for each in result.channels) == 2_000 * MILLION


# --- shown ------------------------------------------------------------------------------------------------------------

SCREEN = Screen(80, colour=False, unicode=True)


def test_the_json_keeps_its_schema_and_has_the_same_numbers() -> None:
    rows = [day(0, "email"), day(1, "ads"), day(2, "search", "b", price="0.01"), day(9, None, "b", price="7")]
    result = found(rows, MONTH)
    shown = kept("credit", FORMATS["json"](result, SCREEN))
    assert [each["channel"] for each in shown["channels"]] == [each.channel for each in result.channels]
    for model in MODELS:
        assert sum(Decimal(str(each["credit"][model]["conversions"])) for each in shown["channels"]) == 2
        assert sum(Decimal(str(each["credit"][model]["value"])) for each in shown["channels"]) == Decimal("7.01")
    kept("credit", FORMATS["json"](found([day(0, "email")]), SCREEN))


def test_the_csv_adds_up_to_the_cent() -> None:
    rows = [day(0, "email"), day(1, "ads"), day(2, "search", "b", price="12345678901.01")]
    lines = list(csv.DictReader(FORMATS["csv"](found(rows, MONTH), SCREEN).splitlines()))
    for model in MODELS:
        assert sum(Decimal(line["value"]) for line in lines if line["model"] == model) == Decimal("12345678901.01")


def test_many_channels_are_folded_and_still_add_up() -> None:
    rows = [day(each, f"channel {each:02}", "b", user=f"u{each}", price="1.50") for each in range(30)]
    shown = FORMATS["table"](found(rows, MONTH), SCREEN)
    assert [line.split()[-6:] for line in shown.splitlines() if line.startswith("(10 others)")] == [
        ["10", "10", "10", "10.0", "10.0", "10.0"],
        ["15.00"] * 6,
    ]
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("all ")] == ["30", "45.00"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit_and_hostile_channels_are_harmless(width: int) -> None:
    rows = [day(0, "\x1b[31mred" * 9), day(1, "広告" * 30), day(2, "\u202eads", "b", price="1000000.01")]
    shown = FORMATS["table"](found(rows, MONTH), Screen(width, colour=False, unicode=True))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(size, shown.splitlines())) <= max(width, 60)


# --- the sample, and real exports -------------------------------------------------------------------------------------


def test_the_channels_of_the_sample() -> None:
    """The last touches are the sessions with an order that its README has."""
    result = found_in(ROOT / "sample_data" / "events.csv", "channel", {"purchase": {"column": "revenue"}})
    last = {each.channel: each.credits["last"] // MILLION for each in result.channels}
    assert last == {"email": 126, "direct": 142, "search": 125, "social": 40, "ads": 56}
    assert (result.conversions, result.users, result.value) == (489, 455, Decimal("32057.35"))


def test_a_channel_that_only_some_events_of_a_visit_carry_is_that_of_the_visit(tmp_path: Path) -> None:
    """As in exports that know it of page views alone."""
    sample = pl.read_parquet(ROOT / "sample_data" / "events.parquet")
    bare = pl.when(pl.col("event") == "page_view").then("channel").alias("channel")
    sample.with_columns(bare).write_parquet(tmp_path / "bare.parquet")
    whole, some = (
        found_in(path, "channel", {"purchase": {"column": "revenue"}})
        for path in (ROOT / "sample_data" / "events.parquet", tmp_path / "bare.parquet")
    )
    assert some.channels == whole.channels


def found_in(
    path: Path, column: str, goal: Mapping[str, Any], columns: Mapping[str, str] | None = None
) -> CreditFinding:
    """The credit for one event of an export (name to value)."""
    ((event, value),) = goal.items()
    spec = {"kind": "macro", "match": {"event": event}} | ({"value": value} if value else {})
    goals = Goals.model_validate({"version": 1, "events": {"columns": columns or {}}, "goals": {"buy": spec}})
    by = replace(MONTH, column=column)
    request = Request([str(path)], goals.events, question_of(goals, by).fields_needed, sessions=True)
    return read_events(request, None, lambda table: find_credit(table, goals, by, Period()))


@pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not on this machine")
@pytest.mark.parametrize(
    ("name", "column", "event", "columns"),
    [
        ("clique_bait_events.csv.gz", "page_name", "Purchase", {"user": "user_id", "session": "visit_id"}),
        ("ecom.csv.gz", "event", "purchase", {}),
        ("ga4_events.parquet", "traffic_source.source", "purchase", {"user": "user_pseudo_id"}),
    ],
)
def test_credit_in_real_exports(name: str, column: str, event: str, columns: Mapping[str, str]) -> None:
    """No column of them but GA4's is a channel, but any column has values whose neighbours can be told."""
    result = found_in(DATA / name, column, {event: None}, columns)
    assert result.conversions > 2
    for model in MODELS:
        assert sum(each.credits[model] for each in result.channels) == result.conversions * MILLION
    assert sum(result.lengths.values()) == result.conversions

"""Which logs raise which doubts: each rule has one that does and some that do not."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from bridge import Row, report_of

from microfunnel import queries
from microfunnel.accounts import ReportWarning
from microfunnel.trust.near_names import LONGEST_NAME

GOALS: Mapping[str, Any] = {
    "version": 1,
    "goals": {
        "see": {"kind": "milestone", "match": {"event": "see"}},
        "buy": {"kind": "macro", "match": {"event": "buy"}},
        "any": {"kind": "secondary", "match": {"event": {"starts_with": "b"}}},
    },
    "funnels": {"shop": {"steps": ["see", "buy"]}},
}
HOUR = 3_600_000_000
DAY = 24 * HOUR
MONDAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
DAYS = 28
Rule = Callable[[int, int], bool]


def log(
    kept: Rule = lambda _day, _minute: True, buys: Rule = lambda _day, _minute: True, days: int = DAYS
) -> list[Row]:
    """An event every ten minutes from 06:00 to 22:00, each fourth a `buy`, and some that no goal looks at."""
    rows: list[Row] = [
        {
            "user": f"u{(day * 97 + i) % 211}",
            "time": MONDAY + day * DAY + 6 * HOUR + i * HOUR // 6,
            "event": "buy" if i % 4 == 0 and buys(day, i) else "see",
        }
        for day in range(days)
        for i in range(97)
        if kept(day, i)
    ]
    others: list[Row] = [
        {"user": f"v{day}-{i}", "time": MONDAY + day * DAY + 12 * HOUR + i * 977_000_000, "event": "other"}
        for day in range(days)
        for i in range(20)
        if kept(day, 40)
    ]
    return rows + others


def warnings(rows: Sequence[Row], goals: Mapping[str, Any] = GOALS, **period: Any) -> list[ReportWarning]:
    return list(report_of(rows, goals, **period).events.warnings)


def messages(rows: Sequence[Row], goals: Mapping[str, Any] = GOALS, **period: Any) -> list[tuple[str, str]]:
    return [(each.warning, each.message) for each in warnings(rows, goals, **period)]


def is_weekend(day: int) -> bool:
    return day % 7 > 4


QUIET = {
    "usual days": log(),
    "a log of one day": log(lambda _, i: i < 30, days=1),
    "a log of two days": log(lambda day, i: day == 0 or i < 5, days=2),
    "few events": [row for i, row in enumerate(log()) if i % 23 == 0],
    "never on weekends": log(lambda day, _: not is_weekend(day)),
    "no buys on weekends": log(buys=lambda day, _: not is_weekend(day)),
    "no buys on one day": log(buys=lambda day, _: day != 9),
    "buys from the tenth day on": log(buys=lambda day, _: day >= 10),
    "a quieter last day": log(lambda day, i: day < 27 or i % 3 == 0),
    "a last day that ends an hour early": log(lambda day, i: day < 27 or i < 92),
    "each day is short": log(lambda _, i: i < 40),
}


@pytest.mark.parametrize("name", QUIET)
def test_usual_logs_raise_no_doubt(name: str) -> None:
    assert messages(QUIET[name]) == []


LOUD = {
    "empty day": (log(lambda day, _: day != 9), "empty_days", "no event at all on 2026-03-11"),
    "empty days": (
        log(lambda day, _: day not in {1, 9, 10, 15, 20}),
        "empty_days",
        "no event at all on 2026-03-03, from 2026-03-11 to 2026-03-12, on 2026-03-17, and 1 more times",
    ),
    "long pause": (
        [*log(), *({**row, "time": int(row["time"] or 0) + 100 * DAY} for row in log(days=3))],
        "empty_days",
        "no event at all from 2026-03-30 to 2026-06-09",
    ),
    "cut at the end": (
        log(lambda day, i: day < 27 or i < 30),
        "cut_day",
        "the last day, 2026-03-29, ends at 10:50 with 30 events; the others go on to 22:00 or later",
    ),
    "cut at the beginning": (
        log(lambda day, i: day > 0 or i > 60),
        "cut_day",
        "the first day, 2026-03-02, begins at 16:10 with 36 events; the others by 06:00",
    ),
    "no buys for days": (
        log(buys=lambda day, _: day not in {9, 10, 11}),
        "vanished_event",
        "no `buy` from 2026-03-11 to 2026-03-13, but 625 on 25 other days; affects `buy`, `any`",
    ),
    "no buys at the end": (
        log(buys=lambda day, _: day < 26),
        "vanished_event",
        "no `buy` from 2026-03-28 to 2026-03-29, but 650 on 26 other days; affects `buy`, `any`",
    ),
    "placeholder": (
        [row if i % 10 else {**row, "user": "undefined"} for i, row in enumerate(log())],
        "busy_user",
        "the user `undefined` has 328 of the 3,276 rows: a placeholder, no user?",
    ),
    "bot": (
        [row if i % 10 else {**row, "user": "u1"} for i, row in enumerate(log())],
        "busy_user",
        "the user `u1` has 340 of the 3,276 rows: a bot, or an id that many share?",
    ),
    "bot in rows that no goal looks at": (
        [{**row, "user": "crawler"} if row["event"] == "other" and i % 2 else row for i, row in enumerate(log())],
        "busy_user",
        "the user `crawler` has 280 of the 3,276 rows: a bot, or an id that many share?",
    ),
    "spreadsheet in rows that no goal looks at": (
        [{**row, "user": f"1.{i}E+17"} if row["event"] == "other" else row for i, row in enumerate(log())],
        "spreadsheet_ids",
        "560 rows have users such as `2.82E+18`: a spreadsheet cut the ids, and made one user of many",
    ),
    "ties": (
        [*log(), *({**row, "event": "buy"} for row in log()[:200] if row["event"] == "see")],
        "ties",
        "296 of 2,864 rows share user and time with another one, and their order is not known",
    ),
}


@pytest.mark.parametrize("name", LOUD)
def test_strange_logs_raise_their_doubt_alone(name: str) -> None:
    rows, code, message = LOUD[name]
    assert messages(rows) == [(code, message)]
    assert messages(rows[::-1]) == [(code, message)]


def test_only_text_of_the_length_of_a_name_is_taken_for_a_misspelled_one() -> None:
    pause = " " * (LONGEST_NAME - 3)
    names = {"see": f"s{pause}ee", "buy": f"b{pause} uy"}
    rows = [*log(), *({**row, "event": names[str(row["event"])]} for row in log()[:2])]
    assert [(code, message.endswith("`see`")) for code, message in messages(rows)] == [("near_event", True)]


def test_goals_and_steps_are_named_apart() -> None:
    (found,) = warnings(LOUD["no buys for days"][0])
    assert (found.goals, found.steps) == (("buy", "any"), (("shop", "buy"),))
    (found,) = warnings(LOUD["empty day"][0])
    assert (found.goals, found.steps) == ((), ())


def test_a_day_that_somebody_has_cut_is_no_doubt() -> None:
    noon = MONDAY + 20 * DAY + 12 * HOUR
    assert messages(log(), as_of=noon) == []
    assert messages(log(), until=noon) == []
    assert messages(log(), since=noon - 15 * DAY) == []


def test_days_outside_the_period_do_not_matter() -> None:
    gap = LOUD["empty day"][0]
    assert messages(gap, since=MONDAY + 12 * DAY) == []
    assert [code for code, _ in messages(gap, since=MONDAY + 2 * DAY)] == ["empty_days"]


def test_busy_users_of_few_are_no_doubt() -> None:
    assert messages([{**row, "user": f"u{i % 40}"} for i, row in enumerate(log()) if row["event"] != "other"]) == []


@pytest.mark.parametrize("case", ["placeholder", "bot", "bot in rows that no goal looks at"])
@pytest.mark.parametrize("batch", [100, 1_000])
def test_busy_users_are_the_same_whenever_they_come(monkeypatch: pytest.MonkeyPatch, case: str, batch: int) -> None:
    rows, code, message = LOUD[case]
    monkeypatch.setattr(queries, "BATCH", batch)
    assert (code, message) in messages(rows)
    assert (code, message) in messages(rows[::-1])


def test_session_goals_hold_for_all_events_and_look_at_none() -> None:
    goals = {**GOALS, "goals": {**GOALS["goals"], "long": {"kind": "secondary", "session_lasts": "5m"}}}
    rows = [*log(), *(row for row in log() if row["event"] == "other")]
    assert messages(rows, goals) == []

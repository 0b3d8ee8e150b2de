"""The counts behind the warnings, against plain Python."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.counting.repeats import Repeats, count_repeats
from microfunnel.events import SPREAD
from microfunnel.goals import Goal
from microfunnel.trust import noticing
from microfunnel.trust.busy import BusyUsers, Suspect
from microfunnel.trust.noticing import Noticed, Noticing, begins_with_figure

HOUR = 3_600_000_000
START = 1_790_000_000_000_000
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")
IDS = ("ann", "2.82E+18", "1E+12", "2.82E18", "12", "2820000000000000000", "", "x2.82E+18")
NAMED = {"goal:buy": Goal.model_validate({"kind": "macro", "match": {"event": ["buy", "pay"]}})}
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**64 - 1),
        st.integers(START, START + 400 * 24 * HOUR) | st.integers(START, START + 30 * HOUR),
        st.sampled_from(["buy", "pay", "see", "Buy"]),
    ).map(lambda row: (*row, IDS[row[0] % len(IDS)])),
    max_size=40,
)
Rows = Sequence[tuple[int, int, str, str]]


def frame(rows: Rows) -> pl.DataFrame:
    schema = {"user": pl.UInt64, "time": pl.Int64, "field:event": pl.String, "field:user": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(begins_with_figure())


def noticed(batches: Iterable[Rows], timezone: str = "UTC", last_possible: int | None = None) -> Noticed:
    own = Noticing(NAMED, timezone, last_possible=last_possible)
    for batch in batches:
        used = frame(batch)
        if used["time"].is_sorted():
            used = used.with_columns(pl.col("time").set_sorted())
        buys = pl.col("field:event").is_in(["buy", "pay"])
        own.take(used, used.filter(buys).with_columns(buys.alias("goal:buy")))
    return own.noticed()


def busy_users(rows: Rows, size: int) -> Mapping[int, Suspect | None]:
    own = BusyUsers(["goal:buy"])
    bought = pl.col("field:event") == "buy"
    for batch in frame(rows).with_columns(bought.alias("goal:buy")).iter_slices(size):
        own.take(batch, batch)
    return own.candidates


def moment(time: int, timezone: str) -> datetime:
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    return utc.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


@examples(100)
@given(ROWS, st.sampled_from(ZONES), st.integers(0, 40), st.booleans())
def test_days_and_names_are_those_of_a_slow_count(rows: Rows, timezone: str, cut: int, in_order: bool) -> None:  # noqa: FBT001
    rows = sorted(rows, key=lambda row: row[1]) if in_order else rows
    found = noticed([rows[:cut], rows[cut:]], timezone)
    times = defaultdict(list)
    for _, time, _, _ in rows:
        times[moment(time, timezone).date()].append(moment(time, timezone))
    assert found.days.rows() == [(day, len(own), min(own), max(own)) for day, own in sorted(times.items())]
    bought = [row for row in rows if row[2] in {"buy", "pay"}]
    by_day = Counter((moment(time, timezone).date(), event) for _, time, event, _ in bought)
    assert {(day, event): n for day, event, n in found.events_by_day.rows()} == by_day
    assert found.names == {event for _, _, event, _ in rows}
    assert found.spreadsheet_ids == sum(row[3] in {"2.82E+18", "1E+12", "2820000000000000000"} for row in rows)


@examples(100)
@given(ROWS, st.integers(START, START + 40 * HOUR))
def test_what_is_later_than_can_be_is_counted_and_left_out(rows: Rows, last: int) -> None:
    late = [time for _, time, _, _ in rows if time > last]
    found = noticed([rows], last_possible=last)
    assert (found.future, found.latest) == (len(late), max(late, default=None))
    assert found.days["n"].sum() == len(rows) - len(late)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_names_of_a_large_log_are_those_of_some_users_in_any_order(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(noticing, "ALL_ROWS", 100)
    rows = [(user, START, "buy" if user < noticing.SOME_USERS else "pay", "") for user in range(0, 2**64, 2**57)]
    for each in (rows, rows[::-1]):
        found = noticed(each[i : i + size] for i in range(0, len(each), size))
        assert found.names == {"buy"}
        assert found.events_by_day["n"].to_list() == [8]


def test_too_many_names_and_days_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticing, "MOST_NAMES", 3)
    monkeypatch.setattr(noticing, "MOST_SUMS", 3)
    rows = [(1, START + i * 24 * HOUR, f"event {i}", "") for i in range(4)]
    found = noticed([rows[:2], rows[2:]])
    assert (found.names, found.days.height) == (frozenset(), 0)
    assert noticed([rows[:3]]).days.height == 3


def test_many_batches_are_added_up() -> None:
    found = noticed([[(1, START, "buy", "ann")]] * 200)
    assert found.days["n"].to_list() == [200]


KEYS = st.integers(0, 2**64 - 1)


@examples(100)
@given(
    st.lists(KEYS, max_size=120),
    st.lists(st.tuples(KEYS, st.integers(1, 12)), max_size=4),
    st.integers(6, 60),
    st.randoms(use_true_random=False),
)
def test_busy_users_are_among_the_candidates(
    usual: list[int], busy: list[tuple[int, int]], size: int, chance: random.Random
) -> None:
    users = usual + [user for user, n in busy for _ in range(n)]
    chance.shuffle(users)
    buying = {user for user in users if chance.random() < 0.5}
    rows = [(user, START, "buy" if user in buying else "see", f"id of {user}") for user in users]
    found = busy_users(rows, size)
    counts = Counter(users)
    assert found.keys() >= {user for user, n in counts.items() if n * 20 > len(users)}
    batches = [users[: i + size] for i in range(0, len(users), size)]
    always = {user for user in found if all(each.count(user) * 20 > len(each) for each in batches)}
    assert {user for user, seen in found.items() if seen} == always
    for user, seen in found.items():
        columns = frozenset({"goal:buy"} if user in buying else ())
        assert seen in {None, Suspect(counts[user], columns, f"id of {user}")}


@pytest.mark.parametrize("size", [7, 1_000, 100_000])
def test_nobody_is_a_candidate_where_all_are_alike(size: int) -> None:
    rows = [(user * SPREAD % 2**64, START, "see", "") for user in range(20_001)]
    assert not busy_users(rows, size)


def test_few_users_are_all_usual() -> None:
    rows = [(user * SPREAD % 2**64, START, "see", "") for user in [*range(39), *[1] * 50]]
    assert not noticed([rows]).busy
    assert noticed([rows, [(99, START, "see", "")], [(98, START, "see", "")]]).busy == {
        SPREAD: Suspect(51, frozenset(), "")
    }


def test_who_is_busy_later_only_is_looked_at_again() -> None:
    rows = [(user * SPREAD % 2**64, START, "see", "") for user in range(41)]
    assert noticed([rows, [(SPREAD, START, "see", "")] * 50]).busy == {SPREAD: None}


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("ab"), st.booleans(), st.booleans()), max_size=40
)


@examples(100)
@given(EVENTS, st.integers(1, 4))
def test_repeats_are_those_of_a_slow_count(rows: list[tuple[int, int, str, bool, bool]], parts: int) -> None:
    schema = {"user": pl.UInt64, "time": pl.Int64, "field:x": pl.String, "p": pl.Boolean, "q": pl.Boolean}
    table = pl.DataFrame(rows, schema=schema, orient="row").sort("user", "time")
    found = Repeats.added([count_repeats(table.filter(pl.col("user") % parts == i), ["p", "q"]) for i in range(parts)])
    looked_at = [row for row in rows if row[3] or row[4]]
    instants = Counter((user, time) for user, time, *_ in looked_at)
    alike = Counter(looked_at)
    tied = [row for row in looked_at if instants[row[0], row[1]] > 1]
    assert found.rows == len(looked_at)
    assert found.ties == len(tied)
    assert found.duplicates == len(looked_at) - len(alike)
    assert found.tied == Counter(p=sum(row[3] for row in tied), q=sum(row[4] for row in tied)) + Counter()
    assert (
        found.doubled
        == Counter({name: sum(n - 1 for row, n in alike.items() if row[at]) for at, name in ((3, "p"), (4, "q"))})
        + Counter()
    )


def test_days_are_dates() -> None:
    (day,) = noticed([[(1, START, "buy", "")]]).days["day"]
    assert type(day) is date

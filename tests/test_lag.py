"""How long users take to a goal, counted user by user in plain Python; the curve as scipy and statsmodels have it."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from schemas import kept
from scipy.stats import CensoredData, ecdf
from statsmodels.duration.survfunc import SurvfuncRight
from strategies import START, examples
from user_logs import SECOND, table_of

from microfunnel.counting.counts import count
from microfunnel.counting.funnels import Limits
from microfunnel.counting.lags import Lags
from microfunnel.events import USER
from microfunnel.findings.lag import Bucket, LagFinding
from microfunnel.goals import Goals
from microfunnel.insights.lag import find_lag, question_of
from microfunnel.insights.survival import converted_by
from microfunnel.matching import conditions, match_goals
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.rendering import Screen
from microfunnel.rendering.grid import size
from microfunnel.rendering.lag import FORMATS
from microfunnel.results import PERCENTILES

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
Row = dict[str, Any]
GOALS = Goals.model_validate(
    {
        "version": 1,
        "events": {"session_timeout": "7h"},
        "goals": {
            "try": {"kind": "milestone", "match": {"event": ["t", "b"], "device": {"exists": True}}},
            "buy": {"kind": "macro", "match": {"event": "b"}},
        },
    }
)


def found(rows: Sequence[Row], start: str | None = None, period: Period | None = None) -> LagFinding:
    return find_lag(table_of(rows, GOALS, sessions=True), GOALS, "buy", start, period or Period())


# --- user by user -----------------------------------------------------------------------------------------------------


def sessions_of(rows: Sequence[Row], *, given_sessions: bool) -> list[Any]:
    """The session of each row of one user; rows are in order of time."""
    if given_sessions:
        return [row.get("session") for row in rows]
    number, sessions = 0, []
    for place, row in enumerate(rows):
        number += place > 0 and row["time"] - rows[place - 1]["time"] > 7 * HOUR
        sessions.append(number)
    return sessions


class Counted:
    """What became of each user, one after the other."""

    def __init__(self, rows: Sequence[Row], start: str | None, period: Period) -> None:
        users: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if period.as_of is None or row["time"] <= period.as_of:
                users[row["user"]].append(row)
        self.end = period.as_of if period.as_of is not None else max(row["time"] for row in rows)
        self.took: list[int] = []
        self.censored: list[int] = []
        self.sessions: Counter[int] = Counter()
        self.events: Counter[int] = Counter()
        given_sessions = any("session" in row for row in rows)
        for own in users.values():
            own.sort(key=lambda row: row["time"])
            self._count(own, sessions_of(own, given_sessions=given_sessions), start, period)

    def _count(self, rows: list[Row], sessions: list[Any], start: str | None, period: Period) -> None:
        def tries(row: Row) -> bool:
            return start is None or (row["event"] in "tb" and bool(row.get("device")))

        begun = next((row["time"] for row in rows if tries(row)), None)
        if begun is None or not (period.since or 0) <= begun < (period.until or 10**18):
            return
        done = next((row["time"] for row in rows if row["event"] == "b" and row["time"] >= begun), None)
        if done is None:
            self.censored.append(self.end - begun)
            return
        self.took.append(done - begun)
        way = [(row, visit) for row, visit in zip(rows, sessions, strict=True) if begun <= row["time"] <= done]
        before = [visit for row, visit in way if row["time"] < done]
        ends = [(row, visit) for row, visit in way if row["time"] == done and row["event"] == "b"]
        at_once = 1 if any(tries(row) for row, _ in ends) else 2
        self.events[at_once if begun == done else len(before) + 1] += 1
        last = {visit for _, visit in ends if visit is not None}
        if last:
            seen = {visit for visit in before if visit is not None}
            self.sessions[len(seen) + (not last & seen)] += 1


def type_7(values: Sequence[int]) -> dict[str, float]:
    if not values:
        return {}
    return {name: float(np.percentile(values, share * 100)) for name, share in PERCENTILES.items()}


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """A few users whose events lie some hours apart, or share an instant."""
    sessions = draw(st.booleans())
    rows: list[Row] = []
    for user in ["u1", "u2", "u3", "u4"][: draw(st.integers(1, 4))]:
        latest = draw(st.sampled_from([2, 12, 60]))
        for tick in draw(st.lists(st.integers(0, latest), min_size=1, max_size=10)):
            row: Row = {"user": user, "time": START + tick * 3 * HOUR, "event": draw(st.sampled_from("ppptb"))}
            if sessions:
                row["session"] = draw(st.sampled_from([None, f"{user}-1", f"{user}-2"]))
            rows.append(row | {"device": draw(st.sampled_from(["phone", None]))})
    return rows


@st.composite
def periods(draw: st.DrawFn) -> Period:
    moment = st.none() | st.integers(0, 60).map(lambda tick: START + tick * 3 * HOUR)
    return Period(draw(moment), draw(moment), draw(st.none() | moment))


@examples(120)
@given(logs(), st.sampled_from([None, "try"]), periods())
def test_lags_are_those_of_each_user(rows: list[Row], start: str | None, period: Period) -> None:
    result, counted = found(rows, start, period), Counted(rows, start, period)
    assert (result.users, result.converted) == (len(counted.took) + len(counted.censored), len(counted.took))
    assert (result.seconds.n, result.seconds.total_us) == (len(counted.took), sum(counted.took))
    assert result.seconds.percentiles == pytest.approx(type_7([each // SECOND for each in counted.took]))
    for steps, expected in ((result.sessions, counted.sessions), (result.acts, counted.events)):
        assert (steps.n, steps.total) == (expected.total(), sum(value * n for value, n in expected.items()))
        assert steps.percentiles == pytest.approx(type_7(list(expected.elements())))
        assert sum(bucket.users for bucket in steps.buckets) == steps.n
        for bucket in steps.buckets:
            assert bucket.users == sum(n for value, n in expected.items() if holds(bucket, value))
    days = Counter(each // DAY for each in counted.took)
    for bucket in result.days:
        assert bucket.users == sum(n for day, n in days.items() if holds(bucket, day))
    assert_same_curve(result, counted)


def holds(bucket: Bucket, value: int) -> bool:
    return bucket.low <= value and (bucket.high is None or value <= bucket.high)


def assert_same_curve(result: LagFinding, counted: Counted) -> None:
    took, censored = ([each // SECOND for each in some] for some in (counted.took, counted.censored))
    for age in result.curve:
        assert age.converted == sum(each < age.seconds for each in took)
        assert age.watched == sum(each >= age.seconds for each in (*took, *censored)) > 0
        assert age.share == pytest.approx(share_of_scipy(took, censored, age.seconds))
    longest = max((*took, *censored), default=0)
    assert len(result.curve) == (longest >= 3_600) + longest // 86_400


def share_of_scipy(took: Sequence[int], censored: Sequence[int], before: int) -> float:
    if not took:
        return 0.0
    data = CensoredData(uncensored=np.array(took, dtype=float), right=np.array(censored, dtype=float))
    return float(ecdf(data).cdf.evaluate(before - 0.5))


# --- the curve --------------------------------------------------------------------------------------------------------


def table(took: Sequence[int], censored: Sequence[int]) -> pl.DataFrame:
    n, lost = Counter(took), Counter(censored)
    seconds = sorted({*n, *lost})
    return pl.DataFrame(
        {"seconds": seconds, "n": [n[each] for each in seconds], "censored": [lost[each] for each in seconds]},
        schema=dict.fromkeys(("seconds", "n", "censored"), pl.Int64),
    )


ages = st.lists(st.integers(0, 30), max_size=40)


@examples(150)
@given(ages, ages)
def test_the_curve_is_that_of_scipy_and_statsmodels(took: list[int], censored: list[int]) -> None:
    curve = list(converted_by(table(took, censored), range(1, 40)))
    assert len(curve) == max((*took, *censored), default=0)
    if not curve or not took:
        assert all((age.share, age.interval) == (0, None) for age in curve)
        return
    data = CensoredData(uncensored=np.array(took, dtype=float), right=np.array(censored, dtype=float))
    left = ecdf(data).sf
    # Where nobody is left there is no interval, and scipy warns of that.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        band = left.confidence_interval(method="log-log")
    other = SurvfuncRight([*took, *censored], [1] * len(took) + [0] * len(censored))
    for age in curve:
        share = 1 - float(left.evaluate(age.seconds - 0.5))
        assert age.share == pytest.approx(share, abs=1e-12)
        until = [place for place, time in enumerate(other.surv_times) if time < age.seconds]
        assert age.share == pytest.approx(1 - other.surv_prob[until[-1]] if until else 0, abs=1e-12)
        if 0 < share < 1:
            low, high = (1 - float(end.evaluate(age.seconds - 0.5)) for end in (band.high, band.low))
            assert age.interval == pytest.approx((low, high), abs=1e-9)
        else:
            assert age.interval is None


def test_recent_users_do_not_pull_the_curve_down() -> None:
    """Every user converts on the third day; two of three came so late that nobody knows yet."""
    day = 86_400
    curve = list(converted_by(table([2 * day] * 10, [day] * 20 + [9 * day] * 10), [day, 2 * day, 3 * day]))
    assert [age.share for age in curve] == [0, 0, 0.5]
    assert (curve[-1].naive.value, curve[-1].too_recent) == (10 / 40, 20)


# --- edges ------------------------------------------------------------------------------------------------------------


def at(hours: float, event: str, user: str = "u", **fields: Any) -> Row:
    return {"user": user, "time": START + floor(hours * HOUR), "event": event, **fields}


def test_who_converts_with_the_first_event_took_no_time_one_session_and_one_event() -> None:
    result = found([at(0, "b"), at(5, "p")])
    assert (result.seconds.mean, result.sessions.mean, result.acts.mean) == (0, 1, 1)
    assert result.days[0].users == 1


def test_a_goal_before_the_start_does_not_count() -> None:
    rows = [at(0, "b"), at(1, "t", device="phone"), at(49, "b")]
    result = found(rows, "try")
    assert (result.converted, result.seconds.mean) == (1, 48 * 3600)
    assert found(rows[:2], "try").converted == 0


def test_sessions_are_counted_from_the_one_of_the_start() -> None:
    rows = [at(0, "p"), at(10, "t", device="phone"), at(20, "p"), at(21, "p"), at(22, "b"), at(40, "b")]
    assert found(rows, "try").sessions.mean == 2
    assert found(rows).sessions.mean == 3
    assert found(rows, "try").acts.mean == 4


@pytest.mark.parametrize(("since", "users"), [(0, 2), (1, 1), (100, 0)])
def test_the_period_chooses_who_started_in_it(since: int, users: int) -> None:
    rows = [at(0, "p"), at(5, "b"), at(5, "p", user="v"), at(50, "b", user="v")]
    result = found(rows, period=Period(since=START + since * HOUR))
    assert result.users == users
    assert result.seconds.mean == {2: 25 * 3600, 1: 45 * 3600, 0: None}[users]


def test_nobody() -> None:
    result = found([at(0, "p")], "try")
    assert (result.users, result.rate.value, result.curve, result.telling) == (0, None, (), None)


# --- sets of users ----------------------------------------------------------------------------------------------------


@examples(30)
@given(logs(), st.sampled_from([None, "try"]), st.randoms())
def test_lags_of_sets_of_users_in_any_order_add_up(rows: list[Row], start: str | None, chance: Any) -> None:
    named = conditions(GOALS)
    question = question_of(GOALS, "buy", start)
    frames = table_of(rows, GOALS)
    frame = frames.frame.with_columns(match_goals(named)).select(question.columns(frames, named)).collect()
    limits = Limits(None, None, START + 100 * DAY, GOALS.events.session_timeout)

    def ask(some: pl.DataFrame) -> Lags:
        return count(some, GOALS, named, limits, question.count, with_sessions=True).found

    whole = ask(frame)
    shuffled = frame[chance.sample(range(frame.height), frame.height)]
    parts = [ask(shuffled.filter(pl.col(USER) % 3 == part)) for part in range(3)]
    for what in ("ages", "sessions", "events"):
        assert_frame_equal(
            getattr(question.add(parts), what), getattr(whole, what), check_exact=True, check_row_order=False
        )


# --- shown ------------------------------------------------------------------------------------------------------------

SCREEN = Screen(80, colour=False, unicode=True)


def test_the_json_keeps_its_schema() -> None:
    rows = [at(0, "p"), at(50, "b"), at(0, "t", user="v", device="phone"), at(200, "p", user="v")]
    shown = kept("lag", FORMATS["json"](found(rows), SCREEN))
    assert (shown["users"], shown["converted"], shown["conversion_rate"], shown["from"]) == (2, 1, 0.5, None)
    assert shown["curve"][3] == {
        "age_seconds": 3 * 86_400,
        "share": 0.5,
        "share_low": pytest.approx(0.0896, abs=1e-4),
        "share_high": pytest.approx(0.9940, abs=1e-4),
        "naive_share": 0.5,
        "converted": 1,
        "watched": 1,
    }
    assert kept("lag", FORMATS["json"](found(rows[:1]), SCREEN))["seconds"]["median"] is None
    assert kept("lag", FORMATS["json"](found(rows, "try"), SCREEN))["from"] == "try"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit(width: int) -> None:
    rows = [at(each * 30, "bp"[each % 2], user=f"u{each % 7}", device="phone") for each in range(200)]
    shown = FORMATS["table"](found(rows), Screen(width, colour=False, unicode=True))
    assert max(map(size, shown.splitlines())) <= max(width, 60)


# --- the sample, and real exports -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "goal", "user"),
    [
        (str(ROOT / "sample_data" / "events.csv"), "purchase", "user_id"),
        (str(DATA / "clique_bait_events.csv.gz"), "Purchase", "user_id"),
        (str(DATA / "ecom.csv.gz"), "purchase", None),
    ],
    ids=["sample", "clique_bait", "ecom"],
)
def test_exports(name: str, goal: str, user: str | None) -> None:
    """Counted anew from what polars reads."""
    if not Path(name).exists():
        pytest.skip("the real exports are not on this machine")
    spec = {"kind": "macro", "match": {"event": goal}}
    columns = {} if user is None else {"columns": {"user": user}}
    goals = Goals.model_validate({"version": 1, "events": columns, "goals": {"buy": spec}})
    needed = question_of(goals, "buy", None).fields_needed
    request = Request([name], goals.events, needed, sessions=False)
    result, frame = read_events(
        request, None, lambda table: (find_lag(table, goals, "buy", None, Period()), table.frame.collect())
    )
    users: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for who, time, event in frame.select("user", "time", "field:event").iter_rows():
        users[who].append((time, event))
    end = max(time for events in users.values() for time, _ in events)
    took: list[int] = []
    censored: list[int] = []
    for events in users.values():
        begun = min(events)[0]
        done = min((time for time, event in events if event == goal), default=None)
        (censored if done is None else took).append(((end if done is None else done) - begun) // SECOND)
    assert (result.users, result.converted) == (len(users), len(took))
    assert result.converted > 100
    assert result.seconds.percentiles == pytest.approx(type_7(took))
    for age in result.curve:
        assert age.share == pytest.approx(share_of_scipy(took, censored, age.seconds))
    assert sum(bucket.users for bucket in result.days) == len(took)

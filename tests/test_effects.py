"""The effects of micro goals: every count against plain Python, every derived number against its definition."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference_effects import Counted, Times, effects_of
from reference_goals import time_of
from strategies import COUNTED_GOALS, PLAIN_GOALS, TICK, Log, examples, logs
from user_logs import log, table_of

from microfunnel.answering import answer
from microfunnel.counting.effects import EffectTallies
from microfunnel.errors import UsageError
from microfunnel.events import DUPLICATE_OF, USER, EventTable
from microfunnel.findings.effects import Effect, Effects, GoalEffect
from microfunnel.goals import Goals
from microfunnel.insights import effects as insight
from microfunnel.insights.effects import Search, choose_effects, find_effects
from microfunnel.questions import Period
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.goals_file import read_goals
from microfunnel.results import Rate
from microfunnel.significance import difference_interval, p_value, phi, q_values, ratio

ROOT = Path(__file__).parents[1]
MACROS: dict[str, dict[str, Any]] = {
    "d": {"kind": "macro", "match": {"event": "d"}, "value": {"column": "price"}},
    "two_c": {"kind": "macro", "match": {"event": "c"}, "at_least": 2, "value": 1.25},
    "free": {"kind": "macro", "match": {"event": "b"}},
}
FIELDS = ("event", "device", "order")
PLAIN = Times()


def file_of(goals: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": 1, "events": {"session_timeout": "0.5s"}, "goals": dict(goals)}


@st.composite
def times(draw: st.DrawFn, rows: Log) -> Times:
    """The period and the age, at an event or next to it."""
    near = st.builds(lambda row, ticks: time_of(row) + ticks * TICK, st.sampled_from(rows), st.integers(-1, 2))
    since, until, as_of = (draw(st.none() | st.none() | near) for _ in range(3))
    if since is not None and until is not None and since >= until:
        since = None
    landmark = draw(st.none() | st.integers(0, 8).map(lambda ticks: ticks * TICK))
    return Times(since, until, as_of, landmark)


Asked = tuple[Log, dict[str, Any], Times]


@st.composite
def questions(draw: st.DrawFn, *, counted: bool) -> Asked:
    """Only different times say which event fills a count."""
    rows = draw(logs(ties=not counted))
    goals = {**PLAIN_GOALS, **COUNTED_GOALS, **MACROS} if counted else {**PLAIN_GOALS, **MACROS}
    if not counted:
        del goals["two_c"]
    return rows, file_of(goals), draw(times(rows))


def tallies_of(rows: Log, file: Mapping[str, Any], asked: Times, table: EventTable | None = None) -> EffectTallies:
    goals = Goals.model_validate(file)
    wish = choose_effects(goals, [], asked.landmark, Search(FIELDS[1:]))
    question = insight._question(wish, FIELDS[1:])
    period = Period(asked.since, asked.until, asked.as_of)
    return answer(table or table_of(rows, goals), question, period).found


def effects_found(rows: Log, file: Mapping[str, Any], asked: Times = PLAIN, search: Search | None = None) -> Effects:
    goals = Goals.model_validate(file)
    wish = choose_effects(goals, [], asked.landmark, search)
    return find_effects(table_of(rows, goals), wish, Period(asked.since, asked.until, asked.as_of))


def assert_counted(found: EffectTallies, expected: Mapping[str, Counted]) -> None:
    for row in found.macros.iter_rows(named=True):
        wanted = expected[row["macro"]]
        assert (row["users"], row["converted"], row["early"], row["young"]) == (
            wanted.users,
            wanted.converted,
            wanted.early,
            wanted.young,
        )
        assert row["value"] == wanted.value * 1_000_000
    assert set(found.macros["macro"]) == set(expected)
    for macro, wanted in expected.items():
        counts = {
            row["name"] if row["field"] is None else (row["field"], row["name"]): (
                row["done"],
                row["exposed"],
                row["followed"],
            )
            for row in found.exposures.filter(pl.col("macro") == macro).iter_rows(named=True)
        }
        assert counts == {key: (n, wanted.exposed[key], wanted.followed[key]) for key, n in wanted.done.items()}


@examples(60)
@given(questions(counted=False))
def test_counts_are_those_of_plain_python(asked: Asked) -> None:
    assert_counted(tallies_of(*asked), effects_of(*asked, FIELDS))


@examples(60)
@given(questions(counted=True))
def test_counts_of_goals_that_take_several_events(asked: Asked) -> None:
    assert_counted(tallies_of(*asked), effects_of(*asked, FIELDS))


@examples(40)
@given(questions(counted=True))
def test_without_candidates_only_the_events_of_goals_are_kept_and_the_counts_are_the_same(asked: Asked) -> None:
    rows, file, when = asked
    few = {name: goal for name, goal in file["goals"].items() if name in {"a", "d", "free"}}
    found = effects_found(rows, file_of(few), when)
    for macro in found.macros:
        wanted = effects_of(rows, file_of(few), when)[macro.macro]
        assert macro.conversion == Rate(wanted.converted, wanted.users)
        assert (macro.early, macro.young) == (wanted.early, wanted.young)
        (goal,) = macro.goals
        assert goal.effect.followed == Rate(wanted.followed["a"], wanted.exposed["a"])
        assert goal.effect.done == wanted.done["a"]
        if when.landmark is None:
            assert macro.conversion.whole + macro.early == found.events.users


@examples(25)
@given(questions(counted=False), st.integers(2, 4))
def test_tallies_of_sets_of_users_add_up(asked: Asked, parts: int) -> None:
    rows, file, when = asked
    table = table_of(rows, Goals.model_validate(file))
    # The end of the data is that of all.
    when = replace(when, as_of=when.as_of if when.as_of is not None else max(map(time_of, rows)))
    whole = tallies_of(rows, file, when, table)
    pieces = [replace(table, frame=table.frame.filter(pl.col(USER) % parts == part)) for part in range(parts)]
    found = [tallies_of(rows, file, when, piece) for piece in pieces]
    for added in (EffectTallies.added(found), EffectTallies.added(found[::-1])):
        assert_frame_equal(added.macros, whole.macros, check_row_order=False, check_exact=True)
        assert_frame_equal(added.exposures, whole.exposures, check_row_order=False, check_exact=True)


@examples(20)
@given(questions(counted=False), st.randoms())
def test_the_order_of_rows_changes_nothing(asked: Asked, chance: Any) -> None:
    rows, file, when = asked
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert effects_found(shuffled, file, when) == effects_found(rows, file, when)


# --- numbers made of counts -------------------------------------------------------------------------------------------


def shop(bought: int, others: int, *, liked: int, liked_others: int, price: str = "10") -> Log:
    """So many users who bought and others, of whom so many liked something first."""
    rows: Log = []
    for number in range(bought + others):
        buys = number < bought
        likes = number < liked or bought <= number < bought + liked_others
        rows += log("v" + ("l" if likes else ".") + ("b" if buys else "."), user=f"u{number}", price=price)
    return rows


SHOP = file_of(
    {
        "seen": {"kind": "milestone", "match": {"event": "v"}},
        "liked": {"kind": "secondary", "match": {"event": "l"}},
        "never": {"kind": "secondary", "match": {"event": "x"}},
        "bought": {"kind": "macro", "match": {"event": "b"}, "value": {"column": "price"}},
    }
)


def the_goals(found: Effects) -> dict[str, GoalEffect]:
    (macro,) = found.macros
    return {each.goal: each for each in macro.goals}


def test_the_numbers_of_an_effect() -> None:
    found = effects_found(shop(40, 160, liked=20, liked_others=30, price="0.10"), SHOP)
    effect = the_goals(found)["liked"].effect
    one, other = Rate(20, 50), Rate(20, 150)
    assert (effect.followed, effect.without, effect.done) == (one, other, 50)
    assert effect.difference == pytest.approx(0.4 - 20 / 150)
    assert effect.interval == difference_interval(one, other)
    assert effect.ratio == ratio(one, other)
    assert effect.phi == phi(one, other)
    assert (effect.recall, effect.reach) == (Rate(20, 40), Rate(50, 200))
    assert effect.expected_value == float(Fraction(20, 50) * Fraction(1, 10))
    assert effect.incremental_value == float((Fraction(20, 50) - Fraction(20, 150)) * Fraction(1, 10))
    assert effect.p == p_value(one, other)
    assert effect.q == q_values([effect.p, None])[0]
    (macro,) = found.macros
    assert macro.mean_value == 0.1
    assert macro.best is not None
    assert macro.best.goal == "liked"


def test_all_completions_of_the_converted_are_worth_something() -> None:
    rows = [*log("vlbb", price="0.1"), *log("vb", user="w", price="0.7"), *log("vl", user="x", price="9")]
    (macro,) = effects_found(rows, SHOP).macros
    assert macro.mean_value == 0.45
    assert macro.value == 900_000


def test_a_milestone_of_all_converted_is_structural_and_not_tested() -> None:
    goals = the_goals(effects_found(shop(40, 60, liked=40, liked_others=5), SHOP))
    seen, liked, never = goals["seen"], goals["liked"], goals["never"]
    assert seen.structural
    assert (seen.effect.p, seen.effect.q) == (None, None)
    assert not liked.structural, "a sign of interest is none of the steps"
    assert liked.effect.q == liked.effect.p, "the structural goal is no part of the family"
    assert never.effect == Effect(0, Rate(0, 0), Rate(40, 100), 400_000_000, None, None)
    assert never.effect.difference is None


def test_a_step_that_not_all_took_is_tested() -> None:
    rows = [*shop(40, 60, liked=5, liked_others=5), *log("lb", user="straight on")]
    assert not the_goals(effects_found(rows, SHOP))["seen"].structural
    assert the_goals(effects_found(rows, SHOP))["seen"].effect.q is not None


def test_nobody_converted() -> None:
    found = effects_found(shop(0, 30, liked=0, liked_others=5), SHOP)
    (macro,) = found.macros
    assert (macro.mean_value, macro.best) == (None, None)
    assert not any(each.structural or each.effect.p is not None for each in macro.goals)


def test_only_what_comes_before_counts() -> None:
    drawings = {"before": "vlb", "at once": "v(lb)", "after": "vbl", "never": "vl", "not": "vb"}
    effect = the_goals(effects_found([row for user, each in drawings.items() for row in log(each, user)], SHOP))
    assert effect["liked"].effect.followed == Rate(1, 2)
    assert effect["liked"].effect.without == Rate(3, 3)
    assert effect["liked"].effect.done == 4


def test_who_converts_with_the_first_event_has_nothing_before_it() -> None:
    rows = [*log("bl", "at the first"), *log("(vb)", "at the first, too"), *log("vb", "later"), *log("v", "never")]
    (macro,) = effects_found(rows, SHOP).macros
    assert macro.conversion == Rate(1, 2)
    assert (macro.early, macro.young) == (2, 0)


def test_a_part_of_the_macro_goal_is_never_before_it() -> None:
    goals = SHOP["goals"] | {"large": {"kind": "secondary", "match": {"event": "b", "price": {"gte": 5}}}}
    found = the_goals(effects_found(shop(40, 60, liked=3, liked_others=3), file_of(goals)))
    assert found["large"].effect.followed == Rate(0, 0)
    assert found["large"].effect.done == 40


def test_at_the_landmark_only_who_had_not_converted_is_compared() -> None:
    drawings = {
        "liked, bought later": "vl.b",
        "liked at the very age": "v.lb",
        "liked too late": "v..lb",
        "bought at the very age": "vlb",
        "never": "v.....",
        "liked": "vl....",
    }
    rows = [row for user, each in drawings.items() for row in log(each, user)]
    rows += [row | {"user": "young", "time": time_of(row) + 3_000_000} for row in log("v")]
    rows += [row | {"user": "old enough", "time": time_of(row) + 2_000_000} for row in log("v")]
    (macro,) = effects_found(rows, SHOP, Times(landmark=2_000_000)).macros
    assert (macro.early, macro.young) == (1, 1)
    assert macro.conversion == Rate(3, 6)
    liked = next(each.effect for each in macro.goals if each.goal == "liked")
    assert (liked.followed, liked.without) == (Rate(2, 3), Rate(1, 3))


def test_several_macro_goals_are_one_family_of_tests() -> None:
    rows = shop(40, 160, liked=20, liked_others=30)
    goals = SHOP["goals"] | {"also": {"kind": "macro", "match": {"event": ["b", "l"]}}}
    found = effects_found(rows, file_of(goals))
    assert [macro.macro for macro in found.macros] == ["bought", "also"]
    effects = [each.effect for macro in found.macros for each in macro.goals]
    assert [each.q for each in effects] == q_values([each.p for each in effects])
    assert not {each.goal for macro in found.macros for each in macro.goals} & {"bought", "also"}


@pytest.mark.parametrize(
    ("macros", "kinds", "message"),
    [
        (["seen"], None, "--macro: `seen` is a milestone goal, not a macro goal; expected `bought`"),
        (["bougth"], None, "--macro: no macro goal is called `bougth`; did you mean `bought`?"),
        ([], "macro", "all goals of the goals file are macro goals, and none is compared with itself"),
        ([], "secondary", "no goal of the goals file is a macro goal; what you hope for needs `kind: macro`"),
    ],
)
def test_what_cannot_be_compared_is_refused(macros: Sequence[str], kinds: str | None, message: str) -> None:
    goals = {name: goal | ({"kind": kinds} if kinds else {}) for name, goal in SHOP["goals"].items()}
    with pytest.raises(UsageError) as refused:
        choose_effects(Goals.model_validate(file_of(goals)), macros, None, None)
    assert refused.value.problems == (message,)


# --- candidates -------------------------------------------------------------------------------------------------------


def test_candidates_are_what_no_goal_asks_for() -> None:
    """Ranked by effect and reach; those of few users, and those that all converted had done, are not tested."""
    rows: Log = []
    for number in range(400):
        drawing = "v" + ("w" if number % 2 else "") + ("r" if number < 5 else "") + ("s" if number % 3 else "")
        buys = number % 2 and number % 5
        rows += log(drawing + ("cb" if buys else ""), f"u{number}", device="phone" if number % 2 else "tv", order="1")
    goals = {"bought": SHOP["goals"]["bought"], "seen": SHOP["goals"]["seen"]}
    found = effects_found(rows, file_of(goals), search=Search(("device", "order"), top=3))
    (macro,) = found.macros
    assert macro.candidates is not None
    assert macro.candidates.least == 20
    labels = [(each.field, each.value) for each in macro.candidates.shown]
    # `w`, `c` and `phone` are before every purchase, all have order 1, five did `r`, and `v` is a goal.
    assert labels == [("device", "tv"), ("event", "s")]
    assert {(each.field, each.value) for each in macro.candidates.untested} == {
        ("event", "w"),
        ("event", "c"),
        ("device", "phone"),
    }
    assert macro.candidates.tested == 2
    tv, search = macro.candidates.shown
    assert tv.effect.is_found
    assert not tv.is_worth_a_goal
    assert not search.effect.is_found
    assert [tv.effect.q, search.effect.q] == q_values([tv.effect.p, search.effect.p])


def test_what_is_not_shown_is_a_part_of_the_family() -> None:
    rows = [row for number in range(300) for row in log(some_events(number), f"u{number}")]
    goals = {"bought": SHOP["goals"]["bought"]}
    all_of_them, best = (effects_found(rows, file_of(goals), search=Search(("device",), top)) for top in (50, 1))
    (every,), (first,) = all_of_them.macros, best.macros
    assert every.candidates is not None
    assert first.candidates is not None
    assert every.candidates.tested == first.candidates.tested == len(every.candidates.shown) > 3
    assert first.candidates.shown == every.candidates.shown[:1]
    weights = [each.weight for each in every.candidates.shown if each.effect.is_found]
    assert weights == sorted(weights, reverse=True)
    shown = every.candidates.shown
    assert [each.effect.q for each in shown] == pytest.approx(q_values([each.effect.p for each in shown]))
    assert all(one.effect.is_found >= other.effect.is_found for one, other in pairwise(shown))


def some_events(number: int) -> str:
    likes = number % 3 == 0
    return (
        "v"
        + "".join(letter for place, letter in enumerate("efghi") if number >> place & 1)
        + "lb"[: likes + (number % 4 < likes * 3)]
    )


@pytest.mark.parametrize(
    ("goal", "alone"),
    [
        ({"match": {"event": "a"}}, ("event", "a")),
        ({"match": {"event": ["a"]}}, ("event", "a")),
        ({"match": {"device": {"in": ["tv"]}}}, ("device", "tv")),
        ({"match": {"event": ["a", "b"]}}, None),
        ({"match": {"event": "a", "device": "tv"}}, None),
        ({"match": {"event": "a"}, "at_least": 2}, None),
        ({"match": {"event": {"not": "a"}}}, None),
        ({"match": {"event": {"in": ["a"], "contains": "a"}}}, None),
        ({"match": {"any": [{"event": "a"}]}}, None),
        ({"match": {"event": "a", "not": {"device": "tv"}}}, None),
        ({"match": "any"}, None),
        ({"session_lasts": "5m"}, None),
    ],
)
def test_what_a_goal_asks_for_alone(goal: Mapping[str, Any], alone: tuple[str, str] | None) -> None:
    goals = Goals.model_validate(file_of({"g": {"kind": "secondary", **goal}}))
    assert insight._alone(goals.goals["g"]) == alone


# --- the sample -------------------------------------------------------------------------------------------------------


def of_the_sample(landmark: int | None = None, search: Search | None = None, **goals: Mapping[str, Any]) -> Effects:
    goals_file = read_goals(ROOT / "goals.example.yaml")
    if goals:
        goals_file = Goals.model_validate(
            {"version": 1, "goals": {"purchase": {"kind": "macro", "match": {"event": "purchase"}}, **goals}}
        )
    wish = choose_effects(goals_file, [], landmark, search)
    path = str(ROOT / "sample_data" / "events.csv")
    request = Request(
        [path], goals_file.events, wish.fields_needed, goals_file.need_sessions, discover=search is not None
    )
    return read_events(request, None, lambda table: find_effects(table, wish, Period()))


def test_small_steps_go_with_large_ones_where_all_are_of_one_age() -> None:
    """What is planted: who signs up or fills a wish list buys more often; but most do so only after a purchase."""
    small = {"kind": "secondary", "match": {"event": ["newsletter_signup", "wishlist_add"]}}
    signed = {"kind": "secondary", "match": {"event": "newsletter_signup"}}
    plain, aged = (the_goals(of_the_sample(age, small=small, signed=signed)) for age in (None, 3 * 86_400_000_000))
    assert plain["small"].effect.done == 737
    assert plain["small"].effect.converted == 455
    assert plain["small"].effect.difference is not None
    assert plain["small"].effect.difference < 0
    for goal in ("small", "signed"):
        assert aged[goal].effect.is_found
        assert aged[goal].effect.at_least > 0


def test_variants_and_devices_of_the_sample_are_found() -> None:
    (macro,) = of_the_sample(search=Search()).macros
    assert macro.candidates is not None
    found = {each.value: each for each in macro.candidates.shown}
    assert found["B"].is_worth_a_goal
    assert found["desktop"].is_worth_a_goal
    assert found["email"].is_worth_a_goal
    assert found["mobile"].effect.is_found
    assert not found["mobile"].is_worth_a_goal
    assert {each.field for each in macro.candidates.shown} == {"event", "device", "channel", "variant"}


def test_rows_that_stand_there_twice_count_once() -> None:
    rows = shop(40, 160, liked=20, liked_others=30)
    goals = Goals.model_validate(SHOP)
    table = table_of(rows, goals)
    wish = choose_effects(goals, [], None, None)
    keyed = table.frame.with_row_index("n").with_columns(pl.col("n").cast(pl.UInt64).alias(DUPLICATE_OF)).drop("n")
    twice = replace(table, frame=pl.concat([keyed, keyed]))
    assert find_effects(twice, wish, Period()).macros == find_effects(table, wish, Period()).macros


@pytest.mark.parametrize("landmark", [None, 1_000_000])
def test_the_first_event_in_the_period_is_what_users_are_known_by(landmark: int | None) -> None:
    """No goal looks at it, and an earlier event of the user lies outside."""
    drawings = {"comes back": "c..c.v", "only before": "c", "only later": ".....c", "after the period": "........c"}
    rows = [row for user, each in drawings.items() for row in log(each, user)]
    start = min(map(time_of, rows))
    when = Times(start + 2_000_000, start + 6_000_000, None, landmark)
    (macro,) = effects_found(rows, SHOP, when).macros
    assert macro.conversion.whole + macro.young == 2
    assert macro.young == (0 if landmark is None else 1)
    seen = next(each.effect for each in macro.goals if each.goal == "seen")
    assert seen.followed.whole == (1 if landmark is None else 0)
    assert seen.done == 1

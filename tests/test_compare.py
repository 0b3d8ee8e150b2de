"""Comparisons: the counts beside the reference, the statistics beside scipy and statsmodels, and planted truths."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import NO_LIMITS, Counting, count_funnel, rule_of, units_of
from reference_goals import micros, time_of
from reference_rule import Journey, Limits
from scipy.stats import chi2_contingency, fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep
from strategies import PLAIN_GOALS, START, TICK, Log, examples, goals_file, logs, whole_funnels
from user_logs import table_of

from microfunnel.answering import answer
from microfunnel.counting.compared import SEVERAL, tally_periods, tally_variants
from microfunnel.counting.counts import count
from microfunnel.counting.funnels import Limits as CountingLimits
from microfunnel.counting.tallies import Tallies
from microfunnel.errors import InputError
from microfunnel.events import USER
from microfunnel.findings.compare import Difference, Experiment, VariantsFinding
from microfunnel.goals import Goals
from microfunnel.insights.compare import (
    compare_periods,
    compare_segments,
    compare_sets,
    compare_variants,
    count_set,
    question_of_variants,
)
from microfunnel.matching import conditions
from microfunnel.questions import Period, Question
from microfunnel.reading.events import Request, read_events
from microfunnel.results import Rate, Totals

SAMPLE = Path(__file__).parents[1] / "sample_data"
WINDOW = START + 8 * TICK


@st.composite
def comparable(draw: st.DrawFn, *, optional: bool = True) -> tuple[Log, dict[str, Any]]:
    """A log, and a goals file with a funnel that can be compared."""
    funnel = draw(whole_funnels(list(PLAIN_GOALS)).filter(lambda each: each["count"] != "attempts"))
    if not optional:
        funnel["steps"] = [each for each in funnel["steps"] if not each.get("optional")]
    return draw(logs()), goals_file(funnel | {"by": []})


def checked(file: Mapping[str, Any]) -> Goals:
    return Goals.model_validate(file)


def journeys_of(rows: Log, file: Mapping[str, Any], limits: Limits = NO_LIMITS) -> dict[Any, Journey]:
    return {unit: journey for unit, (journey,) in count_funnel(rows, file, "f", limits).journeys.items()}


def counting_of(rows: Log, file: Mapping[str, Any]) -> Counting:
    funnel, timeout = file["funnels"]["f"], micros(file["events"]["session_timeout"])
    rule = rule_of(funnel, file["goals"], rows, timeout, NO_LIMITS)
    return Counting(rows, rule, units_of(rule, rows, timeout), timeout, max(map(time_of, rows)))


def reached(journeys: Sequence[Journey], steps: int) -> list[int]:
    return [sum(place in each.taken for each in journeys) for place in range(steps)]


def counts(totals: Totals) -> tuple[int, list[int]]:
    return totals.entered, [step.reached for step in totals.steps]


# --- variants ---------------------------------------------------------------------------------------------------------


@examples(40)
@given(comparable())
def test_units_are_of_the_one_variant_that_they_saw(case: tuple[Log, dict[str, Any]]) -> None:
    rows, file = case
    goals, counting = checked(file), counting_of(rows, file)
    seen = {
        unit: {str(rows[row]["device"]) for row in of_unit if rows[row]["device"]}
        for unit, of_unit in counting.units.items()
    }
    groups: dict[str | None, list[Journey]] = {"phone": [], SEVERAL: [], None: []}
    for unit, journey in journeys_of(rows, file).items():
        name = SEVERAL if len(seen[unit]) > 1 else next(iter(seen[unit]), None)
        groups.setdefault(name, []).append(journey)
    if len(groups) > 3 and not groups["phone"]:
        with pytest.raises(InputError, match="no unit that entered saw the control `phone`"):
            compare_variants(table_of(rows, goals), goals, Experiment("device", "phone"), Period())
        return
    found = compare_variants(table_of(rows, goals), goals, Experiment("device", "phone"), Period())
    steps = len(counting.rule.steps)
    expected = {name: (len(group), reached(group, steps)) for name, group in groups.items()}
    assert counts(found.several) == expected.pop(SEVERAL)
    assert counts(found.without) == expected.pop(None)
    if file["funnels"]["f"]["order"] == "any":
        # There the steps are "any 1 of", and the reference knows them by the order in which they were taken.
        assert {each.name: each.totals.entered for each in found.variants} == {
            name: entered for name, (entered, _) in expected.items()
        }
    else:
        assert {each.name: counts(each.totals) for each in found.variants} == expected
    everybody = [*(each.totals for each in found.variants), found.several, found.without]
    assert sum(each.entered for each in everybody) == found.funnel.totals.entered
    assert sum(each.converted for each in everybody) == found.funnel.totals.converted
    assert found.variants[0].name == "phone"


def test_what_was_seen_outside_the_period_counts_and_what_comes_after_as_of_does_not() -> None:
    rows: Log = [
        {"user": "u", "time": START, "event": "z", "device": "A"},
        {"user": "u", "time": START + 10, "event": "a", "device": None},
        {"user": "u", "time": START + 11, "event": "b", "device": None},
        {"user": "u", "time": START + 20, "event": "z", "device": "B"},
    ]
    goals = checked(goals_file({"steps": ["a", "b"]}))
    experiment = Experiment("device", "A")
    inside = Period(START + 5, START + 15)
    found = compare_variants(table_of(rows, goals), goals, Experiment("device", "A", {"A": 1, "B": 1}), inside)
    assert found.several.entered == 1
    found = compare_variants(table_of(rows, goals), goals, experiment, replace(inside, as_of=START + 15))
    assert counts(found.control.totals) == (1, [1, 1])


def assert_tested(differences: Sequence[Difference]) -> None:
    """All of them tested together."""
    known = [each for each in differences if each.p is not None]
    if known:
        expected = multipletests([each.p for each in known], method="fdr_bh")[1]
        assert [each.q for each in known] == pytest.approx(list(expected))
    for each in differences:
        one, other = each.rate, each.other
        if each.p is None:
            assert each.q is None
            assert not (one.whole and other.whole) or one.part + other.part in {0, one.whole + other.whole}
            continue
        table = [[one.part, one.whole - one.part], [other.part, other.whole - other.part]]
        tests = (chi2_contingency(table, correction=False)[1], fisher_exact(table)[1])
        assert any(each.p == pytest.approx(p) for p in tests)
        ends = confint_proportions_2indep(
            one.part, one.whole, other.part, other.whole, compare="diff", method="newcomb"
        )
        assert each.interval == pytest.approx(ends, abs=1e-9)
        assert each.value == pytest.approx(one.part / one.whole - other.part / other.whole)


def experiment_log(seed: int, rates: Mapping[str, float], n: int = 400, both: int = 0) -> Log:
    """Users who enter, each with a variant by chance, and convert at its rate; some see a second variant."""
    chance, rows = random.Random(seed), Log()
    for number in range(n):
        variant = chance.choice(sorted(rates))
        at: dict[str, str | int | None] = {"user": f"u{number}", "time": START + number}
        rows.append({**at, "event": "a", "device": variant})
        if chance.random() < rates[variant]:
            rows.append({**at, "time": START + number + 5, "event": "b", "device": variant})
        if number < both:
            rows.append({**at, "time": START + number + 9, "event": "z", "device": "other"})
    return rows


def of_test(rows: Log, control: str = "A", **split: float) -> VariantsFinding:
    goals = checked(goals_file({"steps": ["a", "b"], "window": "none"}))
    return compare_variants(table_of(rows, goals), goals, Experiment("device", control, split or None), Period())


def test_a_planted_effect_is_found_and_users_who_saw_two_variants_are_apart() -> None:
    rates = {"A": 0.3, "B": 0.5, "C": 0.3}
    found = of_test(experiment_log(1, rates, 1500, both=12))
    assert [each.name for each in found.variants] == ["A", "B", "C"]
    assert (found.several.entered, found.without.entered) == (12, 0)
    b, c = found.variants[1:]
    assert b.differences[-1].is_found
    assert not c.differences[-1].is_found
    assert_tested([*b.differences, *c.differences])
    low, high = b.differences[-1].interval or (0, 0)
    assert low < 0.2 < high
    assert not found.is_mismatched
    assert [each.share for each in found.variants] == [1 / 3] * 3


def test_no_effect_is_hardly_ever_found() -> None:
    found = [of_test(experiment_log(seed, {"A": 0.3, "B": 0.3}, 300)).variants[1].differences[-1] for seed in range(40)]
    assert sum(each.is_found for each in found) <= 5
    assert sum((each.interval or (1, 1))[0] <= 0 <= (each.interval or (0, 0))[1] for each in found) >= 35


def test_a_split_that_is_off_is_warned_of() -> None:
    rows = [row for row in experiment_log(3, {"A": 0.3, "B": 0.3}, 2000) if row["device"] == "A" or hash_of(row) % 4]
    found = of_test(rows)
    assert found.is_mismatched
    (warning,) = [each for each in found.events.warnings if each.warning == "sample_ratio"]
    assert "do not trust the comparison" in warning.message
    assert not of_test(rows, A=4, B=3).is_mismatched


def hash_of(row: Mapping[str, Any]) -> int:
    return int(str(row["user"])[1:])


def test_a_variant_of_the_split_that_nobody_saw_is_there() -> None:
    found = of_test(experiment_log(3, {"A": 0.3, "B": 0.3}), A=1, B=1, C=1)
    assert found.variants[2].totals.entered == 0
    assert found.is_mismatched
    with pytest.raises(InputError, match="--split does not say which share of the units is meant to see `B`"):
        of_test(experiment_log(3, {"A": 0.3, "B": 0.3}), A=1, C=1)


def test_a_column_of_many_values_is_no_variant() -> None:
    rows = [row | {"device": f"v{hash_of(row) % 21}"} for row in experiment_log(3, {"A": 0.3})]
    with pytest.raises(InputError, match="has 21 values"):
        of_test(rows, "v1")


def test_sessions_are_said_to_be_dependent() -> None:
    goals = checked(goals_file({"steps": ["a", "b"], "count": "sessions"}))
    rows = experiment_log(3, {"A": 0.3, "B": 0.3}, 50)
    found = compare_variants(table_of(rows, goals), goals, Experiment("device", "A"), Period())
    assert [each.warning for each in found.events.warnings if each.warning == "dependent_units"]


# --- periods ----------------------------------------------------------------------------------------------------------


@examples(30)
@given(comparable(optional=False))
def test_each_period_is_counted_as_if_it_were_the_only_one(case: tuple[Log, dict[str, Any]]) -> None:
    rows, file = case
    file["funnels"]["f"]["by"] = ["device"]
    goals, counting = checked(file), counting_of(rows, file)
    limits = Limits(START, WINDOW), Limits(WINDOW, None)
    found = compare_periods(table_of(rows, goals), goals, (Period(START, WINDOW), Period(WINDOW, None)))
    sides = [journeys_of(rows, file, each) for each in limits]
    assert found.both == len(set(sides[0]) & set(sides[1]))
    for side, journeys, limit in zip((found.before, found.after), sides, limits, strict=True):
        closed = [each for each in journeys.values() if each.closes is None or each.closes <= counting.data_end]
        converted = sum(each.missed is None for each in closed)
        assert (side.entered, side.still_open) == (len(journeys), len(journeys) - len(closed))
        assert side.compared.conversion == Rate(converted, len(closed))
        tally = count_funnel(rows, file, "f", limit).total
        if tally.matured is not None:
            assert (converted, len(closed)) == tally.matured
    assert_tested(found.differences)
    wholes = [side.compared.conversion for side in (found.before, found.after)]
    if found.segments:
        for whole, parts in zip(
            wholes, zip(*((each.before, each.after) for each in found.segments), strict=True), strict=True
        ):
            assert (sum(each.part for each in parts), sum(each.whole for each in parts)) == (whole.part, whole.whole)
        assert found.mix is not None
        assert found.rate is not None
        assert found.mix + found.rate == Fraction(wholes[1].part, wholes[1].whole) - Fraction(
            wholes[0].part, wholes[0].whole
        )
    else:
        assert not all(whole.whole for whole in wholes)


def test_two_sets_of_files_are_compared_like_two_periods_of_other_users() -> None:
    goals = checked(goals_file({"steps": ["a", "b"], "window": "1s", "by": "device"}))
    older = experiment_log(1, {"A": 0.3, "B": 0.5}, 200)
    newer = [row | {"user": f"n{row['user']}", "time": time_of(row) + 10**9} for row in experiment_log(2, {"A": 0.6})]
    turn = START + 10**8
    ends: Log = [{"user": "x", "time": START + 2 * 10**9, "event": "z"}]
    everything = table_of([*older, *newer, *ends], goals)
    apart = compare_periods(everything, goals, (Period(until=turn), Period(since=turn)))
    before, after = (count_set(table_of([*rows, *ends], goals), goals, Period()) for rows in (older, newer))
    found = compare_sets(before, after, goals, Period())
    assert found.both is None
    assert found.before.compared.conversion.whole == 200
    assert [each.before for each in found.segments] == [each.before for each in apart.segments]
    assert found.conversion.other == apart.conversion.other
    assert found.mix is not None


# --- segments ---------------------------------------------------------------------------------------------------------


@examples(30)
@given(comparable(), st.sampled_from(["entry", "first", "last"]), st.integers(1, 3))
def test_each_segment_is_beside_all_other_units(case: tuple[Log, dict[str, Any]], value: str, top: int) -> None:
    rows, file = case
    file["funnels"]["f"]["by"] = {"column": "device", "value": value, "top": top}
    goals = checked(file)
    found = compare_segments(table_of(rows, goals), goals, Period())
    expected = count_funnel(rows, file, "f")
    (groups,) = expected.segments.values() if expected.segments else ({},)
    required = [place for place, step in enumerate(file["funnels"]["f"]["steps"]) if not is_optional(step)]
    assert {each.by["device"] for each in found.segments} == set(groups)
    for each in found.segments:
        others = [tally for name, tally in groups.items() if name != each.by["device"]]
        own = groups[each.by["device"]]
        assert each.conversion.rate == Rate(own.reached[required[-1]], own.entered)
        assert each.conversion.other == Rate(
            sum(tally.reached[required[-1]] for tally in others), sum(tally.entered for tally in others)
        )
    assert_tested([each.conversion for each in found.segments])
    warned = [each for each in found.events.warnings if each.warning == "value_after_entry"]
    assert bool(warned) == (value != "entry")


def is_optional(step: Any) -> bool:
    return isinstance(step, dict) and bool(step.get("optional"))


# --- sets of whole users ----------------------------------------------------------------------------------------------


def test_numbers_do_not_change_when_users_are_split_over_partitions() -> None:
    goals = checked(goals_file({"steps": ["a", "b"], "window": "none", "by": "device"}))
    rows = [row | {"time": START + hash_of(row) % 7} for row in experiment_log(5, {"A": 0.3, "B": 0.5}, 300, both=20)]
    name, funnel = next(iter(goals.funnels.items()))
    limits = CountingLimits(None, None, START + 10, 10**9)
    before, after = replace(limits, until=START + 3), replace(limits, since=START + 3)
    whole: list[pl.DataFrame] = []
    ask = question_of_variants(goals, "device")
    kept = Question(goals, lambda found, _: whole.append(found), lambda _: None, all_events=True)
    answer(table_of(rows, goals), kept, Period())
    (prepared,) = whole
    pieces = [prepared.filter(pl.col(USER) % 5 == part) for part in range(5)]
    at_once = ask.count(prepared, limits)
    assert added([ask.count(piece, limits) for piece in pieces]) == added([at_once])
    sides = tally_periods(prepared, name, funnel, before, after)
    parts = [tally_periods(piece, name, funnel, before, after) for piece in pieces]
    summed = type(sides).added(parts[::-1])
    assert summed.both == sides.both
    assert added([summed.before]) == added([sides.before])
    assert added([summed.after]) == added([sides.after])
    assert tally_variants(prepared, name, funnel, limits, "device").counts.height
    assert count(prepared, goals, conditions(goals), limits, ask.count).found.counts.height


def added(parts: Sequence[Tallies]) -> list[Any]:
    whole = Tallies.added(parts)
    return [sorted(table.rows(), key=repr) for table in (whole.counts, whole.optional, whole.times)]


# --- the sample -------------------------------------------------------------------------------------------------------

SHOP: dict[str, Any] = {
    "version": 1,
    "goals": {
        "view": {"kind": "milestone", "match": {"event": "product_view"}},
        "checkout": {"kind": "milestone", "match": {"event": "checkout_start"}},
        "purchase": {"kind": "macro", "match": {"event": "purchase"}},
    },
    "funnels": {"pay": {"steps": ["checkout", "purchase"], "window": "none"}},
}


def sample(goals: Goals, fields: set[str], use: Any) -> Any:
    return read_events(Request([str(SAMPLE / "events.csv")], goals.events, fields, goals.need_sessions), None, use)


def test_variant_b_of_the_sample_does_better() -> None:
    goals = checked(SHOP)
    experiment = Experiment("variant", "A")
    found: VariantsFinding = sample(
        goals,
        question_of_variants(goals, "variant").fields_needed,
        lambda table: compare_variants(table, goals, experiment, Period()),
    )
    (difference,) = [each for each in found.variants[1].differences if each.step == 2]
    assert (difference.rate, difference.other) == (Rate(275, 373), Rate(180, 335))
    assert difference.is_found
    assert (found.several.entered, found.without.entered) == (0, 0)
    assert not found.is_mismatched


def test_a_variant_that_was_thrown_by_a_coin_does_nothing_in_the_sample() -> None:
    """Users by a digit of their id instead of what they saw."""
    goals = checked(SHOP | {"funnels": {"shop": {"steps": ["view", "purchase"], "window": "none"}}})
    surprises = 0
    for seed in range(5):

        def use(table: Any, seed: int = seed) -> VariantsFinding:
            coin = pl.when(pl.col(USER).hash(seed) % 2 == 0).then(pl.lit("A")).otherwise(pl.lit("B"))
            frame = table.frame.with_columns(coin.alias("field:variant"))
            return compare_variants(replace(table, frame=frame), goals, Experiment("variant", "A"), Period())

        found = sample(goals, question_of_variants(goals, "variant").fields_needed, use)
        surprises += found.variants[1].differences[-1].is_found
        assert not found.is_mismatched
    assert surprises <= 1

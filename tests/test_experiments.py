"""What a sample can say, beside statsmodels, textbook formulas and outright counting of all outcomes."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chi2, norm
from statsmodels.stats.proportion import power_proportions_2indep
from strategies import examples

from microfunnel.experiments import lift_interval, sample_ratio, smallest_effect
from microfunnel.findings.compare import MISMATCH, split_change
from microfunnel.results import Rate

RATES = st.integers(1, 5000).flatmap(lambda whole: st.integers(0, whole).map(lambda part: Rate(part, whole)))
SOME = RATES.filter(lambda rate: rate.part > 0)


@examples(200)
@given(SOME, SOME)
def test_the_interval_of_a_lift_is_that_of_the_logarithm_of_the_ratio(one: Rate, other: Rate) -> None:
    error = math.sqrt(1 / one.part - 1 / one.whole + 1 / other.part - 1 / other.whole)
    middle = math.log(one.part * other.whole / (one.whole * other.part))
    ends = [math.exp(middle + sign * norm.ppf(0.975) * error) - 1 for sign in (-1, 1)]
    assert lift_interval(one, other) == pytest.approx(tuple(ends), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("one", "other"), [(Rate(0, 5), Rate(1, 5)), (Rate(1, 5), Rate(0, 5)), (Rate(0, 0), Rate(1, 5))]
)
def test_no_end_is_known_of_a_lift_from_or_to_nothing(one: Rate, other: Rate) -> None:
    assert lift_interval(one, other) is None


@examples(100)
@given(RATES, st.integers(1, 5000), st.sampled_from([0.8, 0.9]))
def test_the_smallest_effect_has_the_power_that_statsmodels_computes(control: Rate, units: int, wanted: float) -> None:
    effect = smallest_effect(control, units, wanted)
    base, sizes = control.part / control.whole, {"nobs1": units, "ratio": control.whole / units}
    if effect is None:
        if base < 1:
            certain = power_proportions_2indep(1 - base - 1e-12, base, **sizes, return_results=False)
            assert certain < wanted + 1e-6
        return
    # Where the rates are 0 or 1 statsmodels divides by nothing.
    if base > 0 and base + effect < 1 - 1e-9:
        found = power_proportions_2indep(effect, base, **sizes, return_results=False)
        # It also counts the tail on the other side: a fall that is taken for a finding.
        assert found == pytest.approx(wanted + other_tail(control, units, effect), abs=1e-6)


def other_tail(control: Rate, units: int, effect: float) -> float:
    base, n = control.part / control.whole, control.whole
    rate, pooled = base + effect, (control.part + (base + effect) * units) / (n + units)
    null = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / units))
    rise = math.sqrt(base * (1 - base) / n + rate * (1 - rate) / units)
    return float(norm.cdf((norm.ppf(0.025) * null - effect) / rise))


def test_four_of_five_experiments_find_the_smallest_effect() -> None:
    """All outcomes of two binomial samples, each with its probability."""
    control, units = Rate(120, 400), 300
    effect = smallest_effect(control, units)
    assert effect is not None
    base = 0.3
    of_control, of_other = (binom.pmf(range(n + 1), n, rate) for n, rate in ((400, base), (300, base + effect)))
    power = 0.0
    for ours in range(301):
        for theirs in range(401):
            pooled = (ours + theirs) / 700
            spread = math.sqrt(pooled * (1 - pooled) * (1 / 300 + 1 / 400)) or 1.0
            if abs(ours / 300 - theirs / 400) / spread > 1.959964:
                power += of_other[ours] * of_control[theirs]
    assert power == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(("control", "units"), [(Rate(0, 0), 10), (Rate(1, 2), 0), (Rate(5, 5), 9), (Rate(1, 3), 2)])
def test_some_samples_can_find_nothing(control: Rate, units: int) -> None:
    assert smallest_effect(control, units) is None


def test_more_units_find_smaller_effects() -> None:
    effects = [smallest_effect(Rate(n // 10, n), n) for n in (100, 1_000, 10_000, 100_000)]
    known = [effect for effect in effects if effect is not None]
    assert len(known) == 4
    assert known == sorted(known, reverse=True)


@examples(100)
@given(st.lists(st.tuples(st.integers(20, 3000), st.integers(1, 9)), min_size=2, max_size=5))
def test_the_sample_ratio_is_tested_by_chi_square(groups: list[tuple[int, int]]) -> None:
    counts, shares = [count for count, _ in groups], [share for _, share in groups]
    everybody = sum(counts)
    expected = [Fraction(everybody * share, sum(shares)) for share in shares]
    statistic = float(sum((count - due) ** 2 / due for count, due in zip(counts, expected, strict=True)))
    found = sample_ratio(counts, [float(share) for share in shares])
    if min(expected) < 5:
        exact = binomtest(counts[0], everybody, shares[0] / sum(shares)).pvalue if len(groups) == 2 else None
        assert found == exact
    else:
        assert found == pytest.approx(chi2.sf(statistic, len(groups) - 1), rel=1e-9, abs=1e-300)


def test_two_small_groups_are_split_exactly() -> None:
    assert sample_ratio([0, 8], [1.0, 1.0]) == pytest.approx(2 / 2**8)
    assert sample_ratio([20, 20], [1.0, 9.0]) == pytest.approx(binom.sf(19, 40, 0.1), rel=1e-6)


@pytest.mark.parametrize("counts", [[], [5], [0, 0], [2, 7, 3]])
def test_few_units_say_nothing_of_the_split(counts: list[int]) -> None:
    assert sample_ratio(counts, [1.0] * len(counts)) is None


def test_fair_splits_are_not_called_off_and_skewed_ones_are() -> None:
    fair: list[bool] = []
    skewed: list[bool] = []
    for seed in range(200):
        chance = random.Random(seed)
        for share, found in ((0.5, fair), (0.56, skewed)):
            first = sum(chance.random() < share for _ in range(3000))
            p = sample_ratio([first, 3000 - first], [1.0, 1.0])
            assert p is not None
            found.append(p < MISMATCH)
    assert sum(fair) <= 1
    assert sum(skewed) >= 190


# --- mix and rate -----------------------------------------------------------------------------------------------------

MAYBE = st.one_of(st.just(Rate(0, 0)), RATES)
SIDES = st.lists(st.tuples(MAYBE, MAYBE), min_size=1, max_size=6).map(lambda pairs: tuple(zip(*pairs, strict=True)))


def whole(side: tuple[Rate, ...]) -> Fraction:
    return Fraction(sum(each.part for each in side), sum(each.whole for each in side))


def is_empty(side: tuple[Rate, ...]) -> bool:
    return not any(each.whole for each in side)


@examples(300)
@given(SIDES)
def test_mix_and_rate_add_up_to_the_change_exactly(sides: tuple[tuple[Rate, ...], tuple[Rate, ...]]) -> None:
    before, after = sides
    found = split_change(before, after)
    if is_empty(before) or is_empty(after):
        assert found == []
        return
    assert sum(mix + rate for mix, rate in found) == whole(after) - whole(before)
    for (mix, rate), old, new in zip(found, before, after, strict=True):
        if not (old.whole and new.whole):
            assert rate == 0
        if not (old.whole or new.whole):
            assert mix == 0


@examples(200)
@given(SIDES)
def test_the_other_way_round_all_signs_turn(sides: tuple[tuple[Rate, ...], tuple[Rate, ...]]) -> None:
    before, after = sides
    assert split_change(after, before) == [(-mix, -rate) for mix, rate in split_change(before, after)]


@examples(200)
@given(st.lists(st.tuples(RATES, RATES), min_size=1, max_size=6))
def test_mix_and_rate_are_those_of_kitagawa(pairs: list[tuple[Rate, Rate]]) -> None:
    before, after = (tuple(side) for side in zip(*pairs, strict=True))
    found = split_change(before, after)
    mix, rate = Fraction(), Fraction()
    for old, new in pairs:
        shares = [Fraction(each.whole, sum(one.whole for one in side)) for each, side in ((old, before), (new, after))]
        rates = [Fraction(each.part, each.whole) for each in (old, new)]
        mix += (shares[1] - shares[0]) * (rates[0] + rates[1]) / 2
        rate += (rates[1] - rates[0]) * (shares[0] + shares[1]) / 2
    assert sum(each for each, _ in found) == mix
    assert sum(each for _, each in found) == rate


def test_other_people_alone_are_mix_and_other_behaviour_alone_is_rate() -> None:
    # The rates of both stay at 10 % and 50 %, and half as many of the better ones come.
    found = split_change([Rate(10, 100), Rate(50, 100)], [Rate(15, 150), Rate(25, 50)])
    assert [rate for _, rate in found] == [0, 0]
    assert sum(mix for mix, _ in found) == Fraction(40, 200) - Fraction(60, 200)
    # Both add to the fall: more of those below the middle, and fewer of those above it.
    assert all(mix < 0 for mix, _ in found)
    found = split_change([Rate(10, 100), Rate(50, 100)], [Rate(10, 50), Rate(15, 50)])
    assert [mix for mix, _ in found] == [0, 0]
    assert [rate for _, rate in found] == [Fraction(1, 20), Fraction(-1, 10)]


def test_a_new_segment_is_mix_alone() -> None:
    found = split_change([Rate(10, 100), Rate(0, 0)], [Rate(10, 100), Rate(80, 100)])
    assert [rate for _, rate in found] == [0, 0]
    assert sum(mix for mix, _ in found) == Fraction(90, 200) - Fraction(10, 100)

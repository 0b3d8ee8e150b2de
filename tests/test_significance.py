"""Statistics against scipy and statsmodels, which were written by others."""

import warnings
from collections.abc import Sequence
from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import barnard_exact, chi2_contingency, fisher_exact, pearsonr
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep
from strategies import examples

from microfunnel.results import Rate
from microfunnel.significance import difference, difference_interval, p_value, phi, q_values, ratio

NOTHING = Rate(0, 0)


@st.composite
def rates(draw: st.DrawFn, most: int = 5_000) -> Rate:
    whole = draw(st.integers(1, most))
    return Rate(draw(st.one_of(st.integers(0, whole), st.sampled_from([0, whole]))), whole)


def table(one: Rate, other: Rate) -> list[list[int]]:
    return [[each.part, each.whole - each.part] for each in (one, other)]


def expected(one: Rate, other: Rate) -> Sequence[float]:
    """How many are expected in each cell."""
    cells = np.array(table(one, other))
    return list((np.outer(cells.sum(axis=1), cells.sum(axis=0)) / cells.sum()).ravel())


@examples(300)
@given(rates(), rates())
def test_differences_and_their_intervals(one: Rate, other: Rate) -> None:
    assert difference(one, other) == one.part / one.whole - other.part / other.whole
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        low, high = confint_proportions_2indep(one.part, one.whole, other.part, other.whole, method="newcomb")
    found = difference_interval(one, other)
    assert found is not None
    assert isclose(found[0], low, abs_tol=1e-9)
    assert isclose(found[1], high, abs_tol=1e-9)
    assert -1 <= found[0] <= found[1] <= 1


def test_the_interval_of_the_paper() -> None:
    """R. G. Newcombe 1998, table II, method 10: 56/70 less 48/80, and 9/10 less 3/10."""
    for one, other, low, high in (
        (Rate(56, 70), Rate(48, 80), 0.0524, 0.3339),
        (Rate(9, 10), Rate(3, 10), 0.1705, 0.8090),
    ):
        assert difference_interval(one, other) == pytest.approx((low, high), abs=5e-5)


@examples(200)
@given(rates(60), rates(60))
def test_phi_is_the_correlation_of_group_and_outcome(one: Rate, other: Rate) -> None:
    group = [1] * one.whole + [0] * other.whole
    outcome = [each < rate.part for rate in (one, other) for each in range(rate.whole)]
    found = phi(one, other)
    if len(set(outcome)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(pearsonr(group, np.array(outcome, dtype=float)).statistic, abs=1e-9)


@examples(200)
@given(rates(400), rates(400))
def test_p_is_exact_where_a_cell_is_small_and_else_chi_square(one: Rate, other: Rate) -> None:
    found = p_value(one, other)
    if one.part + other.part in {0, one.whole + other.whole}:
        assert found is None
        return
    if min(expected(one, other)) < 5:
        assert found == pytest.approx(fisher_exact(table(one, other)).pvalue, rel=1e-9)
    else:
        assert found == pytest.approx(chi2_contingency(table(one, other), correction=False).pvalue, rel=1e-9)


def test_both_tests_are_used() -> None:
    small, large = (Rate(1, 4), Rate(3, 5)), (Rate(30, 90), Rate(50, 100))
    assert p_value(*small) == pytest.approx(fisher_exact(table(*small)).pvalue)
    assert p_value(*large) != pytest.approx(fisher_exact(table(*large)).pvalue, rel=1e-3)
    assert p_value(*large) == pytest.approx(barnard_exact(table(*large)).pvalue, abs=0.003)


@examples(200)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=40))
def test_q_is_that_of_benjamini_and_hochberg(p_values: list[float | None]) -> None:
    known = [p for p in p_values if p is not None]
    wanted = iter(multipletests(known, method="fdr_bh")[1] if known else [])
    found = q_values(p_values)
    assert [q is None for q in found] == [p is None for p in p_values]
    for q in found:
        if q is not None:
            assert q == pytest.approx(next(wanted), abs=1e-12)


def test_what_is_not_defined_is_none() -> None:
    some = Rate(1, 2)
    for measure in (difference, ratio, difference_interval, phi, p_value):
        assert measure(some, NOTHING) is None
        assert measure(NOTHING, some) is None
    assert ratio(some, Rate(0, 2)) is None
    assert ratio(some, Rate(1, 4)) == 2
    assert phi(Rate(0, 2), Rate(0, 2)) is None

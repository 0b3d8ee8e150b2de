"""How sure a difference between two shares is; scipy computes what scipy has."""

from collections.abc import Sequence
from math import sqrt

from microfunnel.results import Rate

SMALL = 500
"""A cell in which fewer are expected is too small for chi-square.

Textbooks have 5 (Cochran 1954), which is enough for one test at 5 %. Of many tests the far tail counts, where
chi-square is too sure for longer: with 5 to 50 expected, up to 8 of 100 families of tests had a false one, not 5.
"""
SIGNIFICANT = 0.05
"""The share of false ones that is put up with among what is said to be found."""


def is_found(value: float | None) -> bool:
    """Whether a q, or the p of what alone is asked for, is as small as what is found must have; None is not."""
    return value is not None and value <= SIGNIFICANT


def difference(one: Rate, other: Rate) -> float | None:
    """One rate less the other; None where one of them is undefined."""
    if one.value is None or other.value is None:
        return None
    return one.value - other.value


def ratio(one: Rate, other: Rate) -> float | None:
    """One rate over the other; None where one of them is undefined or the other is 0."""
    return one.value / other.value if one.value is not None and other.value else None


def difference_interval(one: Rate, other: Rate, confidence: float = 0.95) -> tuple[float, float] | None:
    """Where the difference of two independent rates lies (R. G. Newcombe 1998, method 10: of two Wilson intervals)."""
    ends, others, middle = one.interval(confidence), other.interval(confidence), difference(one, other)
    if ends is None or others is None or middle is None or one.value is None or other.value is None:
        return None
    low = middle - sqrt((one.value - ends[0]) ** 2 + (others[1] - other.value) ** 2)
    high = middle + sqrt((ends[1] - one.value) ** 2 + (other.value - others[0]) ** 2)
    return low, high


def product_interval(
    one: float, ends: tuple[float, float], other: float, others: tuple[float, float]
) -> tuple[float, float]:
    """Where the product of two independent estimates lies, from the intervals of both, of which `other` is above 0.

    The variance estimates of G. Y. Zou and A. Donner (2008, MOVER) at each end, as Newcombe's of a difference.
    """
    below, above = other - others[0], others[1] - other
    if one < 0:
        below, above = above, below
    low = one * other - sqrt((other * (one - ends[0])) ** 2 + (one * below) ** 2)
    high = one * other + sqrt((other * (ends[1] - one)) ** 2 + (one * above) ** 2)
    return low, high


def phi(one: Rate, other: Rate) -> float | None:
    """The correlation of group and outcome in the table of two groups, -1 to 1; None where a margin is empty."""
    whole, part = one.whole + other.whole, one.part + other.part
    margins = one.whole * other.whole * part * (whole - part)
    if not margins:
        return None
    return (one.part * (other.whole - other.part) - other.part * (one.whole - one.part)) / sqrt(margins)


def p_value(one: Rate, other: Rate) -> float | None:
    """How often chance alone would make two rates differ so much, two-sided; None where a margin is empty.

    Chi-square without continuity correction, and Fisher's exact test where fewer than SMALL are expected in a cell.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    whole, part = one.whole + other.whole, one.part + other.part
    if phi(one, other) is None:
        return None
    table = [[each.part, each.whole - each.part] for each in (one, other)]
    if min(one.whole, other.whole) * min(part, whole - part) < SMALL * whole:
        return float(fisher_exact(table).pvalue)
    return float(chi2_contingency(table, correction=False).pvalue)


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """For each test the share of false ones among all that are as sure (Benjamini and Hochberg 1995); None stays."""
    from scipy.stats import false_discovery_control

    known = [p for p in p_values if p is not None]
    adjusted = iter(false_discovery_control(known).tolist() if known else [])
    return [None if p is None else next(adjusted) for p in p_values]

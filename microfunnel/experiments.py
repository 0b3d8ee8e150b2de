"""What the sample of an experiment can say: relative lift, the smallest effect it could find, its sample ratio."""

from collections.abc import Sequence
from math import isfinite, sqrt

from microfunnel.results import Rate

POWER = 0.8
LEVEL = 0.05
ENOUGH = 5
"""Units that are expected at least in each group for chi-square to hold."""


def lift_interval(one: Rate, other: Rate, confidence: float = 0.95) -> tuple[float, float] | None:
    """Where the relative lift `one / other - 1` lies, from the ratio's logarithm (Katz and others 1978).

    None where one of the rates is 0 or undefined: the logarithm has no end there.
    """
    from scipy.stats.contingency import relative_risk

    if not (one.part and other.part):
        return None
    ratio = relative_risk(one.part, one.whole, other.part, other.whole)
    ends = ratio.confidence_interval(confidence)
    return float(ends.low) - 1, float(ends.high) - 1


def smallest_effect(control: Rate, units: int, power: float = POWER, level: float = LEVEL) -> float | None:
    """The smallest rise from the control's rate that a group of so many `units` would show with this power.

    By the two-sided test of two proportions, pooled under the null hypothesis, at this level (Fleiss, Levin and Paik
    2003, section 4.2, for groups of different size, without continuity correction). 0 to 1; None where even a rate of
    100 % would not be found so surely.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    if control.value is None or not units:
        return None
    base, of_control = control.value, control.whole
    for_level, for_power = float(norm.isf(level / 2)), float(norm.ppf(power))

    def beyond(rise: float) -> float:
        rate = base + rise
        pooled = (base * of_control + rate * units) / (of_control + units)
        under_null = sqrt(max(pooled * (1 - pooled), 0.0) * (1 / of_control + 1 / units))
        under_rise = sqrt(base * (1 - base) / of_control + max(rate * (1 - rate), 0.0) / units)
        return rise - for_level * under_null - for_power * under_rise

    least, most = 1e-12, 1 - base
    if most <= least or beyond(most) < 0:
        return None
    return float(brentq(beyond, least, most))


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> float | None:
    """How often chance alone would split units so far from these shares (chi-square); None where there are too few."""
    from scipy.stats import chisquare

    everybody, whole = sum(counts), sum(shares)
    expected = [everybody * share / whole for share in shares]
    if len(counts) < 2 or min(expected) < ENOUGH:  # noqa: PLR2004
        return None
    p = float(chisquare(counts, expected).pvalue)
    return p if isfinite(p) else None

"""The share of users converted by age, from counts by whole second."""

from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from statistics import NormalDist

import polars as pl

from microfunnel.findings.lag import Age


def converted_by(ages: pl.DataFrame, moments: Sequence[int], confidence: float = 0.95) -> Iterator[Age]:
    """The estimate of Kaplan and Meier (1958) of the share converted before each age, while anybody is older than that.

    `ages` holds users by `seconds` (Int64): those who converted at that age (`n`) and those of whom no more is known
    (`censored`), who count as looked at through that second. The interval is made of Greenwood's variance on the scale
    of log(-log). scipy and statsmodels have the same for single users; these counts are of any number of them.
    """
    known = ages.sort("seconds").with_columns(
        (pl.col("n") + pl.col("censored")).cum_sum(reverse=True).alias("watched"),
    )
    at_risk = pl.col("watched")
    watched = known["watched"]
    told = known.select(
        (1 - pl.col("n") / at_risk).cum_prod().alias("left"),
        (pl.col("n") / (at_risk * (at_risk - pl.col("n")))).cum_sum().alias("variance"),
        pl.col("n").cum_sum().alias("converted"),
    )
    users = int(watched[0]) if known.height else 0
    places = known["seconds"].search_sorted(pl.Series(moments, dtype=pl.Int64), side="left")
    for moment, place in zip(moments, places, strict=True):
        if place >= known.height:
            return
        left, variance, converted = told.row(place - 1) if place else (1.0, 0.0, 0)
        yield Age(moment, users, converted, watched[place], 1 - left, _interval(left, variance, confidence))


def _interval(left: float, variance: float, confidence: float) -> tuple[float, float] | None:
    if not 0 < left < 1:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    wide = exp(z * sqrt(variance) / abs(log(left)))
    return 1 - left ** (1 / wide), 1 - left**wide

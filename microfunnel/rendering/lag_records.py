"""How long users take to a goal, for programs: the contract of schemas/lag.schema.json, and rows of CSV."""

from collections.abc import Mapping, Sequence

from microfunnel.findings.lag import DAY, Age, Bucket, LagFinding, Steps
from microfunnel.rendering.findings import Scalar
from microfunnel.results import PERCENTILES


def contents(finding: LagFinding) -> Mapping[str, object]:
    """What was found, beside the events."""
    return {
        "goal": finding.goal,
        "from": finding.start,
        "users": finding.users,
        "converted": finding.converted,
        "conversion_rate": finding.rate.value,
        "seconds": _numbers(finding.seconds.n, finding.seconds.mean, finding.seconds.percentiles),
        "days": [_bucket(bucket) for bucket in finding.days],
        "sessions": _steps(finding.sessions),
        "user_events": _steps(finding.acts),
        "curve": [_age(age) for age in finding.curve],
    }


def _numbers(n: int, mean: float | None, percentiles: Mapping[str, float]) -> dict[str, object]:
    return {"n": n, "mean": mean, **{name: percentiles.get(name) for name in PERCENTILES}}


def _steps(steps: Steps) -> dict[str, object]:
    numbers = _numbers(steps.n, steps.mean, steps.percentiles)
    return {**numbers, "histogram": [_bucket(bucket) for bucket in steps.buckets]}


def _bucket(bucket: Bucket) -> dict[str, object]:
    return {"low": bucket.low, "high": bucket.high, "users": bucket.users}


def _age(age: Age) -> dict[str, object]:
    low, high = age.interval or (None, None)
    return {
        "age_seconds": age.seconds,
        "share": age.share,
        "share_low": low,
        "share_high": high,
        "naive_share": age.naive.value,
        "converted": age.converted,
        "watched": age.watched,
    }


def rows(finding: LagFinding) -> Sequence[Mapping[str, Scalar]]:
    """A row for each age of the curve (up to `high` days), and for each bucket of the histograms."""
    histograms = {"days": finding.days, "sessions": finding.sessions.buckets, "events": finding.acts.buckets}
    return [
        *(_age_row(age) for age in finding.curve),
        *(_bucket_row(what, bucket) for what, buckets in histograms.items() for bucket in buckets),
    ]


def _age_row(age: Age) -> dict[str, Scalar]:
    low, high = age.interval or (None, None)
    days = age.seconds // DAY if age.seconds % DAY == 0 else age.seconds / DAY
    shares: dict[str, Scalar] = {"share": age.share, "share_low": low, "share_high": high}
    return {"what": "curve", "low": 0, "high": days, "users": age.converted, **shares, "watched": age.watched}


def _bucket_row(what: str, bucket: Bucket) -> dict[str, Scalar]:
    shares: dict[str, Scalar] = dict.fromkeys(("share", "share_low", "share_high"))
    return {"what": what, "low": bucket.low, "high": bucket.high, "users": bucket.users, **shares, "watched": None}

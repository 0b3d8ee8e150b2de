"""How long users take to the macro goal, from their first event or a first micro goal: time, sessions and events."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.counting.tallies import add_up
from microfunnel.events import SESSION, TIME, USER, in_period
from microfunnel.matching import goal_column

BEGUN = "begun"
DONE = "done"
SEEN = "seen"
STARTS = "starts"
CONVERTS = "converts"


@dataclass(frozen=True, slots=True)
class Lags:
    """How long some users took; those of different users add up.

    `ages`: by whole `seconds` (Int64) since their start: users who converted (`n`, Int64), with the exact sum of
    microseconds (`total_us`, Int128), and users who had not when the log ended (`censored`, Int64).
    `sessions` and `events`: users who converted (`n`, Int64) by `sessions` or `events` (Int64), the start and the
    conversion included; without those whose conversion is of no session.
    """

    ages: pl.DataFrame
    sessions: pl.DataFrame
    events: pl.DataFrame

    @classmethod
    def added(cls, parts: Sequence["Lags"]) -> "Lags":
        """The lags of all the users together."""
        return cls(
            add_up(part.ages for part in parts),
            add_up(part.sessions for part in parts),
            add_up(part.events for part in parts),
        )


def count_lags(rows: pl.DataFrame, goal: str, start: str | None, limits: Limits) -> Lags:
    """The lags to the first completion of a goal from the first one of `start`, or from the first event.

    `rows` holds all events of whole users, prepared with sessions. Only users whose start lies in the period count.
    """
    begins = pl.lit(value=True) if start is None else pl.col(goal_column(start))
    marked = rows.select(USER, TIME, SESSION, begins.alias(STARTS), pl.col(goal_column(goal)).alias(CONVERTS))
    starts = marked.filter(STARTS).group_by(USER).agg(pl.col(TIME).min().alias(BEGUN))
    starts = starts.filter(in_period(limits.since, limits.until, BEGUN))
    later = marked.filter(CONVERTS).join(starts, on=USER).filter(pl.col(TIME) >= pl.col(BEGUN))
    ways = later.group_by(USER).agg(pl.col(BEGUN).first(), pl.col(TIME).min().alias(DONE))
    own = marked.join(ways, on=USER).filter(pl.col(TIME).is_between(BEGUN, DONE))
    return Lags(
        ages=_ages(starts.join(ways.select(USER, DONE), on=USER, how="left"), limits.data_end),
        sessions=_by(_sessions(own), "sessions"),
        events=_by(_events(own), "events"),
    )


def _ages(ways: pl.DataFrame, data_end: int) -> pl.DataFrame:
    took = pl.col(DONE) - pl.col(BEGUN)
    age = pl.coalesce(took, data_end - pl.col(BEGUN))
    return (
        ways.select((age // 1_000_000).alias("seconds"), took.alias("took"))
        .group_by("seconds")
        .agg(
            pl.col("took").count().cast(pl.Int64).alias("n"),
            pl.col("took").null_count().cast(pl.Int64).alias("censored"),
            pl.col("took").cast(pl.Int128).sum().alias("total_us"),
        )
    )


def _sessions(own: pl.DataFrame) -> pl.DataFrame:
    """In how many sessions each user was seen up to the conversion.

    Those that begin at its very instant are not among them, but for its own.
    """
    given = own.filter(pl.col(SESSION).is_not_null())
    visits = given.group_by(USER, SESSION).agg(pl.col(TIME).min().alias(SEEN), pl.col(DONE).first())
    before = visits.group_by(USER).agg((pl.col(SEEN) < pl.col(DONE)).sum().cast(pl.Int64).alias("sessions"))
    conversions = own.filter(pl.col(CONVERTS), pl.col(TIME) == pl.col(DONE)).select(USER, SESSION)
    last = conversions.join(visits, on=[USER, SESSION]).group_by(USER)
    is_new = last.agg((pl.col(SEEN).min() == pl.col(DONE).first()).cast(pl.Int64).alias("new"))
    return before.join(is_new, on=USER).select(pl.col("sessions") + pl.col("new"))


def _events(own: pl.DataFrame) -> pl.DataFrame:
    """How many events each user has from the start to the conversion.

    The start comes first in its instant, the conversion as early as it can in its own. One event may be both.
    """
    both = (pl.col(STARTS) & pl.col(CONVERTS)).any()
    at_once = pl.when(both).then(1).otherwise(2)
    before = (pl.col(TIME) < pl.col(DONE)).sum().cast(pl.Int64) + 1
    is_instant = pl.col(BEGUN).first() == pl.col(DONE).first()
    counted = own.group_by(USER).agg(pl.when(is_instant).then(at_once).otherwise(before).alias("events"))
    return counted.select(pl.col("events").cast(pl.Int64))


def _by(counted: pl.DataFrame, what: str) -> pl.DataFrame:
    return counted.group_by(what).agg(pl.len().cast(pl.Int64).alias("n"))

"""How long users take to a goal."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.funnels import Limits
from microfunnel.counting.lags import Lags, count_lags
from microfunnel.counting.totals import percentiles
from microfunnel.events import EventTable
from microfunnel.findings.lag import DAY, Bucket, LagFinding, Steps
from microfunnel.goals import Goals
from microfunnel.insights.survival import converted_by
from microfunnel.questions import Period, Question
from microfunnel.results import Times

DAYS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 31, 61, 121, 365)
"""Where the buckets begin, as Matomo and Universal Analytics have them."""
SESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 26, 51, 101)
EVENTS = (1, 2, 3, 6, 11, 21, 51, 101, 201)
HOUR = 3_600


def question_of(goals: Goals, goal: str, start: str | None) -> Question[Lags]:
    """What it takes: every event, and in which session it is."""

    def count(rows: pl.DataFrame, limits: Limits) -> Lags:
        return count_lags(rows, goal, start, limits)

    return Question(goals, count, Lags.added, all_events=True, sessions=True)


def find_lag(  # noqa: PLR0913, PLR0917
    events: EventTable, goals: Goals, goal: str, start: str | None, period: Period, options: Options = DEFAULTS
) -> LagFinding:
    """How long users take to `goal` from the first completion of `start`, or from their first event."""
    found = answer(events, question_of(goals, goal, start), period, options)
    ages = found.found.ages.sort("seconds")
    done = ages.filter(pl.col("n") > 0)
    converted = int(done["n"].sum())
    whole_days = int(ages["seconds"].max() or 0) // DAY  # type: ignore[arg-type]
    return LagFinding(
        events=found.events,
        goal=goal,
        start=start,
        users=converted + int(ages["censored"].sum()),
        converted=converted,
        seconds=Times(converted, int(done["total_us"].sum()), _percentiles(done, "seconds")),
        days=_buckets(done.select(pl.col("seconds") // DAY, "n"), "seconds", DAYS),
        sessions=_steps(found.found.sessions, "sessions", SESSIONS),
        acts=_steps(found.found.events, "events", EVENTS),
        curve=tuple(converted_by(ages, [HOUR, *(DAY * day for day in range(1, whole_days + 1))])),
    )


def _percentiles(counted: pl.DataFrame, what: str) -> dict[str, float]:
    return percentiles(counted[what], counted["n"]) if counted.height else {}


def _steps(counted: pl.DataFrame, what: str, starts: Sequence[int]) -> Steps:
    counted = counted.sort(what)
    total = int((counted[what] * counted["n"]).sum())
    return Steps(int(counted["n"].sum()), total, _percentiles(counted, what), _buckets(counted, what, starts))


def _buckets(counted: pl.DataFrame, what: str, starts: Sequence[int]) -> tuple[Bucket, ...]:
    """The users from each start up to the next."""
    ends = [after - 1 for _, after in pairwise(starts)]
    inside = [
        counted.filter(pl.col(what).is_between(low, high))["n"].sum() for low, high in zip(starts, ends, strict=False)
    ]
    last = counted.filter(pl.col(what) >= starts[-1])["n"].sum()
    return tuple(
        Bucket(low, high, int(users)) for low, high, users in zip(starts, [*ends, None], [*inside, last], strict=True)
    )

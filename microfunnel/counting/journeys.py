"""The journey of each unit: its best attempt."""

from collections.abc import Sequence

import polars as pl

from microfunnel.counting.attempts import ENTRY, UNIT, time_column
from microfunnel.counting.sessions import SESSION_END
from microfunnel.goals import Funnel
from microfunnel.results import NOT_SET

DEPTH = "depth"
END = "end"
CLOSES = "closes"


def find_journeys(
    attempts: pl.DataFrame, rows: pl.DataFrame, funnel: Funnel, by: Sequence[str], session_timeout: int
) -> pl.DataFrame:
    """One row for each unit that entered: `depth` (Int64, steps reached), `time_0` .., `closes` and the `by` columns.

    The journey is the deepest attempt; of equals the one that got there first; of equals the one that started last; of
    ways that differ in nothing but a tie, the one with the earliest steps and then the smallest segment. `by` names
    String columns of `rows`, read at the entry, missing values as `(not set)`. `closes` (Int64, microseconds) is the
    last moment at which the journey could have gone on: the end of its window or, for a session, when it has been
    quiet for `session_timeout`; null where neither ends it.
    """
    times = [time_column(index) for index in range(len(funnel.steps))]
    entries = attempts[ENTRY]
    candidates = attempts.select(
        rows[UNIT].gather(entries),
        pl.sum_horizontal(pl.col(times).is_not_null()).cast(pl.Int64).alias(DEPTH),
        pl.max_horizontal(times).alias(END),
        *times,
        _closes(rows, entries, funnel, session_timeout).alias(CLOSES),
        *(rows[column].gather(entries).fill_null(NOT_SET) for column in by),
    )
    for best in (pl.col(DEPTH).max(), pl.col(END).min(), pl.col(times[0]).max()):
        candidates = candidates.filter(best.over(UNIT) == pl.col(best.meta.output_name()))
    # What is left of a unit differs in ties alone.
    return candidates.sort(UNIT, *times, *by).unique(UNIT, keep="first").drop(UNIT, END)


def _closes(rows: pl.DataFrame, entries: pl.Series, funnel: Funnel, session_timeout: int) -> pl.Expr:
    ends = []
    if funnel.window is not None:
        ends.append(pl.col(time_column(0)) + funnel.window)
    if funnel.count == "sessions":
        ends.append(pl.lit(rows[SESSION_END].gather(entries) + session_timeout))
    return pl.min_horizontal(ends) if ends else pl.lit(None, dtype=pl.Int64)

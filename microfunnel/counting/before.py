"""What users did before they completed a goal for the first time."""

import polars as pl

from microfunnel.counting.event_log import CALLED, log_of
from microfunnel.counting.funnels import Limits
from microfunnel.counting.ledger import Paths, event_column
from microfunnel.events import TIME, USER
from microfunnel.matching import goal_column


def tally_before(rows: pl.DataFrame, goal: str, limits: Limits, paths: Paths) -> pl.DataFrame:
    """Users (`n`, Int64) who completed the goal in the period, by what they did before the first time.

    `event_1` .. (Categorical) is the path back from the event before the instant of that completion, repeats collapsed;
    null where it ends. `seconds` (Int64) are those from the earliest event of the path to the completion (null without
    a path), with the exact sum of microseconds (`total_us`, Int128); from repeats in a row the last one counts.
    `rows` holds all events of whole users, sorted by user and time, with the column of the goal true on completions.
    """
    log = log_of(rows, pl.col(USER), paths.called, {})
    numbers = pl.int_range(pl.len(), dtype=pl.UInt32)
    completed = rows.select(USER, TIME, numbers.alias("row"), goal_column(goal)).filter(
        pl.col(goal_column(goal)) & limits.entries
    )
    first = completed.unique(USER, keep="first", maintain_order=True)
    at = [log.earlier()(first["row"])]
    if paths.depth > 1:
        back = log.unchanged()
        for _ in range(1, paths.depth):
            at.append(back(at[-1]))
    names = [event_column(number) for number in range(1, paths.depth + 1)]
    earliest = pl.coalesce(pl.lit(log.of(TIME, rows)) for rows in reversed(at))
    return (
        first.with_columns(log.of(CALLED, rows).alias(name) for name, rows in zip(names, at, strict=True))
        .with_columns((pl.col(TIME) - earliest).alias("us"))
        .group_by(*names, (pl.col("us") // 1_000_000).alias("seconds"))
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("us").cast(pl.Int128).sum().alias("total_us"))
    )

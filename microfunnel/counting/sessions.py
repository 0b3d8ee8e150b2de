"""Sessions: the visits of a user, as the export says or split where the user paused."""

import polars as pl

from microfunnel.events import SESSION, TIME, USER

SESSION_START = "session_start"
SESSION_END = "session_end"


def add_sessions(rows: pl.DataFrame, timeout: int) -> pl.DataFrame:
    """The rows with `session`, `session_start` and `session_end` (Int64, microseconds of its first and last event).

    `rows` holds all events of whole users, sorted by user and time. Where they have no `session` yet, a new one starts
    where the gap to the user's event before is over `timeout` microseconds; a gap of exactly that long does not split.
    Rows that an export left without session stay without.
    """
    if SESSION not in rows.columns:
        starts = (pl.col(USER) != pl.col(USER).shift()) | (pl.col(TIME).diff() > timeout)
        rows = rows.with_columns(starts.fill_null(value=True).cum_sum().cast(pl.UInt64).alias(SESSION))
    # Most rows have the session of the row before, so runs of them are few.
    runs = rows[SESSION].rle().struct.unnest()
    end, times = pl.col("len").cum_sum(), pl.lit(rows[TIME])
    bounds = (
        runs.select(
            pl.col("value").alias(SESSION),
            times.gather(end - pl.col("len")).alias(SESSION_START),
            times.gather(end - 1).alias(SESSION_END),
        )
        .with_columns(pl.col(SESSION_START).min().over(SESSION), pl.col(SESSION_END).max().over(SESSION))
        .select(pl.when(pl.col(SESSION).is_not_null()).then(name).alias(name) for name in (SESSION_START, SESSION_END))
    )
    return rows.with_columns(bounds[rows[SESSION].rle_id()])


def count_sessions(rows: pl.DataFrame) -> int:
    """How many different sessions the rows have."""
    return rows[SESSION].rle().struct.field("value").drop_nulls().n_unique()

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
    with_session = pl.col(SESSION).is_not_null()
    return rows.with_columns(
        pl.when(with_session).then(pl.col(TIME).min().over(SESSION)).alias(SESSION_START),
        pl.when(with_session).then(pl.col(TIME).max().over(SESSION)).alias(SESSION_END),
    )

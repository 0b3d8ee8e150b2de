"""Which event completes a goal that takes more than one event: counts, and the length of a session."""

from collections.abc import Mapping

import polars as pl

from microfunnel.counting.sessions import SESSION_START
from microfunnel.events import SESSION, TIME, USER, field_column
from microfunnel.goals import Goal

ROW = "row"


def complete_goals(rows: pl.DataFrame, named: Mapping[str, Goal]) -> pl.DataFrame:
    """The rows with the column of each counted goal true on the completing events alone.

    `rows` holds whole users in a total order, with a Boolean column for each goal that is true on every event that
    counts towards it, and with sessions where a goal needs them. Other columns stay as they are.
    """
    many = {column: goal for column, goal in named.items() if goal.counted or goal.session_lasts is not None}
    if not many:
        return rows
    numbered = rows.with_row_index(ROW)
    return rows.with_columns(
        _only(_completing(numbered.filter(column), goal), rows.height).alias(column) for column, goal in many.items()
    )


def _completing(counting: pl.DataFrame, goal: Goal) -> pl.Series:
    """The numbers of the completing rows: one for each user or session that fills the count."""
    if goal.session_lasts is not None:
        long_enough = pl.col(TIME) - pl.col(SESSION_START) >= goal.session_lasts
        return counting.filter(long_enough).group_by(SESSION).agg(pl.col(ROW).min())[ROW]
    owner = SESSION if goal.per == "session" else USER
    counting = counting.filter(pl.col(owner).is_not_null())
    if goal.distinct is not None:
        value = field_column(goal.distinct)
        different = counting.select(owner, value, ROW).filter(pl.col(value).is_not_null())
        counting = different.unique([owner, value], keep="first", maintain_order=True)
    # Groups keep the order of their rows.
    nth = (goal.at_least or 1) - 1
    return counting.group_by(owner).agg(pl.col(ROW).get(nth, null_on_oob=True))[ROW].drop_nulls()


def _only(true_rows: pl.Series, height: int) -> pl.Series:
    return pl.zeros(height, dtype=pl.Boolean, eager=True).scatter(true_rows, values=True)

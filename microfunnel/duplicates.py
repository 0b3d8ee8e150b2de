"""One event that was written twice counts once."""

import polars as pl

from microfunnel.events import DUPLICATE_OF, TIME, USER


def without_duplicates(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The rows of whole users without those that repeat another one, and how many these were.

    The column `duplicate of`, if there is one, is dropped. Of rows that are one event the earliest stays; of equals,
    the one that is smallest in all columns, so that the order of the rows does not matter.
    """
    if DUPLICATE_OF not in rows.columns:
        return rows, 0
    repeats = pl.col(DUPLICATE_OF).is_not_null() & pl.struct(USER, DUPLICATE_OF).is_duplicated()
    marked = rows.with_columns(repeats.alias("repeats"))
    once, twice = marked.filter(~pl.col("repeats")), marked.filter("repeats")
    order = dict.fromkeys([TIME, *rows.columns])
    first = twice.sort(*order, nulls_last=True).unique([USER, DUPLICATE_OF], keep="first", maintain_order=True)
    return pl.concat([once, first]).drop("repeats", DUPLICATE_OF), twice.height - first.height

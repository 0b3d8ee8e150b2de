"""Attempts that do not overlap: the next one starts after the last one converted, was excluded or ran out of time."""

import polars as pl

from microfunnel.counting.attempts import ENDED, ENTERED, UNIT

NUMBER = "number"
FOLLOWER = "follower"


def without_overlap(attempts: pl.DataFrame) -> pl.DataFrame:
    """The attempts that a unit makes one after the other, from its first entry on.

    `attempts` has one row for each unit and moment of entry, with `unit`, `entered` and `ended` (Int64; null where
    nothing ends it, so that no other follows).
    """
    attempts = attempts.sort(UNIT, ENTERED).with_row_index(NUMBER)
    entries = attempts.select(UNIT, ENTERED, pl.col(NUMBER).alias(FOLLOWER)).sort(ENTERED)
    ends = attempts.select(NUMBER, UNIT, pl.col(ENDED).alias(ENTERED)).drop_nulls(ENTERED).sort(ENTERED)
    found = ends.join_asof(
        entries, on=ENTERED, by=UNIT, strategy="forward", allow_exact_matches=False, check_sortedness=False
    )
    follower = attempts.join(found.select(NUMBER, FOLLOWER), on=NUMBER, how="left", maintain_order="left")[FOLLOWER]
    made = attempts.select((pl.col(UNIT) != pl.col(UNIT).shift()).fill_null(value=True)).to_series()
    # Each round doubles how far the followers reach, so a unit with a million attempts takes twenty rounds.
    while follower.is_not_null().any():
        made = made.scatter(follower.filter(made).drop_nulls(), values=True)
        follower = follower.gather(follower)
    return attempts.filter(made).drop(NUMBER)

"""Optional steps: who took them on the way, without their gating or anchoring anything.

An optional step is taken where an event of it lies between the journey's events for the required steps before and
after it, an event of its own that serves no other step; where the step after was not reached, anywhere before the
journey's end. At the very instant of a required step it takes a further event there.
"""

from dataclasses import dataclass

import polars as pl

from microfunnel.counting.attempts import ENDED, ENTERED, EXCLUDED, INTERRUPTED, STOP, Path, at_column, later_column
from microfunnel.counting.journeys import time_column
from microfunnel.counting.ties import INSTANT, SIGNATURE, fits_expr, served, signatures, tied_rows
from microfunnel.events import TIME


@dataclass(frozen=True, slots=True)
class OptionalStep:
    """An optional step: the Boolean column of its events, and the number of the required step before it."""

    column: str
    before: int


def optional_row(journeys: pl.DataFrame, rows: pl.DataFrame, path: Path, optional: OptionalStep) -> pl.Series:
    """A row at whose instant each journey took the optional step (UInt32); null where it did not.

    `journeys` has `time_0` .. of the required steps; `rows` comes from `index_rows`, the optional step watched.
    """
    before = time_column(optional.before)
    ends = [] if path.window is None else [pl.col(ENTERED) + path.window]
    ends.append(pl.when(pl.col(STOP).is_in([EXCLUDED, INTERRUPTED])).then(ENDED))
    following = pl.lit(None, dtype=pl.Int64)
    if optional.before + 1 < len(path.links):
        following = pl.col(time_column(optional.before + 1))
    standing = journeys[at_column(optional.before)]
    later_row = rows[later_column(optional.column)].gather(standing)
    later = rows[TIME].gather(later_row)
    known = journeys.with_columns(
        following.alias("following"), later.alias("later"), pl.min_horizontal(ends).alias("end")
    )
    known = known.with_columns(
        _spare(known, rows, path, optional, before).alias("spare before"),
        _spare(known, rows, path, optional, "following").alias("spare following"),
    )
    between = (pl.col("later") < pl.col("following")) | (
        pl.col("following").is_null() & (pl.col("later") <= pl.col("end").fill_null(pl.col("later")))
    )
    at_following = (pl.col("later") == pl.col("following")) & pl.col("spare following")
    return known.select(
        pl.when("spare before").then(standing).when(between | at_following).then(later_row).alias(optional.column)
    ).to_series()


def _spare(journeys: pl.DataFrame, rows: pl.DataFrame, path: Path, optional: OptionalStep, moment: str) -> pl.Series:
    """Whether the instant at that time has an event for the optional step beside those of the required ones."""
    tied = tied_rows(rows) if not path.increasing else rows.clear()
    nobody = pl.zeros(journeys.height, dtype=pl.Boolean, eager=True)
    if tied.is_empty():
        return nobody
    columns = [*path.steps, optional.column]
    kinds = signatures(tied.select(INSTANT, fits_expr(columns)), len(columns))
    steps = range(len(path.links))
    there = [pl.col(time_column(step)) == pl.col(moment) for step in steps]
    at = [at_column(step) for step in steps]
    serving = journeys.select(
        pl.coalesce(pl.when(here).then(name) for here, name in zip(there, at, strict=True)).alias("at"),
        pl.concat_str(pl.when(here).then(pl.lit("1")).otherwise(pl.lit("0")) for here in there).alias("serves"),
    )
    serving = serving.select(rows[INSTANT].gather(serving["at"]).alias(INSTANT), pl.col("serves").fill_null(""))
    asked = serving.join(kinds, on=INSTANT, how="left", maintain_order="left").select("serves", SIGNATURE)
    cases = asked.drop_nulls().unique()
    wanted = [[*(step for step in steps if serves[step] == "1"), len(path.links)] for serves in cases["serves"]]
    answers = [
        served(signature.split(" "), needed) == len(needed)
        for signature, needed in zip(cases[SIGNATURE], wanted, strict=True)
    ]
    solved = cases.with_columns(pl.Series("spare", answers, dtype=pl.Boolean))
    answered = asked.join(solved, on=["serves", SIGNATURE], how="left", maintain_order="left")
    return answered["spare"].fill_null(value=False)

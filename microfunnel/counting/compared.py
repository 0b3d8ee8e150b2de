"""Units side by side: those of each variant of a test, and those of two periods."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.counting.attempts import UNIT
from microfunnel.counting.funnels import Limits, find_journeys, tally_journeys, tally_segments, unit_expr
from microfunnel.counting.tallies import Tallies
from microfunnel.events import field_column
from microfunnel.funnels import Funnel

VARIANT = "of variant"
"""The name of the breakdown by variant, of the units that saw one variant and no other."""
APART = "apart"
"""The name of the breakdown of all other units, by SEVERAL and NONE."""
SEVERAL = "several"
NONE = "none"
SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Sides:
    """What units did in two periods."""

    before: Tallies
    after: Tallies
    both: int
    """Units that entered in both."""

    @classmethod
    def added(cls, parts: Sequence["Sides"]) -> "Sides":
        """The same of all the units together."""
        return cls(
            Tallies.added([part.before for part in parts]),
            Tallies.added([part.after for part in parts]),
            sum(part.both for part in parts),
        )


def tally_variants(rows: pl.DataFrame, name: str, funnel: Funnel, limits: Limits, column: str) -> Tallies:
    """The tallies of a funnel over whole users for all units, by variant, and of the units that can't be of one.

    `rows` holds for each unit, beside what `tally_funnel` looks at, at least one event with each value of the field
    `column` that it ever had; no value is no variant.
    """
    found = find_journeys(rows, name, funnel, limits)
    journeys = found.journeys.join(_seen(rows, funnel, column), on=UNIT, how="left", maintain_order="left")
    one = pl.col(SEEN) == 1
    apart = journeys.filter(~one.fill_null(value=False))
    why = pl.when(pl.col(SEEN).is_null()).then(pl.lit(NONE)).otherwise(pl.lit(SEVERAL))
    return Tallies.added(
        [
            tally_segments(found, funnel),
            tally_journeys(replace(found, journeys=journeys.filter(one)), {VARIANT: pl.col(VARIANT)}),
            tally_journeys(replace(found, journeys=apart), {APART: why}),
        ]
    )


def _seen(rows: pl.DataFrame, funnel: Funnel, column: str) -> pl.DataFrame:
    """How many variants (`seen`) each unit saw that saw any, and one of them (String)."""
    value = pl.col(field_column(column)).cast(pl.String).alias(VARIANT)
    seen = rows.select(unit_expr(funnel), value).drop_nulls()
    return seen.group_by(UNIT).agg(pl.col(VARIANT).n_unique().alias(SEEN), pl.col(VARIANT).min())


def tally_periods(rows: pl.DataFrame, name: str, funnel: Funnel, before: Limits, after: Limits) -> Sides:
    """The tallies of a funnel and its segments over whole users in two periods, each as if it were the only one."""
    older, newer = (find_journeys(rows, name, funnel, limits) for limits in (before, after))
    both = newer.journeys.join(older.journeys, on=UNIT, how="semi").height
    return Sides(tally_segments(older, funnel), tally_segments(newer, funnel), both)

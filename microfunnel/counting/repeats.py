"""How rows repeat each other: of one user, at one instant, or all alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from microfunnel.events import TIME, USER


@dataclass(frozen=True, slots=True)
class Repeats:
    """How the rows that goals look at repeat each other; the counts of different users add up."""

    rows: int = 0
    ties: int = 0
    """Rows that share user and instant with another one."""
    duplicates: int = 0
    """Rows beyond the first of those that are alike in user, time and all that is counted with."""
    tied: Mapping[str, int] = field(default_factory=dict)
    """Condition to how many of the ties it holds for."""
    doubled: Mapping[str, int] = field(default_factory=dict)
    """Condition to how many of the duplicates it holds for."""

    @classmethod
    def added(cls, parts: Sequence["Repeats"]) -> "Repeats":
        """The repeats among the rows of all the users together."""
        return cls(
            rows=sum(part.rows for part in parts),
            ties=sum(part.ties for part in parts),
            duplicates=sum(part.duplicates for part in parts),
            tied=sum((Counter(part.tied) for part in parts), Counter()),
            doubled=sum((Counter(part.doubled) for part in parts), Counter()),
        )


def count_repeats(rows: pl.DataFrame, specific: Sequence[str]) -> Repeats:
    """The repeats among rows of whole users, sorted by user and time.

    Only rows for which one of the conditions `specific` (Boolean columns) holds are looked at.
    """
    if specific:
        looked_at = rows.select(pl.any_horizontal(specific)).to_series()
        rows = rows if looked_at.all() else rows.filter(looked_at)
    if rows.is_empty() or not specific:
        return Repeats()
    tied = rows.filter(are_tied(rows))
    if tied.is_empty():
        return Repeats(rows=rows.height)
    alike = tied.group_by(tied.columns).agg((pl.len() - 1).cast(pl.Int64).alias("beyond the first"))
    more = alike["beyond the first"]
    return Repeats(
        rows=rows.height,
        ties=tied.height,
        duplicates=int(more.sum()),
        tied={column: int(tied[column].sum()) for column in specific},
        doubled={column: int(more.filter(alike[column]).sum()) for column in specific},
    )


def are_tied(rows: pl.DataFrame) -> pl.Series:
    """Whether each row, of rows sorted by user and time, shares both with another one."""
    same = (pl.col(USER) == pl.col(USER).shift()) & (pl.col(TIME) == pl.col(TIME).shift())
    repeats = rows.select(same.fill_null(value=False)).to_series()
    return repeats | repeats.shift(-1, fill_value=False)

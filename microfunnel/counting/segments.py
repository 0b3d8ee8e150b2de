"""The segment of each journey: the value of a column at its entry, at one of its steps, or first or last on its way."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import polars as pl

from microfunnel.counting.attempts import at_column
from microfunnel.counting.paths import Plan
from microfunnel.counting.ties import INSTANT
from microfunnel.events import field_column
from microfunnel.funnels import Breakdown, Funnel
from microfunnel.results import NOT_REACHED, NOT_SET

SEPARATOR = "\x1f"
"""Between the values of several columns."""


def segment_column(index: int) -> str:
    """The column with the segment of a breakdown (0 for the first) of a funnel."""
    return f"segment_{index}"


def optional_column(step: int) -> str:
    """The column with a row at whose instant a journey took an optional step of the funnel (0 for the first)."""
    return f"optional_{step}"


def label_expr(breakdown: Breakdown) -> pl.Expr:
    """The values of a breakdown's columns on one event, as one text.

    Where all are missing it is null, or says so if no other event can have one that counts.
    """
    label = _label(breakdown)
    return label.fill_null(nothing(breakdown)) if breakdown.value in {"entry", "all_steps"} else label


def _label(breakdown: Breakdown) -> pl.Expr:
    values = [pl.col(field_column(name)) for name in breakdown.columns]
    if len(values) == 1 and breakdown.bins is None and breakdown.value == "entry":
        return values[0]
    values = [value.cast(pl.String) for value in values]
    if breakdown.bins is not None:
        return _bin(values[0], breakdown.bins)
    if len(values) == 1:
        return values[0]
    parts = (value.fill_null(NOT_SET).str.replace_all(SEPARATOR, " ", literal=True) for value in values)
    whole = pl.concat_str(parts, separator=SEPARATOR)
    return pl.when(pl.any_horizontal(value.is_not_null() for value in values)).then(whole)


def nothing(breakdown: Breakdown, word: str = NOT_SET) -> str:
    """The text of a segment without any value."""
    return SEPARATOR.join([word] * len(breakdown.columns))


def values_of(segment: str, breakdown: Breakdown) -> list[str]:
    """The value of each of a breakdown's columns in the text of a segment."""
    return segment.split(SEPARATOR) if len(breakdown.columns) > 1 else [segment]


def bin_labels(bins: Sequence[float]) -> list[str]:
    """The names of the bins, the lowest first; each holds its lower limit."""
    limits = [f"{limit:g}" for limit in bins]
    inner = [f"{low} to {high}" for low, high in pairwise(limits)]
    return [f"under {limits[0]}", *inner, f"{limits[-1]} or more"]


def _bin(value: pl.Expr, bins: Sequence[float]) -> pl.Expr:
    number = value.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
    labels = bin_labels(bins)
    below = [pl.when(number < limit).then(pl.lit(label)) for limit, label in zip(bins, labels[:-1], strict=True)]
    return pl.when(number.is_not_null()).then(pl.coalesce(*below, pl.lit(labels[-1])))


def segment_series(journeys: pl.DataFrame, rows: pl.DataFrame, funnel: Funnel, plan: Plan, index: int) -> pl.Series:
    """The segment of each journey for one breakdown (String or Categorical, never null), named `segment_I`."""
    breakdown, name = funnel.by[index], segment_column(index)
    if breakdown.value == "entry":
        return journeys[name]
    values = values_at_steps(journeys, rows, funnel, plan, index)
    if breakdown.step is not None:
        step = [each.label for each in funnel.steps].index(breakdown.step)
        reached = journeys[step_rows(plan)[step]].is_not_null()
        found = values[step].fill_null(nothing(breakdown))
        return found.zip_with(reached, pl.Series([nothing(breakdown, NOT_REACHED)])).alias(name)
    return coalesced(values, last=breakdown.value == "last").fill_null(nothing(breakdown)).alias(name)


def step_rows(plan: Plan) -> dict[int, str]:
    """For each step (0 for the funnel's first) the column with the row at which a journey took it."""
    required = {step: at_column(place) for place, step in enumerate(plan.required)}
    return required | {step: optional_column(step) for step in plan.optional}


def values_at_steps(
    journeys: pl.DataFrame, rows: pl.DataFrame, funnel: Funnel, plan: Plan, index: int
) -> dict[int, pl.Series]:
    """For each step (0 for the funnel's first) the value of a breakdown where each journey took it; null without."""
    # In any order it is not said which step an event of the journey served.
    any_step = pl.any_horizontal(plan.path.steps)
    return {
        step: _at_step(
            journeys, rows, at, any_step if funnel.order == "any" else pl.col(f"step_{step}"), segment_column(index)
        )
        for step, at in sorted(step_rows(plan).items())
    }


def coalesced(values: Mapping[int, pl.Series], *, last: bool) -> pl.Series:
    """The first, or the last, value of the steps that has one; null without."""
    frame = pl.DataFrame([value.alias(str(place)) for place, value in values.items()])
    return frame.select(pl.coalesce(frame.columns[::-1] if last else frame.columns)).to_series()


def _at_step(journeys: pl.DataFrame, rows: pl.DataFrame, at: str, step: pl.Expr, name: str) -> pl.Series:
    """The value at the event that took a step; the smallest where several of that instant could have."""
    smallest = rows.filter(step).group_by(INSTANT).agg(pl.col(name).min())
    instants = journeys.select(rows[INSTANT].gather(journeys[at]).alias(INSTANT))
    return instants.join(smallest, on=INSTANT, how="left", maintain_order="left")[name]

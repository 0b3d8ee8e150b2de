"""Rows that hold a list of events become a row for each of them."""

import re
from collections.abc import Mapping, Sequence

import polars as pl


def unfolded(frame: pl.LazyFrame, field: str) -> pl.LazyFrame:
    """The frame with a row for each element of a list (List of Struct), which is a column of its own from then on."""
    schema = frame.collect_schema()
    if field not in schema:
        frame = _gathered(frame, list(schema), field)
    return frame.explode(field).filter(pl.col(field).is_not_null())


def _gathered(frame: pl.LazyFrame, names: Sequence[str], field: str) -> pl.LazyFrame:
    """The columns `field_0_a`, `field_0_b`, `field_1_a` ... as one column: a list of what stands under each number."""
    parts: dict[int, dict[str, str]] = {}
    for name in names:
        if found := re.fullmatch(rf"{re.escape(field)}_(\d+)_(.+)", name):
            parts.setdefault(int(found[1]), {})[found[2]] = name
    keys = dict.fromkeys(key for columns in parts.values() for key in columns)
    elements = [_element(columns, list(keys)) for _, columns in sorted(parts.items())]
    listed = {name for columns in parts.values() for name in columns.values()}
    kept = [name for name in names if name not in listed]
    return frame.select(*kept, pl.concat_list(elements).list.drop_nulls().alias(field))


def _element(columns: Mapping[str, str], keys: Sequence[str]) -> pl.Expr:
    values = {key: pl.col(columns[key]) if key in columns else pl.lit(None, dtype=pl.String) for key in keys}
    is_there = pl.any_horizontal(pl.col(name).is_not_null() & (pl.col(name) != "") for name in columns.values())
    return pl.when(is_there).then(pl.struct([value.alias(key) for key, value in values.items()]))

"""A table as the contents of a file: CSV, NDJSON or Parquet, the same bytes for the same table."""

from collections.abc import Callable
from io import BytesIO

import polars as pl

from microfunnel.rendering.findings import FORMULA, guarded

WHOLE = "%Y-%m-%dT%H:%M:%SZ"
PARTS = "%Y-%m-%dT%H:%M:%S%.6fZ"


def as_csv(table: pl.DataFrame) -> bytes:
    """CSV with a header; a text that a spreadsheet would take for a formula is guarded."""
    text = pl.col(pl.String)
    is_formula = text.str.contains(f"^(?:{FORMULA.pattern})")
    safe = _with_texts(table).with_columns(pl.when(is_formula).then(pl.lit("'") + text).otherwise(text).name.keep())
    return safe.rename({name: guarded(name) for name in safe.columns}).write_csv().encode()


def as_ndjson(table: pl.DataFrame) -> bytes:
    """One JSON object a line."""
    return _with_texts(table).write_ndjson().encode()


def as_parquet(table: pl.DataFrame) -> bytes:
    """Parquet, in which times are times."""
    out = BytesIO()
    table.write_parquet(out)
    return out.getvalue()


TABLES: dict[str, Callable[[pl.DataFrame], bytes]] = {"csv": as_csv, "ndjson": as_ndjson, "parquet": as_parquet}


def _with_texts(table: pl.DataFrame) -> pl.DataFrame:
    """The table with times as JSON has them: ISO 8601 in UTC, with microseconds only where there are any."""
    times = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Datetime)]
    return table.with_columns(
        pl.when(pl.col(name).dt.microsecond() == 0)
        .then(pl.col(name).dt.to_string(WHOLE))
        .otherwise(pl.col(name).dt.to_string(PARTS))
        .alias(name)
        for name in times
    )

"""How often each field of an export is filled, and with what."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from microfunnel.events import field_column
from microfunnel.inspections import Property, ValueCount

LONGEST = 200
"""Characters that are kept of a value."""
MOST_TEXTS = 50_000
"""Different values of a field, from which on those that were met once are known by their hash alone."""
COMMONEST = 10
MOST_EVENTS = 50
MONEY = re.compile(r"(^|[._ ])(revenue|value|amount|price|total|sum|umsatz|betrag|preis|montant|prix|importe|precio)")
KEY, VALUE, ROWS = "key", "value", "rows"
EVENT = field_column("event")


class Tally:
    """Counts the values of one field, batch by batch."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.may_be_money = MONEY.search(field.casefold()) is not None
        self._rows = 0
        self._numbers = 0
        self._values: list[pl.DataFrame] = []
        self._events: Counter[str] = Counter()

    def add(self, batch: pl.DataFrame) -> None:
        text = pl.col(field_column(self.field))
        counted = (
            batch.lazy()
            .filter(text.is_not_null())
            .group_by(text.alias(VALUE))
            .agg(pl.len().alias(ROWS))
            .select(
                pl.col(VALUE).hash().alias(KEY), ROWS, pl.col(VALUE).str.slice(0, LONGEST), number_of(pl.col(VALUE))
            )
            .collect()
        )
        self._rows += batch.height
        self._numbers += int(counted.filter(pl.col("number").is_not_null())[ROWS].sum())
        self._values.append(counted.select(KEY, ROWS, VALUE))
        self._merge()
        if self.may_be_money:
            filled = batch.lazy().filter(number_of(text) != 0).group_by(EVENT).agg(pl.len().alias(ROWS)).collect()
            self._events += Counter(dict(filled.select(EVENT, ROWS).drop_nulls().iter_rows()))

    def _merge(self) -> None:
        values = pl.concat(self._values).group_by(KEY).agg(pl.col(ROWS).sum(), pl.col(VALUE).max())
        if values.height > MOST_TEXTS:
            values = values.with_columns(pl.when(pl.col(ROWS) > 1).then(VALUE))
        self._values = [values]

    def found(self) -> Property:
        values = pl.concat([pl.DataFrame(schema={KEY: pl.UInt64, ROWS: pl.UInt32, VALUE: pl.String}), *self._values])
        filled = int(values[ROWS].sum())
        top = values.drop_nulls().sort(ROWS, VALUE, KEY, descending=[True, False, False]).head(COMMONEST)
        return Property(
            field=self.field,
            rows=self._rows,
            filled=filled,
            numbers=self._numbers,
            different=values.height,
            commonest=tuple(ValueCount(text, rows, filled) for text, rows in top.select(VALUE, ROWS).iter_rows()),
            numbers_by_event=_top(self._events),
        )


def number_of(text: pl.Expr) -> pl.Expr:
    """The plain number that a text is, null where it is none."""
    number = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias("number")


def _top(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_EVENTS])


def tallies(fields: Sequence[str]) -> list[Tally]:
    """One for each field."""
    return [Tally(field) for field in fields]

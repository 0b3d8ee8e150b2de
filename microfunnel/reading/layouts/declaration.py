"""What a layout declares: which fields an export has, and what they mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

Lookup = Callable[[str], pl.Expr]
"""Gives a field of the export as text, null where a row or the whole file has none."""
Value = str | tuple[str, ...] | Callable[[Lookup], pl.Expr]
"""A field, the first of several that has a value, or something made of fields."""


def value_of(value: Value, text: Lookup) -> pl.Expr:
    """A value as text."""
    if isinstance(value, str):
        return text(value)
    return pl.coalesce(*map(text, value)) if isinstance(value, tuple) else value(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """Text with a separator between the fields of a line."""

    separator: str
    quote: str | None = '"'
    names: tuple[str, ...] | None = None
    """The fields of each line, where no line of the file names them."""
    names_after: str | None = None
    """What stands before the names of the fields, on a line of comment."""
    comment: str | None = None
    """How lines begin that are none of the table."""
    least: tuple[str, ...] = ()
    """Of the names on a line of comment, those that must be there."""

    def names_in(self, lines: Sequence[str]) -> tuple[str, ...]:
        """The fields of lines that have no header."""
        start = self.names_after
        if start is None:
            return self.names or ()
        return next((tuple(line.removeprefix(start).split()) for line in lines if line.startswith(start)), ())

    def share(self, lines: Sequence[str]) -> float:
        """The share of the lines that are built like this."""
        names = self.names_in(lines)
        if not names or not lines:
            return 0.0
        if self.names_after is not None:
            return float(set(names).issuperset(self.least))
        return sum(line.count(self.separator) + 1 == len(names) for line in lines) / len(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Text whose lines fit a pattern (Rust regex); its named groups are the fields."""

    pattern: str

    def share(self, lines: Sequence[str]) -> float:
        """The share of the lines that are built like this."""
        fitting = pl.Series(lines, dtype=pl.String).str.contains(self.pattern)
        return int(fitting.sum()) / len(lines) if lines else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form of the export of one tool."""

    name: str
    """What `events.layout` calls it; several forms of one export share it."""
    title: str
    """What people call it."""
    marks: tuple[str, ...] = ()
    """Fields by which it is recognised: all of them are there. Of several layouts the one with the most is meant."""
    values: Mapping[str, Value]
    """What `user`, `time`, `event`, `session` and `anonymous` are, and other fields under names of their own."""
    time_format: str | None = None
    """As in the goals file; told by the values where it is None."""
    timezone: str | None = None
    """Of times without a zone, where the tool decides it."""
    text: Delimited | Lines | None = None
    """How the lines of a file are built, where it is neither CSV with its header nor NDJSON."""
    key_lists: tuple[str, ...] = ()
    """Fields that hold a list of keys and values."""
    unfold: str | None = None
    """The field that holds a list of events, each of which becomes a row."""
    duplicates: tuple[str, ...] = ()
    """Fields that are the same in two rows only where they are one event that was written twice."""
    ties: tuple[str, ...] = ()
    """Fields by which events of one instant have an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """An export that holds sums where events are needed."""

    title: str
    instead: str
    """The export to take."""
    head: str
    """A pattern (Rust regex) that the beginning of its text fits."""

"""Which tool an export is of: told by its fields, or by how its lines are built."""

from collections.abc import Collection, Sequence

import polars as pl

from microfunnel.errors import InputError
from microfunnel.reading.layouts import all_aggregates, all_layouts
from microfunnel.reading.layouts.declaration import Layout

MOSTLY = 0.5
"""The share of the lines that must fit a layout."""
LINES_LOOKED_AT = 100
OWN = "own"
"""What `events.layout` calls a table that is none of another tool."""


def layout_of_fields(fields: Collection[str], name: str | None) -> Layout | None:
    """The layout whose fields are all there, of several the one with the most; of a name, the one that fits best."""
    known = _named(name)
    there = {*fields, *(each for each in unfolded_fields() if any(field.startswith(f"{each}_0_") for field in fields))}
    if name is not None:
        return max(known, key=lambda layout: len(there.intersection(layout.marks)), default=None)
    fitting = [layout for layout in known if layout.marks and there.issuperset(layout.marks)]
    return max(fitting, key=lambda layout: len(layout.marks), default=None)


def layout_of_lines(lines: Sequence[str], name: str | None) -> Layout | None:
    """The layout that most of these lines are built like, of those that say how their lines are built."""
    some = [line for line in lines if line.strip()][:LINES_LOOKED_AT]
    shares = [(layout.text.share(some), layout) for layout in _named(name) if layout.text is not None]
    best, layout = max(shares, key=lambda each: each[0], default=(0.0, None))
    return layout if best > MOSTLY else None


def unfolded_fields() -> set[str]:
    """Fields that hold a list of events in some layout."""
    return {layout.unfold for layout in all_layouts() if layout.unfold}


def refuse_aggregates(lines: Sequence[str]) -> None:
    """An InputError where a file that begins with these lines holds sums and no events."""
    aggregates = all_aggregates()
    head = pl.lit("\n".join(lines[:20]))
    found = pl.select(head.str.contains(each.head).alias(str(number)) for number, each in enumerate(aggregates)).row(0)
    for aggregate, is_one in zip(aggregates, found, strict=True):
        if is_one:
            raise InputError(
                f"is a {aggregate.title}: it holds sums, and nothing says who did what",
                hint=f"take {aggregate.instead}",
            )


def _named(name: str | None) -> list[Layout]:
    """The layouts of this name, or all; none for a table that is said to be no other tool's."""
    if name is None or name == OWN:
        return [] if name else all_layouts()
    return [layout for layout in all_layouts() if layout.name == name]

"""A finding for programs and for spreadsheets."""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from typing import Protocol, TypeVar

from microfunnel.accounts import EventsResult
from microfunnel.rendering import Screen
from microfunnel.rendering.to_json import events_contents, json_number

Scalar = str | int | float | Decimal | bool | None
FORMULA = re.compile(r"[=+\-@\t\r\n]")


class Finding(Protocol):
    @property
    def events(self) -> EventsResult: ...


F = TypeVar("F", bound=Finding)


def formats(
    name: str,
    table: Callable[[F, Screen], str],
    contents: Callable[[F], Mapping[str, object]],
    rows: Callable[[F], Sequence[Mapping[str, Scalar]]],
) -> dict[str, Callable[[F, Screen], str]]:
    """How a kind of finding is shown in each format: `contents` of its JSON beside the events, `rows` of its CSV."""
    return {
        "table": table,
        "json": lambda finding, _: as_json(name, finding.events, contents(finding)),
        "csv": lambda finding, _: as_csv(rows(finding)),
    }


def as_json(name: str, events: EventsResult, contents: Mapping[str, object]) -> str:
    """JSON, the same bytes for the same finding on every screen; `name` is that of its schema."""
    whole = {"schema": f"microfunnel.{name}/1", "events": events_contents(events), **contents}
    return json.dumps(whole, indent=2, ensure_ascii=True, allow_nan=False, default=_number) + "\n"


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return json_number(value)
    raise TypeError(type(value))


def as_csv(rows: Sequence[Mapping[str, Scalar]]) -> str:
    """CSV with a header, of rows with the same keys; a text that a spreadsheet would take for a formula is guarded."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0] if rows else [])
    writer.writerows([cell(value) for value in row.values()] for row in rows)
    return out.getvalue()


def cell(value: Scalar) -> str:
    """A value as it stands in CSV; nothing for None."""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else repr(value)


def guarded(text: str) -> str:
    """The text, behind a `'` where a spreadsheet would take it for a formula."""
    return f"'{text}" if FORMULA.match(text) else text

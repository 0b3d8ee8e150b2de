"""What is known of files before they are read: of which form they are, and what their columns mean."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """Files that are alike: of one kind, of one layout, with the same columns."""

    files: tuple[str, ...]
    kind: str
    """`CSV`, `Parquet`, `NDJSON` or `log`."""
    layout: str | None
    """The tool whose export it is, as people call it; None where it is no known one's."""
    layout_name: str | None
    """What `events.layout` calls it."""
    columns: Mapping[str, str]
    """`user`, `time`, `event`, `session` as far as they were found: the field or the fields that they are read from."""
    guessed: tuple[str, ...]
    """Those of them that nobody declared and no layout knows: the names of their columns are usual."""
    fields: tuple[str, ...]
    """All other fields: columns, and the commonest parts of nested ones."""

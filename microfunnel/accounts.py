"""What became of the rows of a reading, and what a reader should know before trusting the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportWarning:
    """Something that a reader of the numbers should know, and the goals and steps that it touches."""

    warning: str
    """A short code for programs, such as `unmatched_step`."""
    message: str
    goals: tuple[str, ...] = ()
    """No goals and no steps: it is about the whole report."""
    steps: tuple[tuple[str, str], ...] = ()
    """Funnel and step."""


HARMLESS = ("blank_row", "duplicate", "cut_off")
"""Reasons to reject a row by which nothing of the log is lost; what is cut off will be whole next time."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be used."""

    file: str
    line: int
    """Of a text file; the number of the row in Parquet."""
    reason: str
    raw: str | None
    """What it says."""


@dataclass(frozen=True, slots=True)
class EventsResult:
    """What became of every row."""

    files: int
    rows_read: int
    rows_used: int
    rows_filtered: int
    rejected: Mapping[str, int]
    """Reason to rows; only reasons that occurred."""
    users: int | None
    """Users with an event in the period that was asked for; None where nobody asked for them."""
    sessions: int | None
    """None where nothing asks for sessions."""
    first_time: int | None
    """Of those events; microseconds since 1970 UTC, None where there are none."""
    last_time: int | None
    timezone: str
    """For the days that people read; the JSON is UTC."""
    warnings: tuple[ReportWarning, ...]
    layouts: tuple[str, ...] = ()
    """Of which tools the files are exports, where that was recognised."""
    samples: tuple[RejectedRow, ...] = ()
    """The first rows that were rejected."""
    joined_ids: int | None = None
    """Anonymous ids that belong to a user; None where no column of them is declared."""
    duplicates: int | None = None
    """Rows that goals look at, alike in all that is counted with: those beyond the first. None where nobody asks."""
    ties: int | None = None
    """Rows that goals look at which share user and instant with another one. None where nobody asks."""

    @property
    def faulty(self) -> int:
        """Rows that were rejected for what stands in them; a duplicate is one for what stands in another row."""
        return sum(n for reason, n in self.rejected.items() if reason != "duplicate")

    @property
    def bad(self) -> dict[str, int]:
        """Reason to rows, of those by which something of the log is lost."""
        return {reason: n for reason, n in self.rejected.items() if reason not in HARMLESS}

    @property
    def bad_samples(self) -> list[RejectedRow]:
        """The first of these rows."""
        return [row for row in self.samples if row.reason not in HARMLESS]

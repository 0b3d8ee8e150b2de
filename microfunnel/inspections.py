"""What an inspection found: what is in an export, before anybody has said what it means."""

from collections.abc import Mapping
from dataclasses import dataclass

from microfunnel.accounts import EventsResult
from microfunnel.forms import Form
from microfunnel.results import Rate


@dataclass(frozen=True, slots=True)
class EventName:
    """How often one event occurs, and with how many users."""

    event: str
    events: int
    users: int
    all_users: int

    @property
    def of_users(self) -> Rate:
        return Rate(self.users, self.all_users)


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value of a property, and the rows that have it."""

    value: str
    rows: int
    filled: int
    """Rows in which the property has a value."""

    @property
    def share(self) -> Rate:
        return Rate(self.rows, self.filled)


@dataclass(frozen=True, slots=True)
class Property:
    """A field of the export that is neither user, time, event nor session."""

    field: str
    rows: int
    """Rows that were looked at."""
    filled: int
    numbers: int
    """Of the filled ones, those that are plain numbers."""
    different: int
    commonest: tuple[ValueCount, ...]
    numbers_by_event: Mapping[str, int]
    """Of a field that may be money: rows with a number other than 0, by event."""

    @property
    def filling(self) -> Rate:
        return Rate(self.filled, self.rows)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in an export."""

    forms: tuple[Form, ...]
    events: EventsResult
    different_events: int
    unnamed_events: int
    """Events whose names were met after so many other ones that they are not listed."""
    names: tuple[EventName, ...]
    """The most frequent first."""
    properties: tuple[Property, ...]
    property_rows: int | None
    """The first rows, in which the properties were looked at; None where these are all."""
    problems: tuple[str, ...] = ()
    """Why nothing can be counted: what is missing."""

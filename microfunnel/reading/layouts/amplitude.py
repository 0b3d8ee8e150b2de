"""Amplitude, Export API: a zip, or its folder, of gzipped NDJSON by hour of upload."""

import polars as pl

from microfunnel.reading.layouts.declaration import Aggregate, Layout, Lookup

OUT_OF_SESSION = "-1"


def session(text: Lookup) -> pl.Expr:
    """The session, which the events of servers do not have."""
    number = text("session_id")
    return pl.when(number != OUT_OF_SESSION).then(number)


LAYOUTS = (
    Layout(
        name="amplitude",
        title="Amplitude export",
        marks=("event_type", "event_time", "device_id", "amplitude_id"),
        values={
            "user": ("user_id", "device_id"),
            "anonymous": "device_id",
            "session": session,
            "time": "event_time",
            "event": "event_type",
        },
        timezone="UTC",
        duplicates=("device_id", "$insert_id"),
        ties=("event_id",),
    ),
)
AGGREGATES = (
    Aggregate(
        title="Amplitude chart",
        instead="the events themselves, by the Export API",
        head=r'\n"?Segment"?,"?Event"?,"?\d{4}-\d\d-\d\d',
    ),
)

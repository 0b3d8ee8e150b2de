"""Segment and RudderStack: calls as JSONL, and the table `tracks` of a warehouse."""

from collections.abc import Mapping

import polars as pl

from microfunnel.reading.layouts.declaration import Layout, Lookup, Value


def call(text: Lookup) -> pl.Expr:
    """The event of a track, and the type of any other call."""
    return pl.when(text("type") == "track").then(text("event")).otherwise(text("type"))


CALL: Mapping[str, Value] = {
    "user": ("userId", "anonymousId"),
    "anonymous": "anonymousId",
    "time": "timestamp",
    "event": call,
}
TRACK: Mapping[str, Value] = {
    "user": ("user_id", "anonymous_id"),
    "anonymous": "anonymous_id",
    "time": "timestamp",
    "event": "event",
}
CALL_MARKS = ("type", "anonymousId", "messageId", "timestamp")
TRACK_MARKS = ("anonymous_id", "event", "event_text", "timestamp", "received_at")

LAYOUTS = (
    Layout(name="segment", title="Segment calls", marks=CALL_MARKS, values=CALL, duplicates=("messageId",)),
    Layout(name="segment", title="Segment table", marks=TRACK_MARKS, values=TRACK, duplicates=("id",)),
    Layout(
        name="rudderstack",
        title="RudderStack calls",
        marks=(*CALL_MARKS, "rudderId"),
        values={**CALL, "session": "context.sessionId"},
        duplicates=("messageId",),
    ),
    Layout(
        name="rudderstack",
        title="RudderStack table",
        marks=(*TRACK_MARKS, "context_session_id"),
        values={**TRACK, "session": "context_session_id"},
        duplicates=("id",),
    ),
)

"""PostHog, batch exports: Parquet with JSON text, or JSONL."""

from microfunnel.reading.layouts.declaration import Layout

LAYOUTS = (
    Layout(
        name="posthog",
        title="PostHog export",
        marks=("event", "distinct_id", "properties", "timestamp"),
        values={
            "user": ("person_id", "distinct_id"),
            "anonymous": "distinct_id",
            "session": "properties.$session_id",
            "time": "timestamp",
            "event": "event",
        },
        duplicates=("uuid",),
    ),
)

"""Plausible, self-hosted: the table `events_v2` of its database."""

from microfunnel.reading.layouts.declaration import Aggregate, Layout

LAYOUTS = (
    Layout(
        name="plausible",
        title="Plausible events",
        marks=("site_id", "name", "pathname", "user_id", "session_id", "timestamp"),
        # An id that is drawn anew each day, so there is no other user behind it.
        values={
            "user": "user_id",
            "anonymous": "user_id",
            "session": "session_id",
            "time": "timestamp",
            "event": "name",
        },
        timezone="UTC",
    ),
)
AGGREGATES = (
    Aggregate(
        title="Plausible stats export",
        instead="the table events_v2 of a self-hosted Plausible",
        head=r'^"?date"?,[^\n]*"?(visitors|pageviews)"?',
    ),
)

"""Matomo, Live.getLastVisitsDetails: visits with their actions, as JSON or as UTF-16 CSV."""

from microfunnel.reading.layouts.declaration import Layout

LAYOUTS = (
    Layout(
        name="matomo",
        title="Matomo visits",
        marks=("idVisit", "visitorId", "actionDetails"),
        values={
            "user": ("userId", "visitorId"),
            "anonymous": "visitorId",
            "session": "idVisit",
            "time": "actionDetails.timestamp",
            "event": "actionDetails.type",
        },
        time_format="epoch_s",
        unfold="actionDetails",
    ),
)

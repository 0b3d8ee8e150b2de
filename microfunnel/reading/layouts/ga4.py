"""GA4, exported to BigQuery: nested tables as Parquet or NDJSON, and results of queries as CSV."""

from collections.abc import Mapping

from microfunnel.reading.layouts.declaration import Aggregate, Layout, Value

TITLE = "GA4 export of BigQuery"
WHO: Mapping[str, Value] = {
    "user": ("user_id", "user_pseudo_id"),
    "anonymous": "user_pseudo_id",
    "time": "event_timestamp",
    "event": "event_name",
}
TIES = ("batch_page_id", "batch_ordering_id", "batch_event_index")


LAYOUTS = (
    Layout(
        name="ga4",
        title=TITLE,
        marks=("event_timestamp", "event_name", "event_params", "user_pseudo_id"),
        values={**WHO, "session": "event_params.ga_session_id"},
        time_format="epoch_us",
        key_lists=("event_params", "user_properties"),
        ties=TIES,
    ),
    Layout(
        name="ga4",
        title=f"{TITLE}, result of a query",
        marks=("event_timestamp", "event_name", "user_pseudo_id"),
        values={**WHO, "session": "ga_session_id"},
        time_format="epoch_us",
        ties=TIES,
    ),
)
AGGREGATES = (
    Aggregate(
        title="GA4 report",
        instead="the events themselves, which GA4 exports to BigQuery",
        head=r"^#\s*-{5,}[\s\S]*\n#\s*(Start date|Property|Account)",
    ),
)

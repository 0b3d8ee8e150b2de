"""Mixpanel, raw export: a line for each event, with everything but its name in `properties`."""

from microfunnel.reading.layouts.declaration import Aggregate, Layout

LAYOUTS = (
    Layout(
        name="mixpanel",
        title="Mixpanel raw export",
        marks=("event", "properties", "properties.time", "properties.distinct_id"),
        values={
            "user": ("properties.$user_id", "properties.$device_id", "properties.distinct_id"),
            "anonymous": ("properties.$device_id", "properties.distinct_id"),
            "time": "properties.time",
            "event": "event",
        },
        duplicates=("event", "properties.distinct_id", "properties.time", "properties.$insert_id"),
    ),
)
AGGREGATES = (
    Aggregate(
        title="Mixpanel chart",
        instead="the events themselves, by the Raw Data Export API",
        head=r'^"?Date"?,[^\n]* - (Total|Unique)',
    ),
)

"""Umami: the table `website_event` of its database, and the download of its cloud."""

import polars as pl

from microfunnel.reading.layouts.declaration import Aggregate, Layout, Lookup

KINDS = {"1": "pageview", "3": "link", "4": "pixel", "5": "performance"}


def event(text: Lookup) -> pl.Expr:
    """The name that an event was given, or what kind it is of."""
    kind = text("event_type")
    return pl.coalesce(text("event_name"), kind.replace_strict(KINDS, default=None, return_dtype=pl.String))


LAYOUTS = (
    Layout(
        name="umami",
        title="Umami events",
        marks=("website_id", "session_id", "visit_id", "event_type", "url_path", "created_at"),
        values={
            "user": ("distinct_id", "session_id"),
            "anonymous": "session_id",
            "session": "visit_id",
            "time": "created_at",
            "event": event,
        },
        duplicates=("event_id",),
    ),
)
AGGREGATES = (
    Aggregate(
        title="Umami stats export", instead="the table website_event of Umami's database", head=r'^"?x"?,"?y"?\r?\n'
    ),
)

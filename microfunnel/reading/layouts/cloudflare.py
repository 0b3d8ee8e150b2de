"""Cloudflare Logpush of HTTP requests, as NDJSON."""

from microfunnel.reading.layouts.declaration import Layout
from microfunnel.reading.layouts.web_requests import requests

LAYOUTS = (
    Layout(
        name="cloudflare",
        title="Cloudflare log",
        marks=("EdgeStartTimestamp", "ClientIP", "ClientRequestMethod", "ClientRequestURI"),
        values={
            "time": "EdgeStartTimestamp",
            **requests(
                address="ClientIP",
                agent="ClientRequestUserAgent",
                method="ClientRequestMethod",
                target="ClientRequestURI",
            ),
            "status": "EdgeResponseStatus",
            "referer": "ClientRequestReferer",
        },
        duplicates=("RayID",),
    ),
)

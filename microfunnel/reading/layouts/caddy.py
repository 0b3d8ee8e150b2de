"""Caddy's access log: NDJSON, with headers as lists."""

from microfunnel.reading.layouts.declaration import Layout
from microfunnel.reading.layouts.web_requests import requests

LAYOUTS = (
    Layout(
        name="caddy",
        title="Caddy log",
        marks=("ts", "request", "status", "logger"),
        values={
            "time": "ts",
            **requests(
                address=("request.client_ip", "request.remote_ip"),
                agent="request.headers.User-Agent.0",
                login="user_id",
                method="request.method",
                target="request.uri",
            ),
            "status": "status",
            "referer": "request.headers.Referer.0",
        },
        time_format="epoch_s",
    ),
)

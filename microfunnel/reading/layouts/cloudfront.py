"""Amazon CloudFront, standard logs: tabs, date and time apart, what is not text URL-encoded."""

import polars as pl

from microfunnel.reading.layouts.declaration import Delimited, Layout, Lookup
from microfunnel.reading.layouts.web_requests import decoded, given, requests


def time(text: Lookup) -> pl.Expr:
    """Date and time in UTC."""
    return pl.concat_str(text("date"), text("time"), separator=" ")


LAYOUTS = (
    Layout(
        name="cloudfront",
        title="CloudFront log",
        values={
            "time": time,
            **requests(
                address="c-ip",
                agent=decoded(given("cs(User-Agent)")),
                method="cs-method",
                target="cs-uri-stem",
            ),
            "status": given("sc-status"),
            "referer": given("cs(Referer)"),
            "query": given("cs-uri-query"),
        },
        timezone="UTC",
        text=Delimited(
            separator="\t", quote=None, names_after="#Fields:", comment="#", least=("c-ip", "cs-method", "cs-uri-stem")
        ),
    ),
)

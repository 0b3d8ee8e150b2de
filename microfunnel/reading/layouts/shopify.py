"""Shopify: only its reports are files, and they hold sums."""

from microfunnel.reading.layouts.declaration import Aggregate

AGGREGATES = (
    Aggregate(
        title="Shopify report",
        instead="events that a web pixel of your shop has collected",
        head=r'^"?(Day|Week|Month)"?,"?(Sessions|Online store visitors)"?',
    ),
)

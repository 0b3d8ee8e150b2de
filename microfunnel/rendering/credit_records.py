"""The credit of channels for programs: the contract that schemas/credit.schema.json describes, and rows of CSV."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from microfunnel.findings.credit import MODELS, ChannelCredit, CreditFinding
from microfunnel.rendering.findings import Scalar
from microfunnel.rendering.to_json import json_number


def contents(finding: CreditFinding) -> Mapping[str, object]:
    """What was found, beside the events."""
    return {
        "goal": finding.goal,
        "column": finding.column,
        "lookback_seconds": json_number(finding.lookback_seconds),
        "half_life_seconds": json_number(finding.half_life_seconds),
        "conversions": finding.conversions,
        "users": finding.users,
        "value": finding.value,
        "mean_touches": finding.mean_touches,
        "paths": [{"touches": length, "conversions": n} for length, n in finding.lengths.items()],
        "channels": [_channel(channel) for channel in finding.channels],
    }


def _channel(channel: ChannelCredit) -> dict[str, object]:
    return {
        "channel": channel.channel,
        "direct": channel.is_direct,
        "users": channel.users,
        "touches": channel.touches,
        "on_path": channel.on_path,
        "assisted": channel.assisted,
        "credit": {
            model: {"conversions": channel.conversions(model), "value": channel.value(model)} for model in MODELS
        },
    }


def rows(finding: CreditFinding) -> Sequence[Mapping[str, Scalar]]:
    """A row for each channel and model."""
    return [
        {
            "channel": channel.channel,
            "model": model,
            "conversions": _plain(channel.conversions(model)),
            "value": _plain(channel.value(model)),
        }
        for channel in finding.channels
        for model in MODELS
    ]


def _plain(number: Decimal | None) -> Decimal | None:
    """The same without zeros at its end."""
    return None if number is None else Decimal(f"{number:f}").normalize()

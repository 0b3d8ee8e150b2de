"""Which channel gets how much of the conversions and of the money, by each model of attribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from microfunnel.accounts import EventsResult
from microfunnel.results import Rate

MODELS = ("first", "last", "last_non_direct", "linear", "position", "time_decay")
DIRECT = "direct"
"""The channel of all touches that no other channel brought."""
MILLIONTHS = 1_000_000


@dataclass(frozen=True, slots=True)
class ChannelCredit:
    """One channel, its touches and its credit."""

    channel: str
    users: int
    """With an event in the period that it brought."""
    touches: int
    """Of all users in the period, whether they convert or not."""
    on_path: int
    """Conversions with a touch of it on their path."""
    credits: Mapping[str, int]
    """Millionths of a conversion by model."""
    values: Mapping[str, int]
    """Millionths of the money by model; empty where the goal has no value."""

    @property
    def is_direct(self) -> bool:
        return self.channel == DIRECT

    @property
    def assisted(self) -> int:
        """Conversions with it on the path and another channel as the last touch."""
        return self.on_path - self.credits["last"] // MILLIONTHS

    def conversions(self, model: str) -> Decimal:
        return Decimal(self.credits[model]) / MILLIONTHS

    def value(self, model: str) -> Decimal | None:
        """None where the goal has no value."""
        return Decimal(self.values[model]) / MILLIONTHS if self.values else None


@dataclass(frozen=True, slots=True)
class CreditFinding:
    """The credit of all channels for one goal."""

    events: EventsResult
    goal: str
    column: str
    """Where the channel is read."""
    lookback_seconds: float
    half_life_seconds: float
    conversions: int
    users: int
    """Who converted."""
    value: Decimal | None
    """What all conversions are worth; None where the goal has no value."""
    lengths: Mapping[int, int]
    """Touches on the path to conversions, in ascending order."""
    channels: tuple[ChannelCredit, ...]
    """Those with the most conversions by position first."""

    @property
    def touches(self) -> int:
        """On the paths of all conversions."""
        return sum(length * n for length, n in self.lengths.items())

    @property
    def mean_touches(self) -> float | None:
        return self.touches / self.conversions if self.conversions else None

    @property
    def single_touch(self) -> Rate:
        """The conversions after one touch alone, where all models agree."""
        return Rate(self.lengths.get(1, 0), self.conversions)

    def share(self, channel: ChannelCredit, model: str) -> Rate:
        """Of all conversions, in millionths."""
        return Rate(channel.credits[model], self.conversions * MILLIONTHS)

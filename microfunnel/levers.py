"""What more there would be if a step of a funnel rose; values, computed elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Gain:
    """What a higher rate of a step would bring, the rates of the steps after it held."""

    rate: float
    """The rate that the step would have, 0 to 1."""
    more: float
    """Conversions more than now."""
    low: float
    high: float
    """The ends of the 95 % interval of `more`."""
    value_each: Decimal | None
    """Mean value of those that converted; None where there is none."""

    @property
    def value(self) -> float | None:
        """What the conversions more are worth."""
        return self._worth(self.more)

    @property
    def value_low(self) -> float | None:
        return self._worth(self.low)

    @property
    def value_high(self) -> float | None:
        return self._worth(self.high)

    def _worth(self, conversions: float) -> float | None:
        return None if self.value_each is None else conversions * float(self.value_each)


@dataclass(frozen=True, slots=True)
class BestSegment:
    """The segment with the highest rate in a step, of those that are large enough."""

    by: Mapping[str, str]
    """Column to value."""
    reached: int
    previous: int
    """Its units at the step, and at the required step before."""
    compared: int
    """Segments of which it is the best; the interval of the gain holds for whichever of them that is."""
    gain: Gain
    """What it would bring if all units had its rate."""

    @property
    def beyond_chance(self) -> bool:
        return self.gain.low > 0


@dataclass(frozen=True, slots=True)
class Lever:
    """A step, and what would come of raising its rate."""

    step: int
    """1 for the first of the funnel."""
    goal: str
    rate: float
    """The share of the required step before, 0 to 1."""
    by_a_tenth: Gain
    best: BestSegment | None
    """None where no segment is large enough and better than all units together."""

    @property
    def is_sure(self) -> bool:
        """Whether a segment shows, beyond chance, that more is possible."""
        return self.best is not None and self.best.beyond_chance

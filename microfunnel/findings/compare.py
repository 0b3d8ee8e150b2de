"""What a comparison found: variants of a test, two periods or sets of files, or segments and all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from microfunnel.accounts import EventsResult
from microfunnel.results import FunnelResult, Rate, Totals
from microfunnel.significance import difference, is_found

MISMATCH = 0.001
"""A split that chance makes so rarely is off."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An A/B test as the command line describes it."""

    column: str
    """Says which variant somebody saw."""
    control: str
    split: Mapping[str, float] | None = None
    """Variant to its intended share of the units, in any unit; None for equal shares."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The rates of one step in two groups, each per unit that entered."""

    step: int
    goal: str
    rate: Rate
    other: Rate
    """Of the group that it is compared with."""
    interval: tuple[float, float] | None
    """95 %, of the difference."""
    lift_interval: tuple[float, float] | None
    """95 %, of the relative lift."""
    p: float | None
    q: float | None
    """Over all that was tested together."""

    @property
    def value(self) -> float | None:
        """The rate less the other, -1 to 1; None where one of them is undefined."""
        return difference(self.rate, self.other)

    @property
    def lift(self) -> float | None:
        """The difference in proportion to the other rate; None where that is 0 or undefined."""
        return self.value / self.other.value if self.value is not None and self.other.value else None

    @property
    def is_found(self) -> bool:
        """Whether chance alone would hardly make it."""
        return is_found(self.q)


@dataclass(frozen=True, slots=True)
class Variant:
    """The units that saw one variant and no other."""

    name: str
    totals: Totals
    share: float
    """Its intended share of them, 0 to 1."""
    differences: tuple[Difference, ...]
    """Against the control, for each step; none for the control itself."""
    smallest_effect: float | None
    """The smallest rise of the conversion that the sample would have shown with 80 % power at 5 %, two-sided."""


@dataclass(frozen=True, slots=True)
class VariantsFinding:
    """An A/B test."""

    events: EventsResult
    funnel: FunnelResult
    """Over all units that entered: those of `variants`, `several` and `without` together."""
    column: str
    variants: tuple[Variant, ...]
    """The control first, the others by their names."""
    several: Totals
    """Units that saw two variants or more, which are compared with nobody."""
    without: Totals
    """Units that saw none."""
    sample_ratio_p: float | None
    """How often chance would split the units so far from the shares; None where there are too few to tell."""

    @property
    def control(self) -> Variant:
        return self.variants[0]

    @property
    def is_mismatched(self) -> bool:
        return self.sample_ratio_p is not None and self.sample_ratio_p < MISMATCH


@dataclass(frozen=True, slots=True)
class Side:
    """One of two periods or sets of files."""

    since: int | None
    """Microseconds since 1970 UTC, inclusive; None is open, as for `until`."""
    until: int | None
    """Exclusive."""
    entered: int
    compared: Totals
    """The units whose window is closed; all of them without a window. Optional steps have no counts here."""

    @property
    def still_open(self) -> int:
        """Units whose window is still open, whether they have converted already or not."""
        return self.entered - self.compared.entered


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """What a segment has to do with the change of the whole rate."""

    by: Mapping[str, str]
    """Column to value."""
    before: Rate
    after: Rate
    mix: Fraction
    """What its share of the units adds to the change."""
    rate: Fraction
    """What its own rate adds."""


@dataclass(frozen=True, slots=True)
class ChangeFinding:
    """Two periods, or two sets of files."""

    events: EventsResult
    baseline_events: EventsResult | None
    """Of the older set of files; None for two periods of one log."""
    funnel: FunnelResult
    """Over the newer side."""
    before: Side
    after: Side
    both: int | None
    """Units that entered in both periods; None for two sets of files."""
    differences: tuple[Difference, ...]
    """For each required step."""
    columns: tuple[str, ...]
    """Those that the change is split by; none where it is not split."""
    value: str
    """Where the segments read their value."""
    segments: tuple[SegmentChange, ...]
    """None where it is not split, or where one side has no units."""

    @property
    def conversion(self) -> Difference:
        return self.differences[-1]

    @property
    def is_found(self) -> bool:
        """Whether chance alone would hardly make the change of the conversion, which is what is asked for."""
        return is_found(self.conversion.p)

    @property
    def mix(self) -> Fraction | None:
        """The change that other units make, their rates as they were and are on average."""
        return sum((each.mix for each in self.segments), Fraction()) if self.segments else None

    @property
    def rate(self) -> Fraction | None:
        """The change that the same units behaving otherwise make."""
        return sum((each.rate for each in self.segments), Fraction()) if self.segments else None


@dataclass(frozen=True, slots=True)
class SegmentDifference:
    """A segment and all other units together."""

    by: Mapping[str, str]
    """Column to value."""
    in_progress: int | None
    conversion: Difference


@dataclass(frozen=True, slots=True)
class SegmentsFinding:
    """Each segment against the rest."""

    events: EventsResult
    funnel: FunnelResult
    columns: tuple[str, ...]
    value: str
    segments: tuple[SegmentDifference, ...]
    """The largest first, `(other)` last."""


CompareFinding = VariantsFinding | ChangeFinding | SegmentsFinding


def split_change(before: Sequence[Rate], after: Sequence[Rate]) -> list[tuple[Fraction, Fraction]]:
    """What the share and what the rate of each segment add to the change of the whole rate, exactly.

    With shares w and rates r of the segments before (0) and after (1): the rate adds `(r1 - r0) (w0 + w1) / 2`, the mix
    `(w1 - w0) ((r0 + r1) / 2 - R)` (Kitagawa 1955), where R is the middle of the two whole rates: a segment above it
    helps by growing. As shares add up to 1 on both sides, R changes no sum. A segment that is on one side only has its
    rate there on both, so it is mix alone. Empty where one side has no units.
    """
    parts = [sum(each.part for each in side) for side in (before, after)]
    wholes = [sum(each.whole for each in side) for side in (before, after)]
    if not all(wholes):
        return []
    of_all = [Fraction(part, whole) for part, whole in zip(parts, wholes, strict=True)]
    middle = (of_all[0] + of_all[1]) / 2
    found = []
    for old, new in zip(before, after, strict=True):
        shares = Fraction(old.whole, wholes[0]), Fraction(new.whole, wholes[1])
        known = [Fraction(each.part, each.whole) for each in (old, new) if each.whole] or [middle]
        rates = known[0], known[-1]
        mix = (shares[1] - shares[0]) * ((rates[0] + rates[1]) / 2 - middle)
        found.append((mix, (rates[1] - rates[0]) * (shares[0] + shares[1]) / 2))
    return found

"""What to look for in an export: a proposal, made from what is in it."""

from dataclasses import dataclass

from microfunnel.inspections import Property


@dataclass(frozen=True, slots=True)
class Act:
    """Events that are looked at together: of one name, or of all names that fit a pattern."""

    event: str
    """The name, or the pattern (`*` is any text)."""
    is_pattern: bool
    events: int
    users: int
    money: str | None = None
    """The field that says what such an event is worth."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A funnel with its goals."""

    steps: tuple[Act, ...]
    """From the first to the last, which is what to hope for; it alone where no funnel was found."""
    others: tuple[Act, ...]
    """Signs of interest beside the way."""
    window: str
    by: Property | None
    """What to split the funnel by."""
    why_no_funnel: str | None = None

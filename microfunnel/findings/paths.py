"""What those did next who were lost at a step, and what came before a goal: counts are stored, rates are properties."""

from dataclasses import dataclass

from microfunnel.accounts import EventsResult
from microfunnel.results import FunnelResult, Rate, Times

ENDED = "(left)"
"""The last part of a path that ends because nothing more happened."""
BEGAN = "(began)"
"""The first part of a path before which nothing happened."""


@dataclass(frozen=True, slots=True)
class Line:
    """Units at a step that have the same to tell."""

    outcome: str
    """`left`, `went_to`, `looped_back`, `too_late`, `excluded` or `in_progress`; `next_step` for those that went on."""
    path: tuple[str, ...]
    """What came next, where they looped back or went somewhere; `(other)` for all paths beyond the top ones."""
    lost: int
    """Of those that got no farther."""
    went_on: int
    """Of those that did."""
    lost_times: Times
    """From the step to what came next, over those of the lost for whom anything did."""
    went_on_times: Times


@dataclass(frozen=True, slots=True)
class StepPaths:
    """What became of the units that took a step."""

    step: int
    """The number of the step that they did not take, or went on to; as in the report of the funnel."""
    goal: str
    after: str
    """The required step before it, at which they stood."""
    lines: tuple[Line, ...]

    @property
    def dropped(self) -> int:
        return sum(line.lost for line in self.lines)

    @property
    def went_on(self) -> int:
        return sum(line.went_on for line in self.lines)

    def share_lost(self, line: Line) -> Rate:
        return Rate(line.lost, self.dropped)

    def share_went_on(self, line: Line) -> Rate:
        return Rate(line.went_on, self.went_on)


@dataclass(frozen=True, slots=True)
class FunnelPaths:
    """The ledger of a funnel beside its numbers."""

    result: FunnelResult
    steps: tuple[StepPaths, ...]


@dataclass(frozen=True, slots=True)
class WayThere:
    """Users who came the same way to a goal."""

    path: tuple[str, ...]
    """The earliest event first; `(other)` for all paths beyond the top ones."""
    users: int
    times: Times
    """From the first event of the path to the goal."""


@dataclass(frozen=True, slots=True)
class PathsBefore:
    """What users did before they completed a goal for the first time."""

    goal: str
    ways: tuple[WayThere, ...]

    @property
    def users(self) -> int:
        return sum(way.users for way in self.ways)

    def share(self, way: WayThere) -> Rate:
        return Rate(way.users, self.users)


@dataclass(frozen=True, slots=True)
class PathsResult:
    """All that `paths` found."""

    events: EventsResult
    funnels: tuple[FunnelPaths, ...]
    before: PathsBefore | None
    """None where nobody asked for it."""

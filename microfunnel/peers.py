"""How other systems count: the options that make a funnel count as theirs does, and what they can't reproduce.

What is said here of other systems is from their source and documentation, which do not stand still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from microfunnel.funnels import Breakdown, Funnel, misfits
from microfunnel.goal_values import parse_duration


@dataclass(frozen=True, slots=True)
class Rule:
    """Options of a funnel that a system sets, whatever the file says, where the funnel's own ones are `where`."""

    sets: Mapping[str, object]
    where: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another system; what is not mentioned here stays as the file has it."""

    title: str
    rules: tuple[Rule, ...]
    """Later ones win."""
    lacks: frozenset[str]
    """What a funnel may ask for that has no counterpart there; the words of `_asks_for`."""
    window: str | None = None
    """The window of a funnel that names none; None for ours."""
    value: str = "entry"
    """Where a breakdown reads its value unless the file says something else than `entry`."""
    not_reproduced: tuple[str, ...] = ()
    """In what its numbers can differ from ours all the same."""

    @property
    def caveat(self) -> str:
        """One line that names the system and what differs."""
        return f"counted as {self.title} does; not reproduced: {'; '.join(self.not_reproduced)}"


PEERS: dict[str, Peer] = {
    "posthog": Peer(
        title="PostHog",
        rules=(
            Rule({"entry": "best", "ties": "any", "on_exclusion": "drop"}),
            # There an exclusion sets a funnel in any order back, and drops nobody.
            Rule({"on_exclusion": "end"}, where={"order": "any"}),
        ),
        lacks=frozenset({"within", "after", "open: true", "ignore", "count: attempts"}),
        window="14d",
        value="first",
        not_reproduced=(
            "it bounds every step by the dates, not only the entry",
            "by the value at a step, a user counts under each value that such events have",
            "in any order, steps done before an exclusion count as one",
        ),
    ),
    "mixpanel": Peer(
        title="Mixpanel",
        rules=(
            Rule({"entry": "first", "ties": "any", "on_exclusion": "end"}),
            Rule({"entry": "best"}, where={"count": "attempts"}),
        ),
        lacks=frozenset({"within", "after", "optional", "open: true", "order: strict", "value: all_steps"}),
        window="7d",
        value="first",
        not_reproduced=(
            "steps less than two seconds apart may come in either order",
            "a user may enter again under another value of a breakdown",
            "sessions end at midnight",
        ),
    ),
    "amplitude": Peer(
        title="Amplitude",
        rules=(Rule({"entry": "best", "ties": "any", "on_exclusion": "end"}),),
        lacks=frozenset(
            {
                *("within", "after", "open: true", "ignore"),
                *("value: first", "value: last", "value: all_steps"),
            }
        ),
        window="1d",
        not_reproduced=(
            "of equally deep attempts it takes the earliest, ours starts latest, so times differ",
            "events of one second may come in either order",
            "its totals count every path, ours attempts that do not overlap",
        ),
    ),
    "clickhouse": Peer(
        title="ClickHouse's windowFunnel",
        rules=(Rule({"entry": "best", "ties": "any"}),),
        lacks=frozenset(
            {
                *("within", "after", "optional", "open: true", "ignore"),
                *("exclude", "order: any", "count: attempts"),
            }
        ),
        not_reproduced=(
            "one event may serve several steps there",
            "its strict order also ends where the event of a later step fits an earlier one",
        ),
    ),
}


def counted_as(funnel: Funnel, peer: Peer) -> Funnel:
    """The funnel with the options that make it count as the other system does."""
    options = dict(funnel)
    changed: dict[str, object] = {}
    for rule in peer.rules:
        if all(options[option] == value for option, value in rule.where.items()):
            changed |= rule.sets
    if peer.window is not None and "window" not in funnel.model_fields_set:
        changed["window"] = parse_duration(peer.window)
    changed["by"] = [_read_as(breakdown, peer) for breakdown in funnel.by]
    return funnel.model_copy(update=changed)


def mismatches(funnel: Funnel, peer: Peer) -> list[str]:
    """Why the funnel can't be counted as the other system does; none where it can."""
    missing = [f"{peer.title} has no `{asked}`" for asked in _asks_for(funnel) if asked in peer.lacks]
    return missing or [message for _, message in misfits(counted_as(funnel, peer).model_dump(by_alias=True))]


def _read_as(breakdown: Breakdown, peer: Peer) -> Breakdown:
    return breakdown.model_copy(update={"value": peer.value}) if breakdown.value == "entry" else breakdown


def _asks_for(funnel: Funnel) -> list[str]:
    """What in a funnel not every system has."""
    asked = {
        "within": any(step.within is not None for step in funnel.steps),
        "after": any(step.after is not None for step in funnel.steps),
        "optional": any(step.optional for step in funnel.steps),
        "open: true": funnel.open,
        "ignore": funnel.ignore is not None,
        "exclude": bool(funnel.exclude),
        f"order: {funnel.order}": True,
        f"count: {funnel.count}": True,
    }
    return [word for word, holds in asked.items() if holds] + [f"value: {breakdown.value}" for breakdown in funnel.by]

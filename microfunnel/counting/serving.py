"""Which event of a journey served which step, where several events of one instant could have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """An event of a unit as a funnel sees it."""

    number: int
    time: int
    steps: tuple[int, ...]
    """The steps (0 for the first) that it fits."""
    excludes: frozenset[int] = frozenset()
    """The steps that can't follow it, because an exclusion guards the way to them."""
    interrupts: frozenset[int] = frozenset()
    """The steps before which it may not lie in strict order."""


def serving(
    events: Sequence[UnitEvent], entry: int, required: Mapping[int, int], optional: Mapping[int, int]
) -> dict[int, tuple[int, ...]]:
    """The steps that events (by their number) served, from the moments at which the journey took the steps.

    A required step gets an event of its own, of its moment. An optional one does, too, but may share it with another
    optional step. Of several events that would do, the entry comes first.
    """
    taken = {**required, **optional}
    candidates = {
        step: [event.number for event in _first(events, entry) if event.time == time and step in event.steps]
        for step, time in taken.items()
    }
    own = matched(candidates)
    server_of = {number: step for step, number in own.items()}
    found: dict[int, tuple[int, ...]] = {}
    for step, numbers in candidates.items():
        shared = [number for number in numbers if server_of.get(number) in optional]
        for number in [own[step]] if step in own else shared[:1]:
            found[number] = (*found.get(number, ()), step)
    return found


def serving_any(events: Sequence[UnitEvent], entry: int, moments: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The same in any order, where only the moments are known at which one more step was done."""
    there = [event for event in _first(events, entry) if event.time in moments]
    steps = {event.number: event.steps for event in sorted(there, key=lambda event: event.time)}
    return {number: (step,) for number, step in matched(steps).items()}


def _first(events: Sequence[UnitEvent], entry: int) -> list[UnitEvent]:
    return sorted(events, key=lambda event: event.number != entry)


def matched(wishes: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Each, in turn, with a wish of its own, others moving over where that makes room; whoever has one keeps one."""
    holder: dict[int, int] = {}
    for each in wishes:
        _match(each, wishes, holder, set())
    return {each: wish for wish, each in holder.items()}


def _match(each: int, wishes: Mapping[int, Sequence[int]], holder: dict[int, int], tried: set[int]) -> bool:
    for wish in wishes[each]:
        if wish in tried:
            continue
        tried.add(wish)
        if wish not in holder or _match(holder[wish], wishes, holder, tried):
            holder[wish] = each
            return True
    return False

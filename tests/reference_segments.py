"""Segments in plain Python: which value a journey counts under, and the groups that this makes."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_goals import Row
from reference_rule import Journey, Rule

NOT_SET, OTHER, DID_NOT_REACH = "(not set)", "(other)", "(did not reach)"

Value = tuple[str, ...]
"""One text per column of a breakdown."""


@dataclass(frozen=True)
class By:
    """One breakdown of a funnel: columns, and from which event of a journey their values are."""

    columns: Value
    value: str
    top: int
    bins: tuple[float, ...]

    def of(self, row: Row) -> Value | None:
        """The values of one event; None where all are empty."""
        values = [self.text(row.get(column)) for column in self.columns]
        return tuple(value or NOT_SET for value in values) if any(values) else None

    def text(self, value: str | int | None) -> str | None:
        if not self.bins or value is None:
            return str(value) if value is not None else None
        try:
            return bin_of(float(value), self.bins)
        except ValueError:
            return None

    @property
    def name(self) -> str:
        return ", ".join(self.columns) + ("" if self.value == "entry" else f" {self.value}")

    @property
    def not_set(self) -> Value:
        return tuple(NOT_SET for _ in self.columns)


def bin_of(number: float, bins: Sequence[float]) -> str:
    """The label of the bin that holds a number; a bound belongs to the bin above it."""
    place = bisect_right(bins, number)
    if place == 0:
        return f"under {bins[0]:g}"
    return f"{bins[place - 1]:g} or more" if place == len(bins) else f"{bins[place - 1]:g} to {bins[place]:g}"


def breakdowns(funnel: Mapping[str, Any]) -> list[By]:
    """What a funnel is broken down by."""
    by = funnel.get("by", [])
    found = []
    for each in by if isinstance(by, list) else [by]:
        spec = each if isinstance(each, Mapping) else {"column": each}
        columns = spec["column"] if isinstance(spec["column"], list) else [spec["column"]]
        found.append(By(tuple(columns), spec.get("value", "entry"), spec.get("top", 10), tuple(spec.get("bins", ()))))
    return found


def groups_of(
    journeys: Sequence[Journey], rows: Sequence[Row], bys: Sequence[By], rule: Rule
) -> dict[By, dict[Value, list[Journey]]]:
    """Per breakdown (`all_steps` apart) the journeys by their value."""
    groups: dict[By, dict[Value, list[Journey]]] = {by: {} for by in bys}
    for journey in journeys:
        entry = entry_of(journey, rows, bys)
        for by in bys:
            value = (by.of(rows[entry]) or by.not_set) if by.value == "entry" else value_of(journey, rows, by, rule)
            groups[by].setdefault(value, []).append(journey)
    return groups


def entry_of(journey: Journey, rows: Sequence[Row], bys: Sequence[By]) -> int:
    """The one entry of a journey: where several would do, the one with the smallest values."""
    of_entry = [by for by in bys if by.value == "entry"]
    return min(journey.entries, key=lambda row: [by.of(rows[row]) or by.not_set for by in of_entry])


def value_of(journey: Journey, rows: Sequence[Row], by: By, rule: Rule) -> Value:
    """The value at the steps of a journey: at one of them, or the first or last that is not empty."""
    if by.value.startswith("step:"):
        (place,) = (place for place, step in enumerate(rule.steps) if by.value == f"step:{step.label}")
        if place not in journey.taken:
            return tuple(DID_NOT_REACH for _ in by.columns)
        return value_at(place, journey, rows, by, rule) or by.not_set
    values = [value_at(place, journey, rows, by, rule) for place in sorted(journey.taken)]
    filled = [value for value in values if value is not None]
    if not filled:
        return by.not_set
    return filled[0] if by.value == "first" else filled[-1]


def value_at(place: int, journey: Journey, rows: Sequence[Row], by: By, rule: Rule) -> Value | None:
    """The smallest value of the events that complete a step at the instant at which it was taken.

    In any order a journey has a first step, a second and so on, and any step may be the one.
    """
    steps = rule.steps if rule.order == "any" else [rule.steps[place]]
    at = [row for step in steps for row in step.rows if journey.log.get(row) == journey.taken[place]]
    values = [by.of(rows[row]) for row in at]
    return min((value for value in values if value is not None), default=None)


def largest(groups: Mapping[Value, list[Journey]], by: By) -> dict[Value, list[Journey]]:
    """The groups that keep their name, the largest first; the rest after them is (other)."""
    largest_first = sorted(groups, key=lambda value: (-len(groups[value]), value))
    kept = {value: groups[value] for value in largest_first[: by.top]}
    if rest := [journey for value in largest_first[by.top :] for journey in groups[value]]:
        kept[tuple(OTHER for _ in by.columns)] = rest
    return kept

"""The attempts of one unit in plain Python, in order and strictly so: all ways through one instant are tried."""

from collections.abc import Iterator
from dataclasses import replace

from reference_rule import EXCLUDED, INTERRUPTED, Attempt, Rule, Step, Times


def ordered_attempts(rule: Rule, log: Times) -> list[Attempt]:
    """Every attempt of a unit, in every way through events of one instant."""
    entries = [
        (start, row)
        for start, place in enumerate(rule.required)
        for row in rule.steps[place].rows
        if row in log and rule.limits.may_enter(log[row]) and (start == 0 or rule.open)
    ]
    if rule.first_entry_only:
        first = min((log[row] for _, row in entries), default=None)
        entries = [(start, row) for start, row in entries if log[row] == first]
    return [attempt for start, row in entries for attempt in ways_on(start, (row,), rule, log)]


def ways_on(start: int, path: tuple[int, ...], rule: Rule, log: Times) -> Iterator[Attempt]:
    """Every way in which an attempt may go on from the rows taken so far, each to its end."""
    so_far = Attempt(start, path, tuple(log[row] for row in path))
    if so_far.depth == len(rule.required):
        yield so_far
        return
    arrival, ended = next_instant(so_far, rule, log), ended_by(so_far, rule, log)
    reachable = same_instant(so_far, rule, log)
    if arrival is not None and ended is None and not_after(arrival, limit(so_far, rule)):
        reachable += [row for row in next_step(so_far, rule).rows if log.get(row) == arrival]
    for row in reachable:
        yield from ways_on(start, (*path, row), rule, log)
    if not reachable:
        yield replace(so_far, ended=ended)


def next_step(attempt: Attempt, rule: Rule) -> Step:
    return rule.steps[rule.required[attempt.depth]]


def limit(attempt: Attempt, rule: Rule) -> int | None:
    """The last moment at which the next step could be taken."""
    within = next_step(attempt, rule).within if rule.order != "any" else None
    window_ends = [] if rule.window is None else [attempt.times[0] + rule.window]
    within_ends = [] if within is None else [attempt.times[-1] + within]
    return min(window_ends + within_ends, default=None)


def not_after(time: int, end: int | None) -> bool:
    return end is None or time <= end


def same_instant(attempt: Attempt, rule: Rule, log: Times) -> list[int]:
    """The rows that serve the next step at the very instant of the last one."""
    step, now = next_step(attempt, rule), attempt.times[-1]
    if rule.increasing or step.after:
        return []
    return [row for row in step.rows if log.get(row) == now and row not in attempt.path]


def next_instant(attempt: Attempt, rule: Rule, log: Times) -> int | None:
    """The earliest later time with an event of the next step, limits aside.

    What is later than that is never looked at: an attempt does not pass over an event to wait for a better one.
    """
    step, now = next_step(attempt, rule), attempt.times[-1]
    times = [log[row] for row in step.rows if row in log]
    return min((time for time in times if time > now and time >= now + step.after), default=None)


def ended_by(attempt: Attempt, rule: Rule, log: Times) -> tuple[int, str] | None:
    """The first event that ends the attempt before its next step; at one moment an exclusion is what counts."""
    now, arrival = attempt.times[-1], next_instant(attempt, rule, log)
    before, after = rule.required[attempt.depth - 1], rule.required[attempt.depth]
    excluding = [
        log[row]
        for exclusion in rule.exclusions
        if exclusion.first <= before and after <= exclusion.last
        for row in exclusion.rows
        if row in log and log[row] > now
    ]
    found = []
    if excluding:
        first = min(excluding)
        if not_after(first, limit(attempt, rule)) and (arrival is None or first < arrival):
            found.append((first, EXCLUDED))
    if rule.order == "strict" and arrival is not None:
        forgiven = rule.steps[before].rows.union(rule.ignored, *(step.rows for step in rule.steps[before + 1 : after]))
        between = [log[row] for row in log if row not in forgiven and now < log[row] < arrival]
        found += [(time, INTERRUPTED) for time in between if not_after(time, limit(attempt, rule))]
    return min(found, default=None)

"""Any order in plain Python: the largest number of different steps that the events of one stretch can serve."""

from collections.abc import Sequence

from reference_rule import EXCLUDED, Attempt, Rule, Times


def any_attempts(rule: Rule, log: Times) -> list[Attempt]:
    """An attempt from each event that completes some step; several of one instant differ in nothing but the row."""
    entries = [row for row in log if serves_any(row, rule) and rule.limits.may_enter(log[row])]
    if rule.first_entry_only:
        entries = [row for row in entries if log[row] == min(log[other] for other in entries)]
    return [any_attempt(entry, rule, log) for entry in entries]


def serves_any(row: int, rule: Rule) -> bool:
    return any(row in step.rows for step in rule.steps)


def any_attempt(entry: int, rule: Rule, log: Times) -> Attempt:
    start = log[entry]
    window_end = None if rule.window is None else start + rule.window
    excluding = [log[row] for exclusion in rule.exclusions for row in exclusion.rows if log.get(row, start) > start]
    exclusion = min((time for time in excluding if window_end is None or time <= window_end), default=None)
    last = exclusion if exclusion is not None else window_end
    stretch = [row for row in log if start <= log[row] and (last is None or log[row] <= last)]
    times: list[int] = []
    for time in sorted({log[row] for row in stretch}):
        steps = most_steps([row for row in stretch if log[row] <= time], rule)
        times += [time] * (steps - len(times))
    incomplete = len(times) < len(rule.steps)
    ended = (exclusion, EXCLUDED) if exclusion is not None and incomplete else None
    return Attempt(0, (entry,), tuple(times), ended)


def most_steps(rows: Sequence[int], rule: Rule, place: int = 0) -> int:
    """The largest number of the steps from that place on that the rows can serve, each row one at most."""
    if place == len(rule.steps):
        return 0
    left_out = most_steps(rows, rule, place + 1)
    served = [row for row in rows if row in rule.steps[place].rows]
    ways = [1 + most_steps([other for other in rows if other != row], rule, place + 1) for row in served]
    return max([left_out, *ways])

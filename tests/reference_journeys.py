"""What a unit is counted as, in plain Python: the journeys that its attempts make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reference_any import any_attempt, any_attempts
from reference_attempts import limit, next_instant, not_after, ordered_attempts
from reference_goals import Unit
from reference_rule import NO_EVENT, TOO_LATE, Attempt, Journey, Rule, Times, rank


def journeys_of_units(rule: Rule, units: Mapping[Unit, Times]) -> dict[Unit, list[Journey]]:
    """The journeys of all units that have any."""
    found = {unit: journeys(rule, log) for unit, log in units.items()}
    return {unit: of_unit for unit, of_unit in found.items() if of_unit}


def all_attempts(rule: Rule, log: Times) -> list[Attempt]:
    """Every attempt of a unit, in every way through events of one instant."""
    return any_attempts(rule, log) if rule.order == "any" else ordered_attempts(rule, log)


def journeys(rule: Rule, log: Times) -> list[Journey]:
    """What counts of one unit: its best attempt, or with `count: attempts` those that follow one another."""
    found = all_attempts(rule, log)
    if rule.drop:
        clean = max((attempt.depth for attempt in found if not attempt.is_excluded), default=0)
        unhindered = all_attempts(replace(rule, exclusions=[]), log)
        if max((attempt.depth for attempt in unhindered), default=0) > clean:
            return []
    if rule.count != "attempts":
        return [best(found, rule, log)] if found else []
    taken: list[Journey] = []
    over: int | None = None  # when the last one taken was over
    for entry in sorted({attempt.times[0] for attempt in found}):
        if taken and (over is None or entry <= over):
            continue
        of_entry = [attempt for attempt in found if attempt.times[0] == entry]
        taken.append(best(of_entry, rule, log))
        over = end(min(of_entry, key=rank), rule)
    return taken


def end(attempt: Attempt, rule: Rule) -> int | None:
    """When an attempt is over, so that another may follow; None where it never is."""
    if attempt.depth == len(rule.required):
        return attempt.times[-1]
    return attempt.ended[0] if attempt.ended else limit(attempt, rule)


def best(found: Sequence[Attempt], rule: Rule, log: Times) -> Journey:
    """The journey that the best of these attempts makes; ways through ties that rank the same are one journey."""
    top = min(map(rank, found))
    ways = [attempt for attempt in found if rank(attempt) == top]
    first = ways[0]
    taken = {rule.required[first.start + number]: time for number, time in enumerate(first.times)}
    return Journey(
        start=first.start,
        times=first.times,
        taken=taken | optional_steps(ways, rule, log),
        entries=frozenset(way.path[0] for way in ways),
        log=log,
        missed=missed(first, rule, log),
    )


def missed(attempt: Attempt, rule: Rule, log: Times) -> str | None:
    """Why an attempt went no farther, as far as its own events tell."""
    if attempt.depth == len(rule.required):
        return None
    if attempt.ended is not None:
        return attempt.ended[1]
    if rule.order == "any":
        unlimited = any_attempt(attempt.path[0], replace(rule, window=None), log)
        return TOO_LATE if unlimited.depth > attempt.depth else NO_EVENT
    return NO_EVENT if next_instant(attempt, rule, log) is None else TOO_LATE


def optional_steps(ways: Sequence[Attempt], rule: Rule, log: Times) -> dict[int, int]:
    """Place to time of each optional step that the journey took on its way, in one of the ways or another."""
    taken = {}
    for place, step in enumerate(rule.steps):
        if step.optional:
            times = [time for way in ways for time in optional_times(way, place, rule, log)]
            if times:
                taken[place] = min(times)
    return taken


def optional_times(way: Attempt, place: int, rule: Rule, log: Times) -> Iterable[int]:
    """When events that no required step has used serve the optional step of that place, between its neighbours."""
    at = {rule.required[way.start + number]: time for number, time in enumerate(way.times)}
    before = max(other for other in rule.required if other < place)
    after = min((other for other in rule.required if other > place), default=None)
    if before not in at:
        return
    for row in rule.steps[place].rows:
        if row not in log or row in way.path:
            continue
        time = log[row]
        if after in at:
            between = at[before] < time < at[after] if rule.increasing else at[before] <= time <= at[after]
        else:
            begins = at[before] < time if rule.increasing else at[before] <= time
            open_until = None if rule.window is None else way.times[0] + rule.window
            between = begins and not_after(time, open_until) and (way.ended is None or time <= way.ended[0])
        if between:
            yield time

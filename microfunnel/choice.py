"""What the command line chooses: among the funnels of a goals file, how they count, and among the events."""

import codecs
import re
from collections.abc import Mapping, Sequence

from pydantic_core import PydanticCustomError

from microfunnel.counting.credit import ALWAYS_DIRECT, Attribution
from microfunnel.counting.members import AtStep
from microfunnel.errors import UsageError
from microfunnel.funnels import Breakdown, Funnel, misfits
from microfunnel.goal_values import parse_duration
from microfunnel.goals import Goals
from microfunnel.peers import Peer, counted_as, mismatches
from microfunnel.questions import Period
from microfunnel.reading.layouts import all_layouts
from microfunnel.reading.recognition import OWN
from microfunnel.reading.times import parse_moment
from microfunnel.wording import did_you_mean, listed, quoted

FIRST = "first"
"""What users start from where no goal is named."""
LEAST_MEMORY = 256_000_000


def choose(goals: Goals, funnels: Sequence[str], by: Sequence[str], top: int, peer: Peer | None = None) -> Goals:
    """The goals with these funnels alone (all where none is named), split by these columns instead of their own.

    With a `peer` the funnels are counted as that system does.
    """
    unknown = [name for name in funnels if name not in goals.funnels]
    if unknown:
        known = list(goals.funnels)
        raise UsageError(*(f"no funnel is called {quoted(name)}{did_you_mean(name, known)}" for name in unknown))
    breakdowns = [_breakdown(text, top) for text in {text.casefold(): text for text in by}.values()]
    kept = {name: funnel for name, funnel in goals.funnels.items() if name in funnels or not funnels}
    if breakdowns:
        kept = {name: _split(name, funnel, breakdowns) for name, funnel in kept.items()}
    chosen = goals.model_copy(update={"funnels": kept})
    return chosen if peer is None else _as_peer(chosen, peer)


def choose_goal(option: str, goal: str, goals: Goals) -> None:
    """A UsageError where no goal is called so."""
    if goal not in goals.goals:
        raise UsageError(f"{option}: no goal is called {quoted(goal)}{did_you_mean(goal, list(goals.goals))}")


def choose_members(goals: Goals, funnel: str | None, given: Mapping[str, str | None], *, settled: bool) -> AtStep | str:
    """Which units are to be listed: those at a step of a funnel, or those of a goal by its name.

    `given` is what was said by each of the options that say that.
    """
    chosen = {option: value for option, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise UsageError(f"expected one of {', '.join(given)}, and no more", hint="for example --dropped-at STEP")
    ((option, value),) = chosen.items()
    if option == "--goal":
        choose_goal(option, value, goals)
        if funnel is not None or settled:
            raise UsageError(f"--goal goes without {'--settled' if settled else '--funnel'}: a goal is in no funnel")
        return value
    name = _only_funnel(goals, funnel)
    step = _step(option, value, name, goals.funnels[name])
    return AtStep(name, step, dropped=option == "--dropped-at", settled=settled)


def _only_funnel(goals: Goals, funnel: str | None) -> str:
    if funnel is not None:
        return next(iter(choose(goals, [funnel], [], 1).funnels))
    if len(goals.funnels) == 1:
        return next(iter(goals.funnels))
    known = f"; expected {listed(goals.funnels)}" if goals.funnels else ""
    raise UsageError(f"--funnel: the goals file has {len(goals.funnels)} funnels{known}")


def _step(option: str, text: str, name: str, funnel: Funnel) -> int:
    """The step (0 for the first) of that label, or of that number where the label is no other's."""
    labels = funnel.labels
    found = [index for index, label in enumerate(labels) if label == text]
    if not found and text.isascii() and text.isdigit() and 1 <= int(text) <= len(labels):
        found = [int(text) - 1]
    if not found:
        raise UsageError(f"{option}: {quoted(name)} has no step {quoted(text)}{did_you_mean(text, labels)}")
    if len(found) > 1:
        numbers = " and ".join(str(index + 1) for index in found)
        raise UsageError(f"{option}: {quoted(text)} is steps {numbers} of {quoted(name)}; name one by its number")
    (step,) = found
    if option == "--dropped-at" and step == 0:
        raise UsageError(f"{option}: nobody is lost before the first step")
    if option == "--dropped-at" and funnel.steps[step].optional:
        raise UsageError(f"{option}: {quoted(text)} is optional, so nobody is lost there")
    return step


def _breakdown(text: str, top: int) -> Breakdown:
    """What `device`, `device,channel`, `channel:last` or `variant:step:checkout` splits by."""
    found = re.fullmatch(r"(?P<columns>.+?)(?::(?P<value>first|last|entry|all_steps|step:.+))?", text, re.DOTALL)
    if found is None:
        raise UsageError("--by: expected a column, such as device or channel:last")
    return Breakdown(column=found["columns"].split(","), value=found["value"] or "entry", top=top)


def _split(name: str, funnel: Funnel, breakdowns: Sequence[Breakdown]) -> Funnel:
    """The funnel, split by these breakdowns; a UsageError where they do not suit it."""
    split = funnel.model_copy(update={"by": list(breakdowns)})
    labels = [step.label for step in funnel.steps if not step.optional]
    unknown = [each.step for each in breakdowns if each.step is not None and each.step not in labels]
    problems = [f"--by: {quoted(name)} has no step {quoted(step)}{did_you_mean(step, labels)}" for step in unknown]
    problems += [f"--by: {quoted(name)}: {what}" for _, what in misfits(split.model_dump(by_alias=True))]
    if problems:
        raise UsageError(*problems)
    return split


def _as_peer(goals: Goals, peer: Peer) -> Goals:
    """The goals with all funnels counted as another system does; a UsageError names each that can't be."""
    problems = [
        f"the funnel {quoted(name)} can't be counted as {peer.title} does: {', '.join(reasons)}"
        for name, funnel in goals.funnels.items()
        if (reasons := mismatches(funnel, peer))
    ]
    if problems:
        raise UsageError(*problems, hint="choose others with --funnel, or leave --as out")
    return goals.model_copy(
        update={"funnels": {name: counted_as(funnel, peer) for name, funnel in goals.funnels.items()}}
    )


def choose_reading(goals: Goals, layout: str | None, delimiter: str | None, encoding: str | None) -> Goals:
    """The goals, with what the command line says of the files."""
    said = {"layout": layout, "delimiter": delimiter, "encoding": encoding}
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(f"--delimiter: {quoted(delimiter)} is not one character")
    events = goals.events.model_copy(update={name: value for name, value in said.items() if value is not None})
    known = sorted({OWN, *(each.name for each in all_layouts())})
    if events.layout is not None and events.layout not in known:
        raise UsageError(f"no layout is called {quoted(events.layout)}", hint=f"known are {', '.join(known)}")
    if events.encoding is not None:
        try:
            codecs.lookup(events.encoding)
        except LookupError as error:
            hint = "for example latin-1, utf-16 or cp1252"
            raise UsageError(f"no encoding is called {quoted(events.encoding)}", hint=hint) from error
    return goals.model_copy(update={"events": events})


def choose_goals(goals: Goals, **named: str | None) -> Goals:
    """The goals file with these goals alone (option to name), and no funnels."""
    known = list(goals.goals)
    asked = {option: name for option, name in named.items() if name is not None}
    unknown = [
        f"--{option}: no goal is called {quoted(name)}{did_you_mean(name, known)}"
        for option, name in asked.items()
        if name not in known
    ]
    if unknown:
        raise UsageError(*unknown)
    kept = {name: goal for name, goal in goals.goals.items() if name in asked.values()}
    return goals.model_copy(update={"goals": kept, "funnels": {}})


def choose_start(goals: Goals, start: str, goal: str) -> str | None:
    """The goal that users start from; None for their first event, which `first` is unless a goal is called so."""
    if start == goal:
        raise UsageError(f"--from and --goal are the same goal {quoted(goal)}, so nothing lies between them")
    return None if start == FIRST and start not in goals.goals else start


def choose_duration(option: str, text: str) -> int:
    """The microseconds of a duration such as `30d`."""
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise UsageError(f"{option}: {error.message()}, not {quoted(text)}") from error


def choose_attribution(goal: str, column: str, lookback: str, half_life: str, direct: Sequence[str]) -> Attribution:
    """How credit is given, with these values of the column direct beside those that always are."""
    halves = choose_duration("--half-life", half_life)
    if not halves:
        raise UsageError(f"--half-life: {quoted(half_life)} is no time, so nothing can halve in it")
    own = frozenset(value.strip().lower() for value in direct)
    return Attribution(goal, column, choose_duration("--lookback", lookback), halves, ALWAYS_DIRECT | own)


def choose_share(share: str, *, strict: bool) -> float:
    """How many of the rows may be bad: a share such as `5%` or `0.05`, none if strict."""
    found = re.fullmatch(r"(?P<number>\d{1,3}(\.\d{1,9})?) ?(?P<percent>%?)", share, re.ASCII)
    most = float(found["number"]) / (100 if found["percent"] else 1) if found is not None else 2.0
    if most > 1:
        raise UsageError(f"--max-bad: {quoted(share)} is no share, such as 5% or 0.05")
    return 0.0 if strict else most


def choose_memory(size: str) -> int:
    """The bytes of a size such as `512MB` or `2GiB`."""
    pattern = r"(?P<number>\d{1,15}(\.\d+)?) ?(?P<unit>[KMGT]?)(?P<binary>i?)B"
    found = re.fullmatch(pattern, size, re.IGNORECASE | re.ASCII)
    if found is None:
        raise UsageError(f"--memory: {quoted(size)} is no size, such as 512MB or 2GiB")
    step = 1024 if found["binary"] else 1000
    most = int(float(found["number"]) * step ** " KMGT".index(found["unit"].upper() or " "))
    if most < LEAST_MEMORY:
        raise UsageError(
            f"--memory: {quoted(size)} is too little to work with; allow {LEAST_MEMORY // 10**6}MB or more"
        )
    return most


def choose_columns(text: str | None, *, searched: bool) -> tuple[str, ...]:
    """The columns of `device,channel`, each once; none where none are named."""
    if text is None:
        return ()
    if not searched:
        raise UsageError("--columns goes with --candidates")
    named = tuple(dict.fromkeys(text.split(",")))
    reserved = [name for name in named if name in {"any", "all", "not"}]
    if not all(named) or reserved:
        problem = f"a goal can't name the column {quoted(reserved[0])}" if reserved else "expected columns, such as A,B"
        raise UsageError(f"--columns: {problem}")
    return tuple(name for name in named if name != "event")


def choose_now(clock_ns: int, fixed: str | None) -> int:
    """The present in microseconds since 1970 UTC: by the clock, or `fixed` in seconds (of SOURCE_DATE_EPOCH)."""
    if not fixed:
        return clock_ns // 1_000
    if not re.fullmatch(r"\d{1,12}", fixed, re.ASCII):
        raise UsageError(f"SOURCE_DATE_EPOCH: {quoted(fixed)} is no number of seconds since 1970")
    return int(fixed) * 1_000_000


def choose_period(
    since: str | None, until: str | None, as_of: str | None, timezone: str, trend: str | None = None
) -> Period:
    """The period between these moments as people type them, dates in the time zone."""
    first, end, now = (None if text is None else parse_moment(text, timezone) for text in (since, until, as_of))
    if first is not None and end is not None and first >= end:
        raise UsageError("--since is not before --until, so no entry can lie between them")
    return Period(first, end, now, trend)

"""What `compare` compares, as the command line says it: options that go together, and what they mean."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from microfunnel.errors import UsageError
from microfunnel.findings.compare import Experiment
from microfunnel.funnels import Funnel
from microfunnel.goals import Goals
from microfunnel.questions import Period
from microfunnel.reading.times import parse_moment
from microfunnel.wording import listed, quoted

WAYS = (
    "--variant COLUMN --control VALUE: the variants of an A/B test",
    "--since TIME (or --until TIME) --against SINCE..UNTIL: two periods; --by COLUMN splits the change",
    "--baseline FILE: the events of older files; --by COLUMN splits the change",
    "--by COLUMN: each segment and all others",
)
NAMES = {"variant": "--variant", "against": "--against", "baseline": "--baseline"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command that say what is compared."""

    variant: str | None = None
    control: str | None = None
    split: str | None = None
    against: str | None = None
    baseline: Sequence[str] = ()
    by: str | None = None

    def check(self, events: Sequence[str]) -> None:
        """A UsageError where they do not go together, or not with these files."""
        if "-" in events and "-" in self.baseline:
            raise UsageError("standard input (-) can't be both sets of events")
        given = [option for name, option in NAMES.items() if getattr(self, name)]
        if len(given) > 1:
            raise UsageError(f"{given[0]} goes without {given[1]}", hint=_ways())
        if not (given or self.by):
            raise UsageError("nothing says what to compare", hint=_ways())
        if self.variant and self.by:
            raise UsageError("--variant goes without --by", hint=_ways())
        if bool(self.variant) != bool(self.control):
            missing, there = ("--control", "--variant") if self.variant else ("--variant", "--control")
            raise UsageError(f"{there} goes with {missing}", hint=WAYS[0])
        if self.split and not self.variant:
            raise UsageError("--split goes with --variant and --control", hint=WAYS[0])

    def experiment(self) -> Experiment | None:
        """The A/B test, if it is one."""
        if not (self.variant and self.control):
            return None
        split = None if self.split is None else _split(self.split)
        if split is not None and self.control not in split:
            raise UsageError(f"--split: says nothing of the control {quoted(self.control)}")
        return Experiment(self.variant, self.control, split)


def choose_funnel(goals: Goals, name: str | None) -> list[str]:
    """The one funnel to compare, by its name or because there is no other."""
    known = list(goals.funnels)
    if name is not None:
        return [name]
    if len(known) != 1:
        have = "no funnel" if not known else f"{len(known)} funnels"
        hint = f"name one with --funnel: {listed(known)}" if known else "add one under `funnels:`"
        raise UsageError(f"the goals file has {have}, and compare takes one", hint=hint)
    return known


def comparable(goals: Goals, *, with_segments: bool) -> Goals:
    """The goals with their one funnel, by its segments or as a whole; a UsageError where it can't be compared."""
    ((name, funnel),) = goals.funnels.items()
    _refuse(name, funnel, with_segments=with_segments)
    return goals if with_segments else goals.model_copy(update={"funnels": {name: _whole(funnel)}})


def _whole(funnel: Funnel) -> Funnel:
    return funnel.model_copy(update={"by": []})


def _refuse(name: str, funnel: Funnel, *, with_segments: bool) -> None:
    if funnel.count == "attempts":
        message = f"{quoted(name)} counts attempts, and those of one user are not independent of each other"
        raise UsageError(message, hint="compare takes funnels that count users, sessions or columns")
    if sum(not step.optional for step in funnel.steps) == 1:
        raise UsageError(f"{quoted(name)} has one step that must be taken: all who enter have converted")
    if with_segments and any(each.value == "all_steps" for each in funnel.by):
        message = "--by: with all_steps a unit is in several segments, and these can't be compared"
        raise UsageError(message, hint="take the value at the entry: --by COLUMN")


def choose_older(against: str, newer: Period, timezone: str) -> Period:
    """The older period: `SINCE..UNTIL`, either of them empty for an open end, that the newer one does not overlap."""
    if newer.since is None and newer.until is None:
        raise UsageError("--against goes with --since or --until, which say the other period", hint=WAYS[1])
    ends = against.split("..")
    if len(ends) != len(("since", "until")) or not any(ends):
        hint = "for example --against 2026-10-01..2026-10-15"
        raise UsageError(f"--against: {quoted(against)} is no period", hint=hint)
    since, until = (parse_moment(end, timezone) if end else None for end in ends)
    if since is not None and until is not None and since >= until:
        raise UsageError("--against: the period ends before it begins, so no entry can lie in it")
    older = Period(since, until, newer.as_of)
    if max(_start(older), _start(newer)) < min(_end(older), _end(newer)):
        raise UsageError(
            "the periods of --against and of --since and --until overlap: an entry would be in both",
            hint="each period holds its first moment, and ends before its last one",
        )
    return older


def _start(period: Period) -> float:
    return -math.inf if period.since is None else period.since


def _end(period: Period) -> float:
    return math.inf if period.until is None else period.until


def _split(text: str) -> Mapping[str, float]:
    """The shares of `A=50,B=50`."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, is_there, share = part.rpartition("=")
        if not (name and is_there and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", share, re.ASCII) and float(share) > 0):
            raise UsageError(f"--split: {quoted(part)} is no variant with its share", hint="for example A=50,B=50")
        if name in found:
            raise UsageError(f"--split: {quoted(name)} stands there twice")
        found[name] = float(share)
    return found


def _ways() -> str:
    return "compare takes one of\n  " + "\n  ".join(WAYS)

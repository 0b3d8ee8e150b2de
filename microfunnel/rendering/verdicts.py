"""What became of events and journeys, in words."""

from microfunnel.explanations import ExplainedFunnel, ExplainedUnit, Verdict
from microfunnel.rendering.text import duration, words
from microfunnel.wording import REASONS

VERDICTS = {
    "entry": "entry",
    "taken": "step {step} {goal} taken",
    "optional_taken": "optional step {goal} taken",
    "too_late": "too late by {time}",
    "too_late_within": "too late by {time} after {before}",
    "too_soon": "too soon: earliest after {time}",
    "same_instant": "too soon: the moment of {before}",
    "left_aside": "a later one was taken for step {step}",
    "excluded": "excluded: ends the attempt",
    "interrupts": "interrupts",
    "spared": "exclusion outside its steps",
    "taken_before": "step {step} was taken before",
    "taken_now": "step {step} was taken by another",
    "missing": "step {step}, but {goal} is missing",
    "before_entry": "before the entry",
    "after_end": "after the end",
    "later_counted": "entry, but a later one counts",
    "earlier_counted": "entry, but an earlier one counts",
    "other_entry": "entry, but another one counts",
    "not_first": "entry, but only the first counts",
    "overlaps": "entry, but within an attempt",
    "before_since": "entry, but before --since",
    "after_until": "entry, but not before --until",
    "no_entry": "step {step}, but there is no entry",
    "dropped": "dropped by an exclusion",
    "drops": "exclusion: drops the unit",
    "not_between": "optional, but outside its steps",
    "no_step": "no step of this funnel",
    "no_goal": "no goal",
    "no_unit": "belongs to no unit",
    "filtered": "unused, left out by `where`",
    "after_as_of": "unused, after --as-of",
    **{reason: f"unused, {why}" for reason, why in REASONS.items()},
}

ABSENT = {
    "no_entry": "Never entered: no event completes the first step.",
    "outside_period": "Not counted: no entry lies between --since and --until.",
    "dropped": "Not counted: dropped by an exclusion, without which it would have come farther.",
    "no_unit": "Not counted: these events belong to no unit, for a part of it is missing.",
    "unused": "Not counted: these events are not used.",
}


def verdict_words(verdict: Verdict, funnel: ExplainedFunnel) -> str:
    """What became of an event, such as `too late by 4 h 05 min`."""
    if verdict.verdict == "entry" and verdict.step != 1:
        return f"entry at step {verdict.step} {words(verdict.goal or '')}"
    before = funnel.before(verdict.step) if verdict.step is not None else None
    return VERDICTS[verdict.verdict].format(
        step=verdict.step,
        goal=words(verdict.goal or ""),
        time=duration(verdict.seconds),
        before=words(before or ""),
    )


def absent_words(unit: ExplainedUnit, funnel: ExplainedFunnel) -> str:
    """Why the unit has no journey."""
    if unit.absent == "no_entry" and funnel.enters_anywhere:
        return "Never entered: no event completes a step."
    return ABSENT[unit.absent or "no_entry"]

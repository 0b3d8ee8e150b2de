"""Groups of units compared: variants of a test, two periods or sets of files, each segment and all others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.accounts import EventsResult, ReportWarning
from microfunnel.analysis import funnel_result, question_of
from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.compared import APART, NONE, SEVERAL, VARIANT, Sides, tally_periods, tally_variants
from microfunnel.counting.funnels import Limits
from microfunnel.counting.tallies import Tallies
from microfunnel.counting.totals import groups, largest, matured, nobody, segments_of, total
from microfunnel.errors import InputError
from microfunnel.events import EventTable
from microfunnel.experiments import lift_interval, sample_ratio, smallest_effect
from microfunnel.findings.compare import (
    ChangeFinding,
    Difference,
    Experiment,
    SegmentChange,
    SegmentDifference,
    SegmentsFinding,
    Side,
    Variant,
    VariantsFinding,
    split_change,
)
from microfunnel.funnels import Funnel
from microfunnel.goals import Goals
from microfunnel.questions import Period, Question
from microfunnel.results import Rate, Step
from microfunnel.significance import difference_interval, p_value, q_values
from microfunnel.wording import did_you_mean, listed, quoted

MOST_VARIANTS = 20
Pair = tuple[Step, Rate, Rate]


@dataclass(frozen=True, slots=True)
class Counted:
    """A set of events, counted to be compared with another one."""

    events: EventsResult
    tallies: Tallies


def question_of_variants(goals: Goals, column: str) -> Question[Tallies]:
    """What a test asks of the events, for the one funnel of the goals: its steps, and which variants each unit saw."""
    name, funnel = _the_funnel(goals)

    def tally(rows: pl.DataFrame, limits: Limits) -> Tallies:
        return tally_variants(rows, name, funnel, limits, column)

    if funnel.count == "users":
        return Question(goals, tally, Tallies.added, firsts=(column,))
    return Question(goals, tally, Tallies.added, labels=frozenset({column}), all_events=True)


def compare_variants(
    events: EventTable, goals: Goals, experiment: Experiment, period: Period, options: Options = DEFAULTS
) -> VariantsFinding:
    """The variants of a test, each against the control; an InputError where the column holds none."""
    name, funnel = _the_funnel(goals)
    found = answer(events, question_of_variants(goals, experiment.column), period, options)
    seen = found.found.counts.filter(pl.col("by") == VARIANT)["segment"].unique().sort()
    names = _variant_names(seen.to_list(), experiment)
    variants, apart = (groups(found.found, funnel, by) for by in (VARIANT, APART))
    shares = experiment.split or dict.fromkeys(names, 1.0)
    totals = {each: variants.get(each) or nobody(found.found, funnel) for each in names}
    control = totals[experiment.control]
    pairs = [_pairs(totals[each].steps, control.steps) for each in names[1:]]
    differences = [(), *_tested(pairs)]
    result = VariantsFinding(
        events=found.events,
        funnel=funnel_result(name, funnel, found.found),
        column=experiment.column,
        variants=tuple(
            Variant(
                name=each,
                totals=totals[each],
                share=shares[each] / sum(shares.values()),
                differences=tested,
                smallest_effect=smallest_effect(control.conversion, totals[each].entered) if tested else None,
            )
            for each, tested in zip(names, differences, strict=True)
        ),
        several=apart.get(SEVERAL) or nobody(found.found, funnel),
        without=apart.get(NONE) or nobody(found.found, funnel),
        sample_ratio_p=sample_ratio([totals[each].entered for each in names], [shares[each] for each in names]),
    )
    return replace(result, events=_warned(found.events, [*_ratio_warnings(result), *_unit_warnings(name, funnel)]))


def _variant_names(seen: Sequence[str], experiment: Experiment) -> list[str]:
    """The control, then all others that units saw or that the split names; an InputError where these are no test."""
    column, control = quoted(experiment.column), experiment.control
    if len(seen) > MOST_VARIANTS:
        raise InputError(
            f"the column {column} has {len(seen):,} values among the units that entered; a test has {MOST_VARIANTS} "
            "variants at most",
            hint="name the column that says which variant somebody saw; for segments use --by",
        )
    if seen and control not in seen:
        raise InputError(f"no unit that entered saw the control {quoted(control)}{did_you_mean(control, seen)}")
    if experiment.split is not None and (rest := [each for each in seen if each not in experiment.split]):
        raise InputError(
            f"--split does not say which share of the units is meant to see {listed(rest)}",
            hint="name every variant of the test, such as A=50,B=50",
        )
    return [control, *sorted({*seen, *(experiment.split or ())} - {control})]


def _ratio_warnings(found: VariantsFinding) -> list[ReportWarning]:
    if not found.is_mismatched:
        return []
    counts = ", ".join(f"{quoted(each.name)} {each.totals.entered:,}" for each in found.variants)
    message = f"the split of the units is off ({counts}): chance hardly makes that, so do not trust the comparison"
    return [ReportWarning("sample_ratio", message)]


def _unit_warnings(name: str, funnel: Funnel) -> list[ReportWarning]:
    if funnel.count == "users":
        return []
    units = "sessions" if funnel.count == "sessions" else "units"
    message = f"the {units} of {quoted(name)} are compared as if no user had two: intervals, p and q are surer than due"
    return [ReportWarning("dependent_units", message)]


def compare_segments(events: EventTable, goals: Goals, period: Period, options: Options = DEFAULTS) -> SegmentsFinding:
    """Each segment of the one breakdown of the one funnel, against all other units together."""
    name, funnel = _the_funnel(goals)
    (breakdown,) = funnel.by
    counted = count_set(events, goals, period, options)
    result = funnel_result(name, funnel, counted.tallies)
    last, whole = result.totals.required[-1], result.totals.conversion
    pairs: list[list[Pair]] = []
    for segment in result.segments:
        own = segment.totals.conversion
        pairs.append([(last, own, Rate(whole.part - own.part, whole.whole - own.whole))])
    warnings = [*_unit_warnings(name, funnel), *_value_warnings(breakdown.value)]
    return SegmentsFinding(
        events=_warned(counted.events, warnings),
        funnel=result,
        columns=tuple(breakdown.columns),
        value=breakdown.value,
        segments=tuple(
            SegmentDifference(segment.by, segment.totals.in_progress, conversion)
            for segment, (conversion,) in zip(result.segments, _tested(pairs), strict=True)
        ),
    )


def count_set(events: EventTable, goals: Goals, period: Period, options: Options = DEFAULTS) -> Counted:
    """One set of events, to be compared with another one."""
    name, _ = _the_funnel(goals)
    found = answer(events, question_of(goals), period, options)
    return Counted(found.events, found.found[name])


def compare_sets(before: Counted, after: Counted, goals: Goals, period: Period) -> ChangeFinding:
    """Two sets of files, counted alike."""
    sides = Sides(before.tallies, after.tallies, 0)
    found = _change(sides, goals, (period, period), after.events)
    return replace(found, baseline_events=before.events, both=None)


def compare_periods(
    events: EventTable, goals: Goals, periods: tuple[Period, Period], options: Options = DEFAULTS
) -> ChangeFinding:
    """Two periods of entry of one log, the older one first."""
    name, funnel = _the_funnel(goals)

    def tally(rows: pl.DataFrame, limits: Limits) -> Sides:
        older, newer = (replace(limits, since=each.since, until=each.until) for each in periods)
        return tally_periods(rows, name, funnel, older, newer)

    found = answer(events, Question(goals, tally, Sides.added), _spanning(periods), options)
    return _change(found.found, goals, periods, found.events)


def _spanning(periods: Sequence[Period]) -> Period:
    """The shortest period that holds them all."""
    starts = [each.since for each in periods if each.since is not None]
    ends = [each.until for each in periods if each.until is not None]
    return Period(
        min(starts) if len(starts) == len(periods) else None,
        max(ends) if len(ends) == len(periods) else None,
        periods[0].as_of,
    )


def _change(sides: Sides, goals: Goals, periods: tuple[Period, Period], events: EventsResult) -> ChangeFinding:
    name, funnel = _the_funnel(goals)
    before, after = (
        Side(period.since, period.until, total(tallies, funnel).entered, total(matured(tallies), funnel))
        for period, tallies in zip(periods, (sides.before, sides.after), strict=True)
    )
    (differences,) = _tested([_pairs(after.compared.required, before.compared.required)])
    breakdown = funnel.by[0] if funnel.by else None
    value = breakdown.value if breakdown is not None else "entry"
    return ChangeFinding(
        events=_warned(events, [*_unit_warnings(name, funnel), *_value_warnings(value)]),
        baseline_events=None,
        funnel=funnel_result(name, funnel, sides.after),
        before=before,
        after=after,
        both=sides.both,
        differences=differences,
        columns=() if breakdown is None else tuple(breakdown.columns),
        value=value,
        segments=_segment_changes(sides, funnel),
    )


def _segment_changes(sides: Sides, funnel: Funnel) -> tuple[SegmentChange, ...]:
    """Both sides by the segments that are the largest of them together."""
    if not funnel.by:
        return ()
    (breakdown,) = funnel.by
    both = [matured(sides.before), matured(sides.after)]
    kept = largest(Tallies.added(both), breakdown)
    together = segments_of(Tallies.added(both), funnel, breakdown, kept)
    found = [
        {tuple(each.by.values()): each.totals.conversion for each in segments_of(tallies, funnel, breakdown, kept)}
        for tallies in both
    ]
    before, after = ([side.get(tuple(each.by.values()), Rate(0, 0)) for each in together] for side in found)
    return tuple(
        SegmentChange(segment.by, old, new, mix, rate)
        for segment, old, new, (mix, rate) in zip(together, before, after, split_change(before, after), strict=False)
    )


def _value_warnings(value: str) -> list[ReportWarning]:
    if value == "entry":
        return []
    message = (
        "segments are not made at the entry: who gets farther has more events to take a value from, or a later one"
    )
    return [ReportWarning("value_after_entry", message)]


def _the_funnel(goals: Goals) -> tuple[str, Funnel]:
    ((name, funnel),) = goals.funnels.items()
    return name, funnel


def _pairs(steps: Sequence[Step], others: Sequence[Step]) -> list[Pair]:
    """The rates of each step in two groups."""
    return [(step, step.from_first, other.from_first) for step, other in zip(steps, others, strict=True)]


def _tested(groups_of_pairs: Sequence[Sequence[Pair]]) -> list[tuple[Difference, ...]]:
    """The differences of each group; q over all of them together."""
    pairs = [pair for group in groups_of_pairs for pair in group]
    p_values = [p_value(rate, other) for _, rate, other in pairs]
    tested = iter(
        Difference(
            step=step.step,
            goal=step.goal,
            rate=rate,
            other=other,
            interval=difference_interval(rate, other),
            lift_interval=lift_interval(rate, other),
            p=p,
            q=q,
        )
        for (step, rate, other), p, q in zip(pairs, p_values, q_values(p_values), strict=True)
    )
    return [tuple(next(tested) for _ in group) for group in groups_of_pairs]


def _warned(events: EventsResult, warnings: Sequence[ReportWarning]) -> EventsResult:
    return replace(events, warnings=(*events.warnings, *warnings))

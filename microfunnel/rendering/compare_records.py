"""A comparison for programs: the contents of its JSON, which schemas/compare.schema.json describes, and rows of CSV."""

from collections.abc import Mapping, Sequence

from microfunnel.findings.compare import (
    ChangeFinding,
    CompareFinding,
    Difference,
    SegmentsFinding,
    Side,
    Variant,
    VariantsFinding,
)
from microfunnel.rendering.findings import Scalar
from microfunnel.rendering.to_json import events_contents, how_counted, iso_time
from microfunnel.results import FunnelResult, Rate, Totals

Record = dict[str, object]
Row = dict[str, Scalar]

RATE = ("entered", "reached", "rate")
NUMBERS = (
    *RATE,
    *(f"control_{key}" for key in RATE),
    "difference",
    "difference_low",
    "difference_high",
    "lift",
    "lift_low",
    "lift_high",
    "p",
    "q",
)
"""The keys of a difference in a row."""


def contents(finding: CompareFinding) -> Record:
    """Which of the three comparisons it is, and that one; the others are null."""
    baseline = finding.baseline_events if isinstance(finding, ChangeFinding) else None
    return {
        "baseline_events": None if baseline is None else events_contents(baseline),
        "funnel": _funnel(finding.funnel),
        "variants": _variants(finding) if isinstance(finding, VariantsFinding) else None,
        "change": _change(finding) if isinstance(finding, ChangeFinding) else None,
        "segments": _segments(finding) if isinstance(finding, SegmentsFinding) else None,
    }


def rows(finding: CompareFinding) -> Sequence[Row]:
    """A row for each variant and step, for each step and segment of a change, or for each segment."""
    match finding:
        case VariantsFinding():
            return _variant_rows(finding)
        case ChangeFinding():
            return _change_rows(finding)
        case SegmentsFinding():
            return [{**_by(each.by), **_numbers(each.conversion, "others")} for each in finding.segments]


def _by(values: Mapping[str, str | None]) -> Row:
    """The values of the columns; a column may be called as one of ours is."""
    return {f"by {column}": value for column, value in values.items()}


def _funnel(funnel: FunnelResult) -> Record:
    return {
        **how_counted(funnel),
        "left_out": funnel.left_out,
        **_totals(funnel.totals),
    }


def _totals(totals: Totals) -> Record:
    matured = totals.matured
    return {
        "entered": totals.entered,
        "converted": totals.converted,
        "conversion_rate": totals.conversion.value,
        "in_progress": totals.in_progress,
        "matured_entered": None if matured is None else matured.whole,
        "matured_converted": None if matured is None else matured.part,
        "matured_rate": None if matured is None else matured.value,
    }


def _variants(finding: VariantsFinding) -> Record:
    return {
        "column": finding.column,
        "control": finding.control.name,
        "variants": [_variant(each) for each in finding.variants],
        "several": _totals(finding.several),
        "without": _totals(finding.without),
        "sample_ratio_p": finding.sample_ratio_p,
    }


def _variant(variant: Variant) -> Record:
    return {
        "variant": variant.name,
        "share": variant.share,
        **_totals(variant.totals),
        "steps": [_step(each) for each in variant.differences],
        "smallest_effect": variant.smallest_effect,
    }


def _change(finding: ChangeFinding) -> Record:
    return {
        "before": _side(finding.before),
        "after": _side(finding.after),
        "both": finding.both,
        "steps": [_step(each) for each in finding.differences],
        "by": list(finding.columns),
        "value": finding.value,
        "mix": None if finding.mix is None else float(finding.mix),
        "rate": None if finding.rate is None else float(finding.rate),
        "segments": [
            {
                "by": dict(each.by),
                "before": _rate(each.before),
                "after": _rate(each.after),
                "mix": float(each.mix),
                "rate": float(each.rate),
            }
            for each in finding.segments
        ],
    }


def _side(side: Side) -> Record:
    return {
        "since": iso_time(side.since),
        "until": iso_time(side.until),
        "entered": side.entered,
        "still_open": side.still_open,
        "compared": _rate(side.compared.conversion),
    }


def _segments(finding: SegmentsFinding) -> Record:
    return {
        "by": list(finding.columns),
        "value": finding.value,
        "segments": [
            {"by": dict(each.by), "in_progress": each.in_progress, **_difference(each.conversion)}
            for each in finding.segments
        ],
    }


def _step(difference: Difference) -> Record:
    return {"step": difference.step, "goal": difference.goal, **_difference(difference)}


def _difference(difference: Difference) -> Record:
    return {**_rate(difference.rate), "other": _rate(difference.other), **_statistics(difference)}


def _rate(rate: Rate) -> Row:
    return {"entered": rate.whole, "reached": rate.part, "rate": rate.value}


def _statistics(difference: Difference) -> Row:
    low, high = difference.interval or (None, None)
    lift_low, lift_high = difference.lift_interval or (None, None)
    return {
        "difference": difference.value,
        "difference_low": low,
        "difference_high": high,
        "lift": difference.lift,
        "lift_low": lift_low,
        "lift_high": lift_high,
        "p": difference.p,
        "q": difference.q,
    }


def _numbers(difference: Difference, other: str) -> Row:
    """A difference in one row: the counts of the other group carry its name."""
    others = {f"{other}_{key}": value for key, value in _rate(difference.other).items()}
    return {**_rate(difference.rate), **others, **_statistics(difference)}


def _variant_rows(finding: VariantsFinding) -> list[Row]:
    """Of each group of units the steps, so that they add up to all that entered."""
    tested = {(each.name, step.step): step for each in finding.variants for step in each.differences}
    groups = [("control", finding.control.name, finding.control.totals)]
    groups += [("variant", each.name, each.totals) for each in finding.variants[1:]]
    groups += [("several", "", finding.several), ("without", "", finding.without)]
    found: list[Row] = []
    for group, variant, totals in groups:
        for step in totals.steps:
            head: Row = {"group": group, "variant": variant, "step": step.step, "goal": step.goal}
            difference = tested.get((variant, step.step)) if group == "variant" else None
            numbers = _rate(step.from_first) if difference is None else _numbers(difference, "control")
            found.append({**head, **dict.fromkeys(NUMBERS), **numbers})
    return found


def _change_rows(finding: ChangeFinding) -> list[Row]:
    """The steps over all units, then the conversion of each segment with what it adds to the change."""
    nowhere = _by(dict.fromkeys(finding.columns))
    added: Row = {"mix": None, "rate_effect": None}
    found: list[Row] = [
        {"row": "step", **nowhere, "step": each.step, "goal": each.goal, **_numbers(each, "before"), **added}
        for each in finding.differences
    ]
    last = finding.conversion
    for each in finding.segments:
        head: Row = {"row": "segment", **_by(each.by), "step": last.step, "goal": last.goal}
        before = {f"before_{key}": value for key, value in _rate(each.before).items()}
        numbers = {**dict.fromkeys(_numbers(last, "before")), **_rate(each.after), **before}
        found.append({**head, **numbers, "mix": float(each.mix), "rate_effect": float(each.rate)})
    return found

"""The effects of micro goals for programs: the contract of schemas/effects.schema.json, and rows for CSV."""

from collections.abc import Iterator

from microfunnel.findings.effects import Candidate, Candidates, Effect, Effects, MacroEffects
from microfunnel.rendering.findings import Scalar


def contents(effects: Effects) -> dict[str, object]:
    """What the JSON says beside the events."""
    return {
        "landmark_seconds": None if effects.landmark is None else effects.landmark / 1_000_000,
        "columns": None if effects.columns is None else list(effects.columns),
        "macros": [_macro(macro) for macro in effects.macros],
    }


def rows(effects: Effects) -> list[dict[str, Scalar]]:
    """A row for each goal and each candidate shown, against each macro goal."""
    return [row for macro in effects.macros for row in _rows(macro)]


def _rows(macro: MacroEffects) -> Iterator[dict[str, Scalar]]:
    for each in macro.goals:
        yield {
            "macro": macro.macro,
            "goal": each.goal,
            "kind": each.kind,
            "field": None,
            "value": None,
            **_numbers(each.effect, structural=each.structural),
        }
    for candidate in macro.candidates.shown if macro.candidates is not None else ():
        yield {
            "macro": macro.macro,
            "goal": None,
            "kind": "candidate",
            "field": candidate.field,
            "value": candidate.value,
            **_numbers(candidate.effect, structural=False),
        }


def _macro(macro: MacroEffects) -> dict[str, object]:
    return {
        "macro": macro.macro,
        "users": macro.conversion.whole,
        "converted": macro.conversion.part,
        "conversion_rate": macro.conversion.value,
        "converted_early": macro.early,
        "observed_too_short": macro.young,
        "mean_value": macro.mean_value,
        "goals": [
            {"goal": each.goal, "kind": each.kind, **_numbers(each.effect, structural=each.structural)}
            for each in macro.goals
        ],
        "candidates": None if macro.candidates is None else _candidates(macro.candidates),
    }


def _candidates(found: Candidates) -> dict[str, object]:
    return {
        "tested": found.tested,
        "least_users": found.least,
        "structural": [{"field": each.field, "value": each.value} for each in found.structural],
        "best": [_candidate(each) for each in found.shown],
    }


def _candidate(each: Candidate) -> dict[str, object]:
    return {"field": each.field, "value": each.value, **_numbers(each.effect, structural=False)}


def _numbers(effect: Effect, *, structural: bool) -> dict[str, Scalar]:
    low, high = effect.interval or (None, None)
    return {
        "users": effect.done,
        "users_before": effect.followed.whole,
        "reach": effect.reach.value,
        "followed": effect.followed.part,
        "rate_with": effect.followed.value,
        "users_without": effect.without.whole,
        "converted_without": effect.without.part,
        "rate_without": effect.without.value,
        "difference": effect.difference,
        "difference_low": low,
        "difference_high": high,
        "ratio": effect.ratio,
        "phi": effect.phi,
        "recall": effect.recall.value,
        "p": effect.p,
        "q": effect.q,
        "structural": structural,
        "expected_value": effect.expected_value,
        "incremental_value": effect.incremental_value,
    }

"""Where the lost went, for programs and for spreadsheets."""

from collections.abc import Iterator, Mapping, Sequence

from microfunnel.findings.paths import FunnelPaths, Line, PathsBefore, PathsResult, StepPaths
from microfunnel.rendering.findings import Scalar
from microfunnel.rendering.to_json import how_counted, json_number, seconds
from microfunnel.results import Totals

ARROW = " > "


def contents(found: PathsResult) -> dict[str, object]:
    """The JSON beside the events."""
    return {
        "funnels": [_funnel(funnel) for funnel in found.funnels],
        "before": None if found.before is None else _before(found.before),
    }


def _funnel(funnel: FunnelPaths) -> dict[str, object]:
    result, totals = funnel.result, funnel.result.totals
    return {
        **how_counted(result),
        "entered": totals.entered,
        "converted": totals.converted,
        "converted_value": totals.value,
        "value_per_converted": totals.value_per_converted,
        "currency": totals.currency,
        "steps": [_step(step, totals) for step in funnel.steps],
        "left_out": result.left_out,
    }


def _step(step: StepPaths, totals: Totals) -> dict[str, object]:
    return {
        "step": step.step,
        "goal": step.goal,
        "after": step.after,
        "dropped": step.dropped,
        "went_on": step.went_on,
        "value_at_risk": totals.worth_of(step.dropped),
        "lines": [
            {
                "outcome": line.outcome,
                "path": list(line.path),
                "lost": line.lost,
                "share_of_lost": step.share_lost(line).value,
                "seconds": seconds(line.lost_times),
                "value_at_risk": totals.worth_of(line.lost),
                "went_on": line.went_on,
                "share_of_went_on": step.share_went_on(line).value,
                "went_on_seconds": seconds(line.went_on_times),
            }
            for line in step.lines
        ],
    }


def _before(before: PathsBefore) -> dict[str, object]:
    return {
        "goal": before.goal,
        "users": before.users,
        "paths": [
            {
                "path": list(way.path),
                "users": way.users,
                "share_of_users": before.share(way).value,
                "seconds": seconds(way.times),
            }
            for way in before.ways
        ],
    }


def rows(found: PathsResult) -> Sequence[Mapping[str, Scalar]]:
    """One row of CSV for each line of each step, and for each way to the goal."""
    return [*_lines(found), *_ways(found.before)]


def _lines(found: PathsResult) -> Iterator[Mapping[str, Scalar]]:
    for funnel in found.funnels:
        for step in funnel.steps:
            for line in step.lines:
                yield _row(
                    funnel=funnel.result.funnel,
                    step=step.step,
                    goal=step.goal,
                    after=step.after,
                    outcome=line.outcome,
                    path=ARROW.join(line.path),
                    **_numbers(line, step, funnel.result.totals),
                )


def _numbers(line: Line, step: StepPaths, totals: Totals) -> dict[str, Scalar]:
    at_risk = totals.worth_of(line.lost)
    return {
        "lost": line.lost,
        "share_of_lost": step.share_lost(line).value,
        "median_seconds": line.lost_times.median,
        "value_at_risk": None if at_risk is None else json_number(at_risk),
        "currency": totals.currency,
        "went_on": line.went_on,
        "share_of_went_on": step.share_went_on(line).value,
        "went_on_median_seconds": line.went_on_times.median,
    }


def _ways(before: PathsBefore | None) -> Iterator[Mapping[str, Scalar]]:
    for way in before.ways if before is not None else ():
        yield _row(
            goal=before.goal if before is not None else None,
            outcome="before",
            path=ARROW.join(way.path),
            median_seconds=way.times.median,
            users=way.users,
            share_of_users=before.share(way).value if before is not None else None,
        )


HEADER = (
    "funnel",
    "step",
    "goal",
    "after",
    "outcome",
    "path",
    "lost",
    "share_of_lost",
    "median_seconds",
    "value_at_risk",
    "currency",
    "went_on",
    "share_of_went_on",
    "went_on_median_seconds",
    "users",
    "share_of_users",
)


def _row(**values: Scalar) -> dict[str, Scalar]:
    return {key: values.get(key) for key in HEADER}

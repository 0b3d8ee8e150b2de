"""Compare groups of units."""

from typing import TYPE_CHECKING, Annotated

import typer

from microfunnel.cli.asking import Asked, Needed, ask, asks, show

if TYPE_CHECKING:
    from microfunnel.answering import Options
    from microfunnel.events import EventTable
    from microfunnel.findings.compare import CompareFinding
    from microfunnel.insights.compare import Counted
    from microfunnel.questions import Period


@asks
def compare(
    asked: Asked,
    funnel: Annotated[str | None, typer.Option(help="The funnel, where there are several.", metavar="NAME")] = None,
    variant: Annotated[
        str | None, typer.Option(help="Compare variants of an A/B test, by this column.", metavar="COLUMN")
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="The variant that the others are compared with.", metavar="VALUE")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="How units were to be split: A=50,B=50; equally.", metavar="SHARES")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare entries with those of another period.", metavar="SINCE..UNTIL")
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="Compare with the events of this file (repeatable).", metavar="FILE")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Split a change by COLUMN; alone, each segment and the rest.", metavar="COLUMN")
    ] = None,
    top: Annotated[int, typer.Option(help="Segments kept apart with --by; the rest is (other).", min=1)] = 10,
) -> None:
    """Compare variants of a test, two periods or sets of files, or each segment and all others."""
    from dataclasses import replace

    from microfunnel.analysis import question_of
    from microfunnel.choice import choose, choose_period
    from microfunnel.comparisons import Comparison, choose_funnel, choose_older, comparable
    from microfunnel.insights.compare import (
        compare_periods,
        compare_segments,
        compare_sets,
        compare_variants,
        count_set,
        question_of_variants,
    )
    from microfunnel.rendering.compare import FORMATS

    said = Comparison(variant, control, split, against, baseline or (), by)
    said.check(asked.events)
    experiment = said.experiment()
    file = asked.goals_file()
    chosen = choose(file, choose_funnel(file, funnel), [by] if by else [], top)
    goals = comparable(chosen, with_segments=by is not None)
    newer = choose_period(asked.since, asked.until, asked.as_of, goals.events.timezone)
    older = choose_older(against, newer, goals.events.timezone) if against else None
    needed = Needed(question_of(goals).fields_needed)

    def count(table: "EventTable", period: "Period", options: "Options") -> "Counted":
        return count_set(table, goals, period, options)

    if baseline:
        before, also_read = ask(replace(asked, events=baseline, rejects=None), goals, needed, count)
    else:
        before, also_read = None, []

    def find(table: "EventTable", period: "Period", options: "Options") -> "CompareFinding":
        if experiment is not None:
            return compare_variants(table, goals, experiment, period, options)
        if older is not None:
            return compare_periods(table, goals, (older, period), options)
        if before is not None:
            return compare_sets(before, count_set(table, goals, period, options), goals, period)
        return compare_segments(table, goals, period, options)

    if experiment is not None:
        needed = Needed(question_of_variants(goals, experiment.column).fields_needed, option="--variant")
    show(asked, goals, needed, find, FORMATS, also_read=also_read)

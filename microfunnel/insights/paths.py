"""Where the lost went, and what came before a goal: from tallies to a finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from microfunnel.analysis import funnel_result, with_currencies
from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.before import tally_before
from microfunnel.counting.funnels import Limits
from microfunnel.counting.ledger import Ledger, Paths, event_column, tally_ledger
from microfunnel.counting.tallies import add_up
from microfunnel.counting.totals import NO_TIMES, summary
from microfunnel.events import EventTable, field_column
from microfunnel.findings.paths import (
    BEGAN,
    ENDED,
    FunnelPaths,
    Line,
    PathsBefore,
    PathsResult,
    StepPaths,
    WayThere,
)
from microfunnel.goals import Goals
from microfunnel.questions import Period, Question
from microfunnel.results import OTHER, FunnelResult, Times

EVENT = "event"
WITH_PATH = ("went_to", "looped_back")
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for beside the funnels."""

    before: str | None = None
    """The goal whose users' ways to it are wanted."""
    depth: int = 1
    """Events of a path."""
    top: int = 5
    """Paths kept apart; the rest is (other)."""
    label: str = EVENT
    """The field by which events are called; those without a value by their event name."""


@dataclass(frozen=True, slots=True)
class Found:
    """What some users did."""

    ledgers: tuple[Ledger, ...]
    """In the order of the funnels."""
    before: pl.DataFrame | None


def question_of(goals: Goals, wish: Wish) -> Question[Found]:
    """What is asked of the events: a ledger of each funnel, and the ways to a goal."""
    called = pl.col(field_column(EVENT))
    if wish.label != EVENT:
        called = pl.coalesce(pl.col(field_column(wish.label)), called)
    paths = Paths(called, wish.depth)

    goals = unsplit(goals)

    def count(rows: pl.DataFrame, limits: Limits) -> Found:
        ledgers = tuple(tally_ledger(rows, goals, name, limits, paths) for name in goals.funnels)
        return Found(ledgers, None if wish.before is None else tally_before(rows, wish.before, limits, paths))

    return Question(goals, count, _added, labels=frozenset({EVENT, wish.label}), all_events=True)


def unsplit(goals: Goals) -> Goals:
    """The goals with funnels that are not split."""
    funnels = {name: funnel.model_copy(update={"by": []}) for name, funnel in goals.funnels.items()}
    return goals.model_copy(update={"funnels": funnels})


def _added(parts: Sequence[Found]) -> Found:
    ledgers = zip(*(part.ledgers for part in parts), strict=True)
    before = [part.before for part in parts if part.before is not None]
    return Found(tuple(map(Ledger.added, ledgers)), add_up(before) if before else None)


def find_paths(
    events: EventTable, goals: Goals, wish: Wish, period: Period, options: Options = DEFAULTS
) -> PathsResult:
    """The ledgers of all funnels of the goals, and what came before a goal where that is wished for."""
    found = answer(events, question_of(goals, wish), period, options)
    named = zip(unsplit(goals).funnels.items(), found.found.ledgers, strict=True)
    before = found.found.before
    return PathsResult(
        events=found.events,
        funnels=tuple(
            _funnel_paths(
                funnel_result(name, funnel, with_currencies(ledger.tallies, funnel, goals, found.currencies)),
                ledger,
                wish,
            )
            for (name, funnel), ledger in named
        ),
        before=None if before is None or wish.before is None else _before(before, wish.before, wish),
    )


def _funnel_paths(result: FunnelResult, ledger: Ledger, wish: Wish) -> FunnelPaths:
    steps = tuple(
        StepPaths(step.step, step.goal, before.goal, _lines(ledger.lines.filter(pl.col("place") == place), wish))
        for place, (before, step) in enumerate(pairwise(result.totals.required))
    )
    return FunnelPaths(result, steps)


def _lines(table: pl.DataFrame, wish: Wish) -> tuple[Line, ...]:
    """The lines of one step, those of most lost units first, then what is left of the paths, then who went straight."""
    events = _events(wish)
    with_path = pl.col("outcome").is_in(WITH_PATH)
    lost = pl.when("lost").then("n").otherwise(0)
    paths = table.filter(with_path).group_by("outcome", *events).agg(lost.sum().alias("here"), pl.col("n").sum())
    folded = _folded(table, paths.select("here", "n", "outcome", *events), ["outcome"], wish)
    lines = [
        Line(
            outcome=str(outcome),
            path=_path(path, wish, is_other=is_other) if outcome in WITH_PATH else (),
            lost=int(group.filter("lost")["n"].sum()),
            went_on=int(group.filter(~pl.col("lost"))["n"].sum()),
            lost_times=_times(group.filter("lost")),
            went_on_times=_times(group.filter(~pl.col("lost"))),
        )
        for (outcome, is_other, *path), group in folded.partition_by("outcome", OTHERS, *events, as_dict=True).items()
    ]
    return tuple(sorted(lines, key=_turn))


def _turn(line: Line) -> tuple[object, ...]:
    is_last = 2 if line.outcome == "next_step" else int(line.path == (OTHER,))
    return is_last, -line.lost, -line.went_on, line.outcome, line.path


def _before(table: pl.DataFrame, goal: str, wish: Wish) -> PathsBefore:
    events = _events(wish)
    paths = table.group_by(events).agg(pl.col("n").sum())
    folded = _folded(table, paths.select("n", *events), [], wish)
    ways = [
        WayThere(_path(path, wish, is_other=is_other, back=True), int(group["n"].sum()), _times(group))
        for (is_other, *path), group in folded.partition_by(OTHERS, *events, as_dict=True).items()
    ]
    return PathsBefore(goal, tuple(sorted(ways, key=lambda way: (way.path == (OTHER,), -way.users, way.path))))


def _events(wish: Wish) -> list[str]:
    return [event_column(number) for number in range(1, wish.depth + 1)]


def _folded(table: pl.DataFrame, paths: pl.DataFrame, within: list[str], wish: Wish) -> pl.DataFrame:
    """The table with `others`: whether the path is none of the top ones, and then left out.

    `paths` counts in its first columns how many took each path, and the top ones of each value of `within` are kept.
    """
    events = _events(wish)
    counts = [name for name in paths.columns if name not in {*within, *events}]
    best_first = paths.sort(*counts, *events, descending=[*(True for _ in counts), *(False for _ in events)])
    number = pl.int_range(pl.len()).over(within) if within else pl.int_range(pl.len())
    beyond = best_first.filter(number >= wish.top).select(*within, *events, pl.lit(value=True).alias(OTHERS))
    marked = table.join(beyond, on=[*within, *events], how="left", nulls_equal=True)
    marked = marked.with_columns(pl.col(OTHERS).fill_null(value=False))
    kept = (pl.when(~pl.col(OTHERS)).then(event).alias(event) for event in events)
    return add_up([marked.with_columns(kept)])


def _path(events: Sequence[str | None], wish: Wish, *, is_other: object, back: bool = False) -> tuple[str, ...]:
    """The path with what stands at its end where it is shorter than it could be."""
    if is_other:
        return (OTHER,)
    names = [event for event in events if event is not None]
    if back:
        return (*([BEGAN] if len(names) < wish.depth else []), *reversed(names))
    return (*names, *([ENDED] if len(names) < wish.depth else []))


def _times(table: pl.DataFrame) -> Times:
    """Of a table with a row for each number of seconds."""
    timed = table.select("seconds", "n", "total_us").drop_nulls("seconds").sort("seconds")
    return summary(timed) if timed.height else NO_TIMES

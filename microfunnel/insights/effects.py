"""From events to the effects of micro goals: who is compared with whom, how sure that is, what may become a goal."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.effects import Comparison, EffectTallies, tally_effects
from microfunnel.errors import UsageError
from microfunnel.events import EventTable, field_column
from microfunnel.findings.effects import Candidate, Candidates, Effect, Effects, GoalEffect, MacroEffects
from microfunnel.goals import Goal, Goals
from microfunnel.inspecting.inspection import no_events, properties_of
from microfunnel.matches import Match, Operators
from microfunnel.matching import fields_of
from microfunnel.questions import Period, Question, used_expr
from microfunnel.results import Rate
from microfunnel.significance import p_value, q_values
from microfunnel.wording import did_you_mean, quoted

MOST_VALUES = 50
"""Different values of a column whose values are looked at without being asked for."""
LEAST_USERS = 20
LEAST_SHARE = 200
"""One user in so many must have done what is looked at."""
LONGEST_VALUE = 200
"""Characters of a value that may become a goal."""
RESERVED = ("any", "all", "not")
"""Names of columns that a condition of the goals file can't name."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for beside the goals."""

    columns: tuple[str, ...] = ()
    """Columns whose values are looked at; none for all that have few."""
    top: int = 10
    """Candidates that are shown for each macro goal."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which effects are asked for."""

    goals: Goals
    macros: tuple[str, ...]
    micros: tuple[str, ...]
    landmark: int | None = None
    search: Search | None = None

    @property
    def fields_needed(self) -> set[str]:
        columns = () if self.search is None else self.search.columns
        return _question(self, columns).fields_needed


def choose_effects(goals: Goals, macros: Sequence[str], landmark: int | None, search: Search | None) -> Wish:
    """Every micro goal against these macro goals, all of them where none is named; a UsageError where that can't be."""
    known = [name for name, goal in goals.goals.items() if goal.kind == "macro"]
    micros = tuple(name for name in goals.goals if name not in known)
    problems = [_no_macro(name, goals, known) for name in macros if name not in known]
    if not known:
        problems = ["no goal of the goals file is a macro goal; what you hope for needs `kind: macro`"]
    elif not micros and search is None:
        problems.append("all goals of the goals file are macro goals, and none is compared with itself")
    if problems:
        raise UsageError(*problems)
    chosen = tuple(name for name in known if name in macros or not macros)
    return Wish(goals.model_copy(update={"funnels": {}}), chosen, micros, landmark, search)


def _no_macro(name: str, goals: Goals, known: Sequence[str]) -> str:
    if name in goals.goals:
        return f"--macro: {quoted(name)} is a {goals.goals[name].kind} goal, not a macro goal{did_you_mean('', known)}"
    return f"--macro: no macro goal is called {quoted(name)}{did_you_mean(name, known)}"


def _question(wish: Wish, columns: Collection[str]) -> Question[EffectTallies]:
    goals = wish.goals.goals
    searched = wish.search is not None
    fields = ("event", *columns) if searched else ()
    macros = {name: goals[name] for name in wish.macros}
    compared = Comparison(macros, wish.micros, fields, wish.landmark)
    return Question(
        wish.goals,
        lambda rows, limits: tally_effects(rows, compared, limits),
        EffectTallies.added,
        labels=frozenset(fields),
        all_events=searched,
        firsts=(),
    )


def find_effects(events: EventTable, wish: Wish, period: Period, options: Options = DEFAULTS) -> Effects:
    """The effects over these events; an InputError where candidates are sought and no user, time or event is found."""
    columns: tuple[str, ...] = ()
    if wish.search is not None:
        if events.problems:
            raise no_events(events.problems, events.forms)
        columns = wish.search.columns or tuple(_few_valued(events, wish.goals, period))
    question = _question(wish, columns)
    answered = answer(_with_fields(events, question.fields_needed), question, period, options)
    macros = _judged(wish, answered.found)
    looked_at = None if wish.search is None else columns
    return Effects(answered.events, wish.landmark, looked_at, tuple(macros), tuple(wish.goals.goals))


def _few_valued(events: EventTable, goals: Goals, period: Period) -> Iterator[str]:
    """The columns that hold few different texts and that no goal looks at."""
    properties, _ = properties_of(events, used_expr(goals, period))
    taken = {*fields_of(goals.goals.values()), *RESERVED}
    for each in properties:
        is_text = each.numbers < each.filled
        if is_text and each.different <= MOST_VALUES and each.field not in taken:
            yield each.field


def _with_fields(events: EventTable, fields: Collection[str]) -> EventTable:
    """The events with these fields alone: where all were looked for, most are not needed."""
    kept = {field_column(name) for name in fields}
    known = events.frame.collect_schema().names()
    rest = [name for name in known if name.startswith(field_column("")) and name not in kept]
    return replace(events, frame=events.frame.drop(rest))


# --- from tallies to effects ------------------------------------------------------------------------------------------


def _judged(wish: Wish, tallies: EffectTallies) -> list[MacroEffects]:
    """The effects against each macro goal: those of all goals are one family of tests, those of candidates another."""
    scores = {row["macro"]: row for row in tallies.macros.iter_rows(named=True)}
    exposures = {name: tallies.exposures.filter(pl.col("macro") == name) for name in wish.macros}
    goals = {name: _goal_effects(wish, scores[name], exposures[name]) for name in wish.macros}
    found = {name: _candidates(wish, scores[name], exposures[name]) for name in wish.macros}
    judged_goals = iter(_tested([(each.effect, not each.structural) for name in wish.macros for each in goals[name]]))
    judged = iter(
        _tested([(each.effect, not each.effect.is_one_sided) for name in wish.macros for each in found[name]])
    )
    return [
        MacroEffects(
            macro=name,
            conversion=Rate(scores[name]["converted"], scores[name]["users"]),
            early=scores[name]["early"],
            young=scores[name]["young"],
            value=_value(wish.goals, scores[name]),
            goals=tuple(replace(each, effect=next(judged_goals)) for each in goals[name]),
            candidates=None
            if wish.search is None
            else _ranked(
                [replace(each, effect=next(judged)) for each in found[name]], wish.search, scores[name]["users"]
            ),
        )
        for name in wish.macros
    ]


def _tested(effects: Sequence[tuple[Effect, bool]]) -> list[Effect]:
    """The effects with p and q, of those for which that is said to be wanted."""
    p_values = [p_value(each.followed, each.without) if is_tested else None for each, is_tested in effects]
    return [replace(each, p=p, q=q) for (each, _), p, q in zip(effects, p_values, q_values(p_values), strict=True)]


def _value(goals: Goals, score: Mapping[str, Any]) -> int | None:
    return None if goals.goals[score["macro"]].value is None else int(score["value"])


def _effect(goals: Goals, score: Mapping[str, Any], exposure: Mapping[str, Any] | None) -> Effect:
    """What was counted, without p and q; no exposure where nobody did it."""
    done, exposed, followed = (0 if exposure is None else exposure[key] for key in ("done", "exposed", "followed"))
    without = Rate(score["converted"] - followed, score["users"] - exposed)
    return Effect(done, Rate(followed, exposed), without, _value(goals, score), None, None)


def _goal_effects(wish: Wish, score: Mapping[str, Any], exposures: pl.DataFrame) -> list[GoalEffect]:
    done = {row["name"]: row for row in exposures.filter(pl.col("field").is_null()).iter_rows(named=True)}
    kinds = {name: wish.goals.goals[name].kind for name in wish.micros}
    return [GoalEffect(name, kind, _effect(wish.goals, score, done.get(name))) for name, kind in kinds.items()]


def _candidates(wish: Wish, score: Mapping[str, Any], exposures: pl.DataFrame) -> list[Candidate]:
    """What enough users did, and enough did not, and is no goal yet; in an order of their own."""
    least = _least(score["users"])
    others = score["users"] - pl.col("exposed")
    enough = exposures.filter(
        pl.col("field").is_not_null()
        & (pl.col("exposed") >= least)
        & (others >= least)
        & (pl.col("name").str.len_chars() <= LONGEST_VALUE)
    )
    taken = {_alone(goal) for goal in wish.goals.goals.values()}
    return [
        Candidate(row["field"], row["name"], _effect(wish.goals, score, row))
        for row in enough.sort("field", "name").iter_rows(named=True)
        if (row["field"], row["name"]) not in taken
    ]


def _least(users: int) -> int:
    """How many users must have done something for it to be looked at."""
    return max(LEAST_USERS, -(-users // LEAST_SHARE))


def _alone(goal: Goal) -> tuple[str, str] | None:
    """The field and the value of it that are all that a goal asks for; None where it asks for more, or for else."""
    match = goal.match
    if not isinstance(match, Match) or goal.counted or match.any_ or match.all_ or match.not_ or len(match.fields) != 1:
        return None
    ((field, test),) = match.fields.items()
    if isinstance(test, Operators):
        test = test.in_ if test.in_ is not None and test.model_fields_set == {"in_"} else []
    values = [test] if isinstance(test, str) else test
    return (field, values[0]) if len(values) == 1 else None


def _ranked(found: Sequence[Candidate], search: Search, users: int) -> Candidates:
    """The candidates, the best first: those that are no chance, and of these the ones through which most differs."""
    tested = [each for each in found if not each.effect.is_one_sided]
    untested = [each for each in found if each.effect.is_one_sided]
    tested.sort(
        key=lambda each: (not each.effect.is_found, -each.weight, -abs(each.effect.phi or 0.0), each.field, each.value)
    )
    untested.sort(key=lambda each: (-each.effect.reach.part, each.field, each.value))
    return Candidates(tuple(tested[: search.top]), len(tested), tuple(untested), _least(users))

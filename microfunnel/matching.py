"""Goals become named polars expressions: one boolean column for each condition."""

import re
from collections.abc import Callable, Iterable, Mapping

import polars as pl

from microfunnel.events import field_column
from microfunnel.funnels import Exclusion, Step
from microfunnel.goals import Goal, Goals
from microfunnel.matches import AnyEvent, Match, Operators


def goal_column(goal: str) -> str:
    """The Boolean column that says whether a row completes a goal."""
    return f"goal:{goal}"


def step_columns(funnel: str, index: int, step: Step) -> list[str]:
    """The Boolean columns of which one is true where a row completes a step (0 for the first) of a funnel."""
    return [goal_column(goal) for goal in step.goals] or [f"step:{funnel}:{index}"]


def exclusion_column(funnel: str, index: int, exclusion: Exclusion) -> str:
    """The Boolean column of the events that an exclusion (0 for the first) of a funnel names."""
    return goal_column(exclusion.goal) if exclusion.goal is not None else f"exclude:{funnel}:{index}"


def ignored_column(funnel: str) -> str:
    """The Boolean column of the events that may lie between the steps of a funnel in strict order."""
    return f"ignore:{funnel}"


def conditions(goals: Goals) -> dict[str, Goal]:
    """Column name to goal, for the goals and for what funnels match on their own: steps, exclusions, ignored events."""
    named = {goal_column(name): goal for name, goal in goals.goals.items()}
    for name, funnel in goals.funnels.items():
        own: dict[str, AnyEvent | Match | None] = {
            **{column: step.match for i, step in enumerate(funnel.steps) for column in step_columns(name, i, step)},
            **{exclusion_column(name, i, exclusion): exclusion.match for i, exclusion in enumerate(funnel.exclude)},
            ignored_column(name): None if funnel.ignore is None else Match.model_validate({"event": funnel.ignore}),
        }
        named |= {column: Goal(kind="milestone", match=match) for column, match in own.items() if match is not None}
    return named


def match_goals(named: Mapping[str, Goal]) -> list[pl.Expr]:
    """One Boolean expression, never null, for each condition, named by its column.

    A counted goal is true on every event that counts, a goal of a session's length on every event: which of them
    completes it takes the user's whole story and is decided when that is at hand.
    """
    return [match_expr(goal.match).alias(column) for column, goal in named.items()]


def listed_events(match: Match) -> list[str]:
    """The names that the test of the event itself lists; none where it lists none, and any may do."""
    test = match.fields.get("event")
    listed = test.in_ if isinstance(test, Operators) else test
    return _many(listed or [])


def event_names_of(goal: Goal) -> set[str] | None:
    """The only names of events that a condition can hold for; None where it may hold for any."""
    return _event_names(goal.match)


def specific_columns(named: Mapping[str, Goal]) -> list[str]:
    """The conditions that tell events apart, of those that hold for every event."""
    return [column for column, goal in named.items() if isinstance(goal.match, Match)]


def _event_names(match: Match | str | None) -> set[str] | None:
    if not isinstance(match, Match):
        return None
    if listed := listed_events(match):
        return set(listed)
    alternatives = [_event_names(part) for part in match.any_ or ()]
    if alternatives and None not in alternatives:
        return set().union(*(names for names in alternatives if names is not None))
    return next((names for part in match.all_ or () if (names := _event_names(part)) is not None), None)


def match_expr(match: Match | str | None) -> pl.Expr:
    """A Boolean expression, never null, that holds where an event matches."""
    if not isinstance(match, Match):
        return pl.lit(value=True)
    parts = [_field_expr(pl.col(field_column(name)), test) for name, test in match.fields.items()]
    if match.all_ is not None:
        parts += [match_expr(part) for part in match.all_]
    if match.any_ is not None:
        parts.append(pl.any_horizontal(match_expr(part) for part in match.any_))
    if match.not_ is not None:
        parts.append(~match_expr(match.not_))
    return pl.all_horizontal(parts) if len(parts) > 1 else parts[0]


def fields_of(named: Iterable[Goal]) -> set[str]:
    """The fields that these goals look at."""
    fields: set[str] = set()
    for goal in named:
        if isinstance(goal.match, Match):
            fields |= goal.match.field_names()
        if goal.distinct is not None:
            fields.add(goal.distinct)
        fields.update(goal.value_fields)
    return fields


def _field_expr(field: pl.Expr, test: str | list[str] | Operators) -> pl.Expr:
    if isinstance(test, Operators):
        given = test.model_dump(include=test.model_fields_set)
        return pl.all_horizontal(OPERATORS[name](field, value) for name, value in given.items())
    return _is_one_of(field, test)


def _is_one_of(field: pl.Expr, values: str | list[str]) -> pl.Expr:
    wanted = _many(values)
    held = field == wanted[0] if len(wanted) == 1 else field.is_in(wanted)
    return held.fill_null(value=False)


def _many(values: str | list[str]) -> list[str]:
    return values if isinstance(values, list) else [values]


def glob_as_regex(glob: str) -> str:
    """A regular expression for a pattern in which `*` stands for any text and `?` for one character."""
    wild = {"*": ".*", "?": "."}
    body = "".join(wild.get(char) or re.sub(r"[.^$|()\[\]{}+\\]", r"\\\g<0>", char) for char in glob)
    return f"(?s)^{body}$"


def _any_text(test: Callable[[pl.Expr, str], pl.Expr]) -> Callable[[pl.Expr, str | list[str]], pl.Expr]:
    def expr(field: pl.Expr, values: str | list[str]) -> pl.Expr:
        return pl.any_horizontal(test(field, value) for value in _many(values)).fill_null(value=False)

    return expr


def _number(compare: Callable[[pl.Expr, float], pl.Expr]) -> Callable[[pl.Expr, float], pl.Expr]:
    def expr(field: pl.Expr, limit: float) -> pl.Expr:
        number = field.str.strip_chars().cast(pl.Float64, strict=False).fill_nan(None)
        return compare(number, limit).fill_null(value=False)

    return expr


OPERATORS: dict[str, Callable[..., pl.Expr]] = {
    "not_": lambda field, values: ~_is_one_of(field, values),
    "in_": _is_one_of,
    "glob": _any_text(lambda field, value: field.str.contains(glob_as_regex(value))),
    "regex": _any_text(lambda field, value: field.str.contains(value)),
    "contains": _any_text(lambda field, value: field.str.contains(value, literal=True)),
    "starts_with": _any_text(lambda field, value: field.str.starts_with(value)),
    "ends_with": _any_text(lambda field, value: field.str.ends_with(value)),
    "gt": _number(lambda number, limit: number > limit),
    "gte": _number(lambda number, limit: number >= limit),
    "lt": _number(lambda number, limit: number < limit),
    "lte": _number(lambda number, limit: number <= limit),
    "exists": lambda field, wanted: field.is_not_null() if wanted else field.is_null(),
}

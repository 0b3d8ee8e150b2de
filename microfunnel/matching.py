"""Goals become named polars expressions: one boolean column for each condition."""

import re
from collections.abc import Callable, Iterable, Mapping

import polars as pl

from microfunnel.events import field_column
from microfunnel.goals import Goal, Goals, Match, Operators


def condition_column(funnel: str, step: int, goals: Goals) -> str:
    """The boolean column that says whether a row completes a step (0 for the first) of a funnel."""
    goal = goals.funnels[funnel].steps[step].goal
    return goal_column(goal) if goal is not None else f"step:{funnel}:{step}"


def goal_column(goal: str) -> str:
    """The boolean column that says whether a row completes a goal."""
    return f"goal:{goal}"


def conditions(goals: Goals) -> dict[str, Goal]:
    """Column name to goal, for the goals and for the steps that have a match of their own."""
    named = {goal_column(name): goal for name, goal in goals.goals.items()}
    own = {
        condition_column(name, index, goals): Goal(kind="milestone", match=step.match)
        for name, funnel in goals.funnels.items()
        for index, step in enumerate(funnel.steps)
        if step.match is not None
    }
    return named | own


def match_goals(named: Mapping[str, Goal]) -> list[pl.Expr]:
    """One Boolean expression, never null, for each condition, named by its column.

    A counted goal is true on every event that counts, a goal of a session's length on every event: which of them
    completes it takes the user's whole story and is decided when that is at hand.
    """
    return [match_expr(goal.match).alias(column) for column, goal in named.items()]


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
        if (column := goal.value_column) is not None:
            fields.add(column)
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

"""Who did something before a macro goal, and how many of them and of the others went on to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import amount_expr
from microfunnel.counting.tallies import add_up, stacked
from microfunnel.events import TIME, USER, field_column
from microfunnel.goals import Goal
from microfunnel.matching import goal_column

MACROS = {
    "macro": pl.String,
    "users": pl.Int64,
    "converted": pl.Int64,
    "early": pl.Int64,
    "young": pl.Int64,
    "value": pl.Int128,
}
EXPOSURES = {
    "macro": pl.String,
    "field": pl.String,
    "name": pl.String,
    "done": pl.Int64,
    "exposed": pl.Int64,
    "followed": pl.Int64,
}
NUMBER = "number"
COMPARED, CONVERTED, UNTIL, YOUNG = "compared", "has converted", "until", "is young"
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class EffectTallies:
    """What some users did before they reached the macro goals, or did not; tallies of different users add up.

    `macros`: for each `macro` goal the `users` that are compared, those of them who `converted`, the exact sum of the
    `value` of their completions (millionths) and, with a landmark, who is left out: users that had converted by that
    age (`early`), and users who were not observed up to it (`young`).
    `exposures`: for each `macro` and each `name`, a value of `field` or, where that is null, a goal: users who have
    `done` it at any moment, those of the compared who had done it before (`exposed`), and those of these whose macro
    goal `followed`. What nobody did has no row.
    """

    macros: pl.DataFrame
    exposures: pl.DataFrame

    @classmethod
    def added(cls, parts: Sequence["EffectTallies"]) -> "EffectTallies":
        """The tallies of all the users together."""
        return cls(add_up(part.macros for part in parts), add_up(part.exposures for part in parts))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared with what."""

    macros: Mapping[str, Goal]
    micros: Sequence[str]
    fields: Sequence[str] = ()
    """Fields each of whose values is looked at as if it were a goal."""
    landmark: int | None = None
    """The age (microseconds since a user's first event) up to which something counts as done before, and after which
    the macro goal counts; None compares whoever did it before the macro goal with all others."""


def tally_effects(rows: pl.DataFrame, compared: Comparison, limits: Limits) -> EffectTallies:
    """The tallies of whole users, of which only events in the period are looked at.

    `rows` is sorted by user and time and holds, of each user at least the first event: `user`, `time`, the Boolean
    column of each goal, true on its completions alone, and `field:NAME` for fields and for values of macro goals.
    """
    if limits.since is not None or limits.until is not None:
        rows = rows.filter(limits.entries)
    begins = pl.col(USER) != pl.col(USER).shift()
    numbered = rows.with_columns((begins.fill_null(value=True).cum_sum() - 1).cast(pl.UInt32).alias(NUMBER))
    first = _earliest(numbered)[TIME]
    done = pl.concat([*_goals(numbered, compared.micros), *_values(numbered, compared.fields)])
    macros, exposures = [], []
    for name, goal in compared.macros.items():
        completions = numbered.filter(goal_column(name))
        users = _users(completions, first, compared.landmark, limits)
        macros.append(_macro(name, users, completions, goal))
        exposures.append(_exposures(name, users, done))
    return EffectTallies(stacked(macros, MACROS), stacked(exposures, EXPOSURES))


def _earliest(rows: pl.DataFrame) -> pl.DataFrame:
    """The number of each user and the time of its first row."""
    return rows.select(NUMBER, TIME).filter(pl.col(NUMBER).is_first_distinct())


def _goals(numbered: pl.DataFrame, micros: Sequence[str]) -> Iterable[pl.DataFrame]:
    """When each user first completed each goal: `number`, `time`, `field`, `name`."""
    null = pl.lit(None, dtype=pl.String).alias("field")
    yield pl.DataFrame(schema={NUMBER: pl.UInt32, TIME: pl.Int64, "field": pl.String, "name": pl.String})
    for name in micros:
        yield _earliest(numbered.filter(goal_column(name))).select(NUMBER, TIME, null, pl.lit(name).alias("name"))


def _values(numbered: pl.DataFrame, fields: Sequence[str]) -> Iterable[pl.DataFrame]:
    """When each user first had each value of each field: the same."""
    for field in fields:
        value = pl.col(field_column(field))
        filled = numbered.lazy().filter(value.is_not_null()).group_by(NUMBER, value.alias("name"))
        earliest = filled.agg(pl.col(TIME).min()).collect()
        yield earliest.select(NUMBER, TIME, pl.lit(field).alias("field"), pl.col("name").cast(pl.String))


def _users(completions: pl.DataFrame, first: pl.Series, landmark: int | None, limits: Limits) -> pl.DataFrame:
    """One row for each user: whether it is young, is compared, has converted, and `until`: what comes before counts."""
    earliest = _earliest(completions)
    macro = pl.repeat(None, len(first), dtype=pl.Int64, eager=True).scatter(earliest[NUMBER], earliest[TIME])
    users = pl.DataFrame({"first": first, "macro": macro})
    converted = pl.col("macro").is_not_null()
    if landmark is None:
        every = pl.lit(value=True)
        return users.select(
            (~every).alias(YOUNG),
            every.alias(COMPARED),
            converted.alias(CONVERTED),
            pl.col("macro").fill_null(NEVER).alias(UNTIL),
        )
    end = limits.data_end if limits.until is None else min(limits.data_end, limits.until - 1)
    age = pl.col("first") + landmark
    young = age > end
    compared = ~young & (pl.col("macro") > age).fill_null(value=True)
    return users.select(
        young.alias(YOUNG), compared.alias(COMPARED), (compared & converted).alias(CONVERTED), (age + 1).alias(UNTIL)
    )


def _macro(name: str, users: pl.DataFrame, completions: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    amounts = completions.select(NUMBER, amount_expr(goal).alias("amount"))["amount"]
    counted = amounts.filter(users[CONVERTED].gather(completions[NUMBER]))
    return users.select(
        pl.lit(name).alias("macro"),
        pl.col(COMPARED).sum().alias("users"),
        pl.col(CONVERTED).sum().alias("converted"),
        (~pl.col(COMPARED) & ~pl.col(YOUNG)).sum().alias("early"),
        pl.col(YOUNG).sum().alias("young"),
        pl.lit(counted.sum(), dtype=pl.Int128).alias("value"),
    )


def _exposures(name: str, users: pl.DataFrame, done: pl.DataFrame) -> pl.DataFrame:
    states = users.select(pl.col(COMPARED, CONVERTED, UNTIL).gather(done[NUMBER]))
    exposed = pl.col(COMPARED) & (pl.col(TIME) < pl.col(UNTIL))
    return (
        pl.concat([done, states], how="horizontal")
        .lazy()
        .group_by("field", "name")
        .agg(
            pl.len().alias("done"),
            exposed.sum().alias("exposed"),
            (exposed & pl.col(CONVERTED)).sum().alias("followed"),
        )
        .with_columns(pl.lit(name).alias("macro"))
        .collect()
    )

"""Every goal by itself: how often and by how many users it was completed, and what that is worth."""

from collections.abc import Mapping

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import amount_expr, currency_expr
from microfunnel.events import USER
from microfunnel.goals import Goal
from microfunnel.matching import goal_column

CURRENCIES = {"goal": pl.String, "currency": pl.String, "n": pl.Int64}


def tally_goals(rows: pl.DataFrame, goals: Mapping[str, Goal], limits: Limits) -> pl.DataFrame:
    """One row for each goal: `goal` (its name), `completions`, `users`, `value` (Int128, millionths) and `unread`.

    `rows` holds whole users with the Boolean column of each goal true on its completions. Only completions in the
    period count. `unread` are the completions whose value is no number; all columns add up over sets of users.
    """
    inside = rows.filter(limits.entries) if limits.since is not None or limits.until is not None else rows
    return pl.concat(_tally(inside, name, goal) for name, goal in goals.items())


def _tally(rows: pl.DataFrame, name: str, goal: Goal) -> pl.DataFrame:
    amount = amount_expr(goal)
    valued = _completions(rows, name, amount).select(USER, amount.alias("amount"))
    return valued.select(
        pl.lit(name).alias("goal"),
        pl.len().cast(pl.Int64).alias("completions"),
        pl.col(USER).n_unique().cast(pl.Int64).alias("users"),
        pl.col("amount").sum().alias("value"),
        pl.col("amount").is_null().sum().cast(pl.Int64).alias("unread"),
    )


def _completions(rows: pl.DataFrame, name: str, *looked_at: pl.Expr) -> pl.DataFrame:
    """The completions of a goal with their users and what is looked at: each further column takes time to filter."""
    columns = {USER, goal_column(name)}.union(*(each.meta.root_names() for each in looked_at))
    return rows.select(columns).filter(goal_column(name))


def tally_currencies(rows: pl.DataFrame, goals: Mapping[str, Goal]) -> pl.DataFrame:
    """The currencies of each goal whose value is read from a column: `goal`, `currency` (String, null for none), `n`.

    `rows` is that of `tally_goals`. Completions of any time count, since later steps of a funnel may take them, but
    none that adds nothing to a sum: without an amount, or of 0.
    """
    tallied = [pl.DataFrame(schema=CURRENCIES)]
    for name, goal in goals.items():
        if goal.value_column is not None:
            amount, currency = amount_expr(goal), currency_expr(goal)
            counted = _completions(rows, name, amount, currency).filter(amount != 0)
            found = counted.group_by(currency.alias("currency")).agg(pl.len().cast(pl.Int64).alias("n"))
            tallied.append(found.select(pl.lit(name).alias("goal"), "currency", "n"))
    return pl.concat(tallied)

"""What the events are worth with which journeys took their steps."""

import polars as pl

from microfunnel.counting.attempts import at_column
from microfunnel.counting.money import amount_expr
from microfunnel.counting.paths import Plan, valued_column
from microfunnel.counting.segments import optional_column
from microfunnel.counting.tallies import worth_column
from microfunnel.counting.ties import INSTANT


def worths(journeys: pl.DataFrame, rows: pl.DataFrame, plan: Plan) -> list[pl.Series]:
    """For each step with a value the amount (`worth_I`, Int128, millionths) of the event that took it.

    Null where a journey did not take the step, or its event has no amount. Of several events of that instant with one
    it is the smallest amount, which depends on no order of rows.
    """
    ways = {step: at_column(place) for place, step in enumerate(plan.required)}
    ways |= {step: optional_column(step) for step in plan.optional}
    found = []
    for step, goal in plan.valued.items():
        completions = rows.filter(pl.col(valued_column(step))).select(INSTANT, amount_expr(goal).alias("amount"))
        smallest = completions.group_by(INSTANT).agg(pl.col("amount").min())
        instants = journeys.select(rows[INSTANT].gather(journeys[ways[step]]).alias(INSTANT))
        joined = instants.join(smallest, on=INSTANT, how="left", maintain_order="left")
        found.append(joined["amount"].alias(worth_column(step)))
    return found

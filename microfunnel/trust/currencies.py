"""Amounts of different currencies do not add up."""

from collections.abc import Mapping

import polars as pl

from microfunnel.errors import InputError
from microfunnel.goals import Goals
from microfunnel.wording import quoted

MOST_SHOWN = 5
"""Currencies that a message names."""
HINT = "leave the others out (events: where), or give each currency a goal of its own, whose match asks for it, too"


def one_currency_each(goals: Goals, tallied: pl.DataFrame) -> Mapping[str, str]:
    """The currency of each goal whose values name one; an InputError where one has several, or some amounts have none.

    `tallied` holds `goal`, `currency` (null for none) and `n` (completions).
    """
    problems, found = [], {}
    in_order = tallied.sort(["n", "currency"], descending=[True, False])
    for (name,), own in in_order.partition_by("goal", as_dict=True, maintain_order=True).items():
        currencies: dict[str | None, int] = dict(own.select("currency", "n").iter_rows())
        if len(currencies) > 1:
            problems.append(_problem(goals, str(name), currencies))
        found.update({str(name): currency for currency in currencies if currency is not None})
    if problems:
        raise InputError(*sorted(problems), hint=HINT)
    return found


def _problem(goals: Goals, name: str, currencies: Mapping[str | None, int]) -> str:
    fields = " and ".join(map(quoted, goals.goals[name].value_fields))
    shown = [f"{n:,} {'without one' if each is None else quoted(each)}" for each, n in currencies.items()]
    more = [f"{len(shown) - MOST_SHOWN:,} other currencies"] if len(shown) > MOST_SHOWN else []
    listed = ", ".join([*shown[:MOST_SHOWN], *more])
    return f"the values of {quoted(name)} ({fields}) are of different currencies, which do not add up: {listed}"

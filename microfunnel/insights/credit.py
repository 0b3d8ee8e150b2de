"""Which channel gets the credit for the completions of a goal."""

from decimal import Decimal

import polars as pl

from microfunnel.answering import DEFAULTS, Options, answer
from microfunnel.counting.credit import CHANNEL, CREDIT, Attribution, Credits, credit_channels
from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import MICROS
from microfunnel.events import EventTable
from microfunnel.findings.credit import MODELS, ChannelCredit, CreditFinding
from microfunnel.goals import Goals
from microfunnel.questions import Period, Question


def question_of(goals: Goals, by: Attribution) -> Question[Credits]:
    """What it takes: every event with its channel, and in which session it is."""

    def count(rows: pl.DataFrame, limits: Limits) -> Credits:
        return credit_channels(rows, goals.goals[by.goal], by, limits)

    return Question(goals, count, Credits.added, labels=frozenset({by.column}), all_events=True, sessions=True)


def find_credit(
    events: EventTable, goals: Goals, by: Attribution, period: Period, options: Options = DEFAULTS
) -> CreditFinding:
    """The credit of each channel by each model, over these events."""
    found = answer(events, question_of(goals, by), period, options)
    has_value = goals.goals[by.goal].value is not None
    score = found.goals.row(by_predicate=pl.col("goal") == by.goal, named=True)
    return CreditFinding(
        events=found.events,
        goal=by.goal,
        column=by.column,
        lookback_seconds=by.lookback / 1_000_000,
        half_life_seconds=by.half_life / 1_000_000,
        conversions=score["completions"],
        users=score["users"],
        value=Decimal(score["value"]) / MICROS if has_value else None,
        lengths=dict(found.found.lengths.sort("length").iter_rows()),
        channels=_channels(found.found, has_value=has_value),
    )


def _channels(credits_: Credits, *, has_value: bool) -> tuple[ChannelCredit, ...]:
    shares = credits_.shares.partition_by(CHANNEL, as_dict=True)
    nothing = credits_.shares.clear()
    channels = []
    for channel, users, touches, on_path in credits_.channels.select(
        CHANNEL, "users", "touches", "on_path"
    ).iter_rows():
        own = shares.get((channel,), nothing)
        credit, value = (
            dict.fromkeys(MODELS, 0) | dict(own.select("model", what).iter_rows()) for what in (CREDIT, "value")
        )
        channels.append(ChannelCredit(channel, users, touches, on_path, credit, value if has_value else {}))
    return tuple(sorted(channels, key=lambda each: (-each.credits["position"], -each.touches, each.channel)))

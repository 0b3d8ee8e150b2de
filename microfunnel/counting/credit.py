"""Which channels touched a user before a conversion, and what each model of attribution gives them for it.

All shares are whole millionths, rounded by the largest remainder within each conversion, so that they add up exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from microfunnel.counting.funnels import Limits
from microfunnel.counting.money import MICROS, amount_expr
from microfunnel.counting.tallies import add_up
from microfunnel.events import SESSION, TIME, USER, field_column
from microfunnel.findings.credit import DIRECT, MODELS
from microfunnel.goals import Goal
from microfunnel.matching import goal_column

ALWAYS_DIRECT = frozenset({"direct", "(direct)", "none", "(none)"})
"""Values that are no channel, in small letters, as an empty one is none."""
AT_ONCE = 500_000
"""About so many pairs of a conversion and a touch before it are looked at together: each takes memory."""
UNIT_WEIGHT = 2**40
"""The weight of a touch of age 0 in time decay; weights are integers, whose sums do not depend on their order."""

CHANNEL = "channel"
CODE = "code"
CONVERTS = "converts"
AMOUNT = "amount"
CREDIT = "credit"
INSTANT = "instant"
TOUCH = "touch"
LATEST = "latest"
CONVERSION = "conversion"
FIRST, LAST, NOT_DIRECT = "first touch", "last touch", "last touch not direct"
LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is credited, and to whom; durations in microseconds."""

    goal: str
    column: str
    """The field with the channel of an event."""
    lookback: int
    """So long before a conversion a touch still counts, the end included."""
    half_life: int
    """A touch so much older weighs half in time decay."""
    direct: frozenset[str]
    """Values of the column that are no channel, in small letters."""


@dataclass(frozen=True, slots=True)
class Credits:
    """The credit for the conversions of some users; those of different users add up.

    `shares`: `model`, `channel`, `credit` (Int128) and `value` (Int128), both in millionths.
    `channels`: `channel`, and of it `users`, `touches` and conversions `on_path` (Int64).
    `lengths`: conversions (`n`, Int64) by the touches on their path (`length`, Int64).
    """

    shares: pl.DataFrame
    channels: pl.DataFrame
    lengths: pl.DataFrame

    @classmethod
    def added(cls, parts: Sequence["Credits"]) -> "Credits":
        """The credit of all the users together."""
        return cls(
            add_up(part.shares for part in parts),
            add_up(part.channels for part in parts),
            add_up(part.lengths for part in parts),
        )


def credit_channels(rows: pl.DataFrame, goal: Goal, by: Attribution, limits: Limits) -> Credits:
    """The credit for the completions of a goal in the period, over all rows of whole users, prepared with sessions.

    Touches before the period count, too.
    """
    names, events = _coded(rows, goal, by)
    events = _numbered(events)
    touches = events.filter((pl.col(TOUCH) != pl.col(TOUCH).shift(-1)).fill_null(value=True))
    touches = touches.select(USER, CODE, TOUCH, pl.col(TIME).alias(LATEST))
    paths = _paths(events.filter(limits.entries & pl.col(CONVERTS)), touches, names.index(DIRECT), by.lookback)
    parts = [_of_some(some, touches, by.half_life) for some in _in_pieces(paths)]
    named = pl.DataFrame({CODE: range(len(names)), CHANNEL: names}, schema={CODE: pl.UInt32, CHANNEL: pl.String})
    channels = add_up([_present(events, limits), *(on_path for _, on_path in parts)])
    return Credits(
        add_up(shares for shares, _ in parts).join(named, on=CODE).drop(CODE),
        channels.join(named, on=CODE).drop(CODE),
        paths.group_by(LENGTH).agg(pl.len().cast(pl.Int64).alias("n")),
    )


def _coded(rows: pl.DataFrame, goal: Goal, by: Attribution) -> tuple[list[str], pl.DataFrame]:
    """The names of the channels in order, and each event with its number among them; a column of few different values.

    An event without a value has the channel of the event before it in the same session, if that is known.
    """
    column = field_column(by.column)
    text = pl.col(column).cast(pl.String)
    bare = text.str.strip_chars()
    values = rows.select(pl.col(column).unique()).filter(bare != "")
    values = values.with_columns(
        pl.when(bare.str.to_lowercase().is_in(sorted(by.direct))).then(pl.lit(DIRECT)).otherwise(text).alias(CHANNEL)
    )
    names = sorted({DIRECT, *values[CHANNEL]})
    codes = pl.DataFrame({CHANNEL: names}).with_row_index(CODE).with_columns(pl.col(CODE).cast(pl.UInt32))
    moved = (pl.col(USER) != pl.col(USER).shift()) | (pl.col(TIME) != pl.col(TIME).shift())
    events = rows.select(
        USER,
        TIME,
        SESSION,
        column,
        moved.fill_null(value=True).cum_sum().cast(pl.UInt64).alias(INSTANT),
        pl.col(goal_column(by.goal)).alias(CONVERTS),
        amount_expr(goal).fill_null(0).alias(AMOUNT),
    ).join(values.join(codes, on=CHANNEL).drop(CHANNEL), on=column, how="left", maintain_order="left")
    events = _in_order(events.drop(column), len(names))
    if events[CODE].null_count():
        known = pl.when(pl.col(SESSION).is_not_null()).then(pl.col(CODE).forward_fill().over(SESSION))
        code = pl.coalesce(CODE, known, pl.lit(names.index(DIRECT))).cast(pl.UInt32)
        events = _in_order(events.with_columns(code.alias(CODE)), len(names))
    return names, events


def _in_order(events: pl.DataFrame, codes: int) -> pl.DataFrame:
    """The events of each instant by channel, those without one last, and the conversions after all others."""
    # One number for all that they are sorted by takes a fraction of the time.
    own = pl.col(CONVERTS).cast(pl.UInt64) * (codes + 1) + pl.col(CODE).fill_null(codes)
    return events[events.select((pl.col(INSTANT) * (2 * codes + 2) + own).arg_sort()).to_series()]


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    """The events with the number of their touch: neighbours of one user and channel are one."""
    begins = (pl.col(USER) != pl.col(USER).shift()) | (pl.col(CODE) != pl.col(CODE).shift())
    number = begins.fill_null(value=True).cum_sum().cast(pl.Int64) - 1
    return events.with_columns(number.alias(TOUCH))


def _paths(conversions: pl.DataFrame, touches: pl.DataFrame, direct: int, lookback: int) -> pl.DataFrame:
    """Each conversion with the numbers of the first and the last touch on its path, and of the last not direct.

    A touch is as old as its last event before the conversion.
    """
    starts = touches.unique([USER, LATEST], keep="first", maintain_order=True)
    found = conversions.select(
        USER, TIME, AMOUNT, pl.col(TOUCH).alias(LAST), (pl.col(TIME) - lookback).alias("since")
    ).join_asof(
        starts.select(USER, LATEST, pl.col(TOUCH).alias(FIRST)),
        left_on="since",
        right_on=LATEST,
        by=USER,
        strategy="forward",
        check_sortedness=False,
    )
    is_direct = pl.lit(touches[CODE] == direct)
    # Neighbours are never equal, so the touch before a direct one is not direct.
    before = is_direct.gather(LAST) & (pl.col(LAST) > pl.col(FIRST))
    return found.select(
        TIME,
        AMOUNT,
        FIRST,
        LAST,
        (pl.col(LAST) - before.cast(pl.Int64)).alias(NOT_DIRECT),
        (pl.col(LAST) - pl.col(FIRST) + 1).alias(LENGTH),
    ).with_row_index(CONVERSION)


def _in_pieces(paths: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The paths, some after the others, each time about AT_ONCE touches; at least once, even if there is none."""
    begun = paths.select((pl.col(LENGTH).cum_sum() - pl.col(LENGTH)) // AT_ONCE).to_series()
    ends = [*paths.select(pl.arg_where(pl.lit(begun.diff() > 0))).to_series(), paths.height]
    start = 0
    for end in ends:
        yield paths[start:end]
        start = end


def _of_some(paths: pl.DataFrame, touches: pl.DataFrame, half_life: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The shares and the channels of some conversions."""
    weighed = _weights(paths, touches, half_life)
    shares = pl.concat(
        _shared(weighed, model, CREDIT)
        .join(_shared(weighed, model, AMOUNT), on=CODE)
        .select(pl.lit(model).alias("model"), CODE, CREDIT, pl.col(AMOUNT).alias("value"))
        for model in MODELS
    )
    nothing = pl.lit(0, dtype=pl.Int64)
    on_path = weighed.group_by(CODE).agg(
        nothing.alias("users"), nothing.alias("touches"), pl.len().cast(pl.Int64).alias("on_path")
    )
    return shares, on_path


def _weights(paths: pl.DataFrame, touches: pl.DataFrame, half_life: int) -> pl.DataFrame:
    """For each conversion and channel on its path the weight in each model (Int128), the amount and the credit."""
    place, length = pl.col(TOUCH), pl.col(LENGTH)
    pairs = paths.with_columns(pl.int_ranges(FIRST, pl.col(LAST) + 1).alias(TOUCH)).explode(TOUCH)
    pairs = pairs.with_columns(
        pl.lit(touches[CODE]).gather(place).alias(CODE),
        (pl.col(TIME) - pl.lit(touches[LATEST]).gather(place)).alias("age"),
    )
    is_first, is_last = place == pl.col(FIRST), place == pl.col(LAST)
    # The last touch may go on after the conversion.
    age = pl.when(is_last).then(0).otherwise("age") / half_life
    # 40, 20 and 40 % of 5 * (length - 2).
    position = pl.when(length <= 2).then(1).when(is_first | is_last).then(2 * (length - 2)).otherwise(1)  # noqa: PLR2004
    weights = {
        "first": is_first,
        "last": is_last,
        "last_non_direct": place == pl.col(NOT_DIRECT),
        "linear": place >= 0,
        "position": position,
        "time_decay": (pl.lit(2.0).pow(-age) * UNIT_WEIGHT).floor(),
    }
    return pairs.group_by(CONVERSION, CODE).agg(
        pl.col(AMOUNT).first(),
        pl.lit(MICROS, dtype=pl.Int128).alias(CREDIT),
        *(weight.cast(pl.Int64).sum().cast(pl.Int128).alias(model) for model, weight in weights.items()),
    )


def _shared(weighed: pl.DataFrame, model: str, what: str) -> pl.DataFrame:
    """What each channel (`code`) gets of the credit or the amount of all conversions, in whole millionths."""
    weight, given = pl.col(model), pl.col(what)
    whole = weight.sum().over(CONVERSION)
    # Split so that no product is larger than the square of a sum of weights.
    rest = given % whole
    parts = weighed.select(
        CONVERSION,
        CODE,
        given.alias("given"),
        (given // whole * weight + rest * weight // whole).alias("part"),
        (rest * weight % whole).alias("remainder"),
    ).sort(CONVERSION, "remainder", CODE, descending=[False, True, False])
    left = pl.col("given") - pl.col("part").sum().over(CONVERSION)
    place = pl.int_range(pl.len()).over(CONVERSION)
    return (
        parts.select(CODE, pl.col("part") + (place < left).cast(pl.Int128))
        .group_by(CODE)
        .agg(pl.col("part").sum().alias(what))
    )


def _present(events: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """The touches with an event in the period, and whose they are."""
    inside = events.select(USER, TIME, CODE, TOUCH).filter(limits.entries)
    inside = inside.filter((pl.col(TOUCH) != pl.col(TOUCH).shift()).fill_null(value=True))
    return inside.group_by(CODE).agg(
        pl.col(USER).n_unique().cast(pl.Int64).alias("users"),
        pl.len().cast(pl.Int64).alias("touches"),
        pl.lit(0, dtype=pl.Int64).alias("on_path"),
    )

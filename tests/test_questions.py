"""What a question gets to see of the events: the rows that it asks for, whatever the order and the batches."""

from collections import defaultdict
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from user_logs import table_of

from microfunnel import queries
from microfunnel.answering import answer
from microfunnel.counting.funnels import Limits
from microfunnel.events import TIME, USER, field_column
from microfunnel.goals import Goals
from microfunnel.questions import Period, Question

GOALS = Goals.model_validate({"version": 1, "goals": {"buy": {"kind": "macro", "match": {"event": "buy"}}}})
ROW = st.fixed_dictionaries(
    {
        "user": st.sampled_from("uvw"),
        "time": st.integers(0, 30),
        "event": st.sampled_from(["buy", "view"]),
        "device": st.sampled_from(["a", "b", None]),
    }
)


def rows_seen(log: Sequence[dict[str, object]], period: Period, *fields: str) -> pl.DataFrame:
    def count(rows: pl.DataFrame, _: Limits) -> pl.DataFrame:
        return rows

    question = Question(GOALS, count, pl.concat, firsts=fields)
    return answer(table_of(log, GOALS), question, period).found


@examples(60)
@given(
    log=st.lists(ROW, min_size=1, max_size=20),
    period=st.sampled_from([Period(), Period(since=10), Period(until=20), Period(10, 20)]),
    fields=st.sampled_from([(), ("device",)]),
    batch=st.sampled_from([3, 1_000]),
)
def test_the_first_event_of_each_user_and_value_is_among_the_rows(
    log: list[dict[str, object]], period: Period, fields: tuple[str, ...], batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "BATCH", batch)
        rows = rows_seen(log, period, *fields)
    columns = [USER, *map(field_column, fields)]
    first = rows.filter(
        pl.col(TIME) >= (period.since or 0), pl.col(TIME) < (10**9 if period.until is None else period.until)
    )
    found = sorted(first.group_by(columns).agg(pl.col(TIME).min())[TIME])
    expected: dict[tuple[object, ...], int] = defaultdict(lambda: 10**9)
    for row in log:
        time = int(str(row["time"]))
        if (period.since or 0) <= time < (10**9 if period.until is None else period.until):
            key = (row["user"], *(row[name] for name in fields))
            expected[key] = min(expected[key], time)
    assert found == sorted(expected.values())


def test_rows_of_goals_are_all_there_and_others_only_once_per_batch() -> None:
    log: list[dict[str, object]] = [
        {"user": "u", "time": time, "event": event} for time, event in enumerate(["view", "buy", "view", "view", "buy"])
    ]
    assert sorted(rows_seen(log, Period())[TIME]) == [0, 1, 4]

"""Rows fetched from other places are the same, however many flags they have."""

from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from microfunnel.fetching import TOGETHER, fetch


@given(
    flags=st.integers(0, 2 * TOGETHER + 1),
    height=st.integers(0, 5),
    places=st.lists(st.integers(0, 4), max_size=8),
    seed=st.integers(),
)
def test_rows_and_all_their_flags_are_fetched(flags: int, height: int, places: list[int], seed: int) -> None:
    random = Random(seed)
    columns = {f"goal:{n}": [random.random() < 0.5 for _ in range(height)] for n in range(flags)}
    # Flags lie between other columns, and keep their places there.
    names = [*columns][: flags // 2]
    rows = pl.DataFrame({name: columns.pop(name) for name in names} | {"user": range(height)} | columns)
    wanted = [place for place in places if place < height]
    fetched = fetch(rows, pl.Series(wanted, dtype=pl.UInt32))
    assert fetched.schema == rows.schema
    assert fetched.rows() == [rows.row(place) for place in wanted]

"""The first lines of a text: whole lines of it, after which no quote is open."""

import gzip
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.events import REJECTED
from microfunnel.goals import Events
from microfunnel.reading import beginnings
from microfunnel.reading.beginnings import beginning, first_lines
from microfunnel.reading.events import Request, read_events

LINES, PIECE = 4, 16
TEXTS = st.lists(st.sampled_from(["a", "ü", "long enough", '"', "\n", "\r", "\r\n"]), max_size=40).map("".join)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginnings, "SAMPLE_LINES", LINES)
    monkeypatch.setattr(beginnings, "PIECE", PIECE)


@pytest.mark.usefixtures("small")
@examples(500)
@given(text=TEXTS, quote=st.sampled_from([None, '"']))
@example(text='a\n"\na\na\na\na\na\na\na\n', quote='"')
@example(text='"\na\na\na\na\na\na\na\na\n', quote='"')
def test_what_is_read_are_whole_lines_without_an_open_quote(text: str, quote: str | None) -> None:
    whole = text.encode()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_bytes(whole)
        found = beginning(path, quote)
        lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
        assert first_lines(path) == lines[:LINES]
    ends = [at for at in range(1, len(whole) + 1) if whole[at - 1 : at] == b"\n"]
    most = next((at for at in range(0, len(whole) + PIECE, PIECE) if whole.count(b"\n", 0, at) >= LINES), None)
    closed = [at for at in ends if most and at <= most and (quote is None or whole.count(b'"', 0, at) % 2 == 0)]
    if closed:
        assert isinstance(found, BytesIO)
        assert found.getvalue() == whole[: max(closed)]
    else:
        assert found == path


@pytest.mark.usefixtures("small")
def test_packed_texts_and_long_lines_are_left_to_polars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(b"a\n" * 1_000))
    assert beginning(packed) == packed
    monkeypatch.setattr(beginnings, "MOST", 64)
    long = tmp_path / "text"
    long.write_bytes((b"a" * 200 + b"\n") * 10)
    assert beginning(long) == long


def test_fields_of_several_lines_may_lie_where_the_beginning_ends(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    note = '"' + "one more line\n" * 20 + '"'
    rows = 2_000
    path.write_text("user,time,event,note\n" + f"u,2026-10-01 10:00:00,e,{note}\n" * rows, encoding="utf-8")
    assert path.stat().st_size > 2 * beginnings.PIECE
    request = Request([str(path)], Events(), {"event", "note"})
    found = read_events(request, None, lambda table: table.frame.select(pl.col(REJECTED) == 0).collect().to_series())
    assert found.to_list() == [True] * rows

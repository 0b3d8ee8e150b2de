"""Times as text, against what Python's own reading of ISO 8601 makes of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from microfunnel.events import REASONS, REJECTED, TIME
from microfunnel.goals import Events
from microfunnel.reading.beginnings import SAMPLE_LINES
from microfunnel.reading.events import Request, read_events
from microfunnel.reading.times import (
    FIXED_FORMATS,
    NAIVE_FORMATS,
    ZONED_FORMATS,
    _format_expr,
    repeated_hours,
    time_expr,
    writing_of,
)

MICROSECOND = timedelta(microseconds=1)
KNOWN = "2026-10-01T10:00:00Z"


def read_by(text: str, formats: Sequence[str], zone: str) -> list[int | None]:
    """What each of the formats alone makes of the text."""
    texts = pl.lit(pl.Series([text]))
    return list(pl.select(_format_expr(texts, each, zone).alias(each) for each in formats).row(0))


def moments(zone: str) -> st.SearchStrategy[datetime]:
    """Of the years 1 to 9999; those that the database of polars ends with elsewhere than in UTC."""
    # The days on which the clocks in Berlin skip an hour, and show one twice.
    spans = [("2026-03-29T00", "2026-03-29T05"), ("2026-10-25T00", "2026-10-25T05"), ("1990-01-01", "2035-01-01")]
    spans.append(("0001-01-01", "9999-12-31T23:59:59.999999" if zone == "UTC" else "2099-12-31"))
    read = datetime.fromisoformat
    return st.sampled_from(spans).flatmap(lambda span: st.datetimes(read(span[0]), read(span[1])))


@st.composite
def fixed(draw: st.DrawFn, zone: str) -> str:
    """A time in one of the formats of fixed width."""
    digits = draw(st.sampled_from(["seconds", "milliseconds", "microseconds"]))
    text = draw(moments(zone)).isoformat(draw(st.sampled_from("T ")), digits)
    return text + draw(st.sampled_from(["", "Z", " UTC"]))


@st.composite
def of_any_width(draw: st.DrawFn, zone: str) -> str:
    """A time with one to six digits after the second, and perhaps an offset."""
    text = draw(moments(zone)).isoformat(draw(st.sampled_from("T ")), "microseconds")
    width = len(text) - draw(st.integers(0, 5))
    return text[:width] + draw(st.sampled_from(["", "Z", "+02:00", "-0930"]))


ZONES = ["UTC", "Europe/Berlin", "America/New_York"]
FIXED = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(fixed(zone), st.just(zone)))
ANY = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(fixed(zone) | of_any_width(zone), st.just(zone)))


def expected(text: str, zone: str) -> int | None:
    """Microseconds since 1970 UTC; None where the clocks of the zone skipped the moment."""
    moment = datetime.fromisoformat(text.strip().replace(" UTC", "Z"))
    offset = moment.utcoffset()
    moment = moment.replace(tzinfo=None)
    if offset is None:
        local = moment.replace(tzinfo=ZoneInfo(zone))
        offset = local.utcoffset() or timedelta()
        # A moment that the clocks skipped is another one on the way back from UTC; near the ends there is no way.
        if 2 <= moment.year < 9999 and local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != moment:
            return None
    return (moment - datetime.fromisoformat("1970-01-01") - offset) // MICROSECOND


def read(texts: list[str], sample: list[str], zone: str) -> list[int | None]:
    frame = pl.DataFrame({"raw": texts}, schema={"raw": pl.String})
    time = time_expr(pl.col("raw"), writing_of(pl.Series(sample, dtype=pl.String), None, zone))
    return frame.select(time).to_series().to_list()


@examples(300)
@given(case=FIXED)
@example(case=("0001-01-01T00:00:00", "UTC"))
@example(case=("9999-12-31 23:59:59.999999 UTC", "UTC"))
@example(case=("2026-03-29T02:30:00", "Europe/Berlin"))
@example(case=("2026-10-25T02:30:00.000", "Europe/Berlin"))
@example(case=("2026-10-25T02:30:00.000Z", "Europe/Berlin"))
def test_one_format_of_fixed_width_reads_a_time_and_reads_what_python_reads(case: tuple[str, str]) -> None:
    text, zone = case
    found = read_by(text, FIXED_FORMATS, zone)
    known = expected(text, zone)
    assert [micros for micros in found if micros is not None] == ([] if known is None else [known])
    assert read([text], [KNOWN], zone) == [known]


@examples(200)
@given(case=ANY)
def test_no_format_reads_another_moment_than_the_others(case: tuple[str, str]) -> None:
    """So the order in which they are tried changes nothing but the speed."""
    text, zone = case
    found = set(read_by(text, FIXED_FORMATS + ZONED_FORMATS + NAIVE_FORMATS, zone))
    assert found - {None} == {expected(text, zone)} - {None}


@examples(200)
@given(data=st.data(), zone=st.sampled_from(ZONES))
def test_columns_may_mix_formats_and_have_spaces_around(data: st.DataObject, zone: str) -> None:
    spaces = st.sampled_from(["", "", " ", "  "])
    padded = st.builds("{}{}{}".format, spaces, fixed(zone) | of_any_width(zone), spaces)
    texts = data.draw(st.lists(padded, min_size=1, max_size=8))
    # What the first rows look like decides what is tried first, and nothing else.
    sample = data.draw(st.lists(padded, max_size=4))
    assert read(texts, [KNOWN, *sample], zone) == [expected(text, zone) for text in texts]


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A time with some characters too many, too few or wrong, of which many formats still make something."""
    whole = ["2026-10-01T10:00:00.5Z", "2026-10-01 10:00", "+12026-10-01", "2026-1-5 1:2:3", "20261001T100000+0200"]
    text = draw(st.sampled_from(whole))
    for _ in range(draw(st.integers(1, 3))):
        place, more = draw(st.integers(0, len(text))), draw(st.text("0123456789 +-:.TZ/U\t", max_size=2))
        text = text[:place] + more + text[place + draw(st.integers(0, 1)) :]
    return text


@examples(300)
@given(text=nearly() | of_any_width("UTC"))
@example(text="--026-10-0110:00")
@example(text="2026 10 01T100000Z")
def test_what_some_format_can_read_is_read(text: str) -> None:
    found = set(read_by(text.strip(), FIXED_FORMATS + ZONED_FORMATS + NAIVE_FORMATS, "UTC"))
    assert set(read([text], [KNOWN], "UTC")) <= found
    assert (read([text], [KNOWN], "UTC") == [None]) == (found == {None})


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("2026-10-01T10:00:00Z", "2026-10-01 10:00:00"),
        ("2026-10-01 10:00:00", "2026-10-01 10:00:00 UTC"),
        ("2026-10-01 10:00:00.120 UTC", " 2026-10-01T10:00:00.123456Z "),
        ("2026-10-01T10:00:00.120", "2026-10-01T12:00:00.12+02:00"),
        ("2026-10-01T10:00:00+02:00", "2026-10-01"),
        ("2026-10-01", "2026-10-01T10:00:00.5Z"),
    ],
)
def test_a_file_may_change_its_format_after_its_first_rows(first: str, later: str, zone: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    texts = [first] * (SAMPLE_LINES + 10) + [later, first, "soon", later]
    path.write_text("user,time,event\n" + "".join(f"u,{text},e\n" for text in texts), encoding="utf-8")
    request = Request([str(path)], Events(timezone=zone), {"event"})
    found = read_events(request, None, lambda table: table.frame.select(TIME, REJECTED).collect()[-4:])
    assert found[TIME].to_list() == [expected(later, zone), expected(first, zone), None, expected(later, zone)]
    assert found[REJECTED].to_list() == [0, 0, REASONS.index("unreadable_time"), 0]


def test_files_may_differ_in_how_times_are_written_and_alike_ones_are_read_in_one_go(tmp_path: Path) -> None:
    written = {
        "a": ["2026-10-01T10:00:00", "2026-10-01T10:00:01"],
        "b": ["2026-10-01T11:00:00", "2026-10-01T11:00:01.5Z"],
        "c": ["2026-10-01 12:00:00.120 UTC"],
        "d": ["1790856000", "1790856001"],
        "e": ["1790856000500", "1790856001000"],
        "f": ["2026-10-01T15:00:00", "soon"],
    }
    paths = []
    for name, texts in written.items():
        paths.append(str(tmp_path / f"{name}.csv"))
        Path(paths[-1]).write_text("user,time,event\n" + "".join(f"u,{text},e\n" for text in texts), encoding="utf-8")

    def times(*names: str) -> list[int | None]:
        request = Request(list(names), Events(), {"event"})
        return read_events(request, None, lambda table: table.frame.select(TIME).collect()).to_series().to_list()

    assert times(*paths) == [time for path in paths for time in times(path)]
    assert times(*paths)[:2] == [expected(text, "UTC") for text in written["a"]]
    request = Request(paths[:1] + paths[-1:], Events(), {"event"})
    assert read_events(request, None, lambda table: table.frame.explain().count("SCAN")) == 1


def test_what_only_other_files_are_written_like_is_not_tried() -> None:
    sample = pl.Series(["2026-10-01"])
    assert writing_of(sample, None, "UTC", likely=["%d/%m/%Y"]) == writing_of(sample, None, "UTC")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_the_hours_are_found_that_the_clocks_showed_twice(zone: str) -> None:
    quarters = range(int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()), 1_800_000_000, 900)
    folds = [datetime.fromtimestamp(moment, ZoneInfo(zone)).fold for moment in quarters]
    turns = [moment for moment, (before, fold) in zip(quarters[1:], pairwise(folds), strict=True) if fold > before]
    found = repeated_hours(zone, quarters[0] * 1_000_000, quarters[-1] * 1_000_000)
    assert [turn for _, turn in found] == [turn * 1_000_000 for turn in turns]
    for moments in found:
        begin, turn = (datetime.fromtimestamp(moment // 1_000_000, ZoneInfo(zone)) for moment in moments)
        assert begin.replace(tzinfo=None) == turn.replace(tzinfo=None)

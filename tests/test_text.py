from decimal import Decimal

import pytest
from reports import HOSTILE, micros

from microfunnel.rendering.text import amounts, duration, interval, listed, number, percent, period
from microfunnel.rendering.text import window as window_words
from microfunnel.wording import HARMFUL, clean, plural


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (None, "-"),
        (0.0, "0.0 %"),
        (1e-12, "<0.1 %"),
        (0.0002, "<0.1 %"),
        (0.0006, "0.1 %"),
        (0.0856, "8.6 %"),
        (0.5, "50.0 %"),
        (0.9994, "99.9 %"),
        (0.9997, ">99.9 %"),
        (1 - 1e-16, ">99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_percent_never_rounds_to_nothing_or_all(rate: float | None, shown: str) -> None:
    assert percent(rate) == shown


def test_an_interval_is_rounded_like_a_rate() -> None:
    assert interval((0.078, 0.094)) == "7.8 to 9.4"
    assert interval((0.0, 0.9999)) == "0.0 to >99.9"
    assert interval(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0 s"),
        (0.4, "<1 s"),
        (12, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (90, "90 s"),
        (119.6, "2 min"),
        (247, "4 min"),
        (3_569, "59 min"),
        (3_571, "1 h 00 min"),
        (7_500, "2 h 05 min"),
        (86_369, "23 h 59 min"),
        (86_371, "1.0 d"),
        (120_960, "1.4 d"),
        (86_400 * 12_345, "12,345.0 d"),
    ],
)
def test_durations_are_what_a_person_would_say(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "no window"),
        (604_800.0, "within 7 days"),
        (86_400, "within 1 day"),
        (129_600, "within 36 hours"),
        (1_800, "within 30 minutes"),
        (90, "within 90 seconds"),
        (1, "within 1 second"),
        (0.5, "within 0.5 seconds"),
    ],
)
def test_a_window_is_named_in_its_largest_whole_unit(seconds: float | None, shown: str) -> None:
    assert window_words(seconds) == shown


@pytest.mark.parametrize(
    ("first", "last", "timezone", "shown"),
    [
        ("2026-10-01T00:00:00", "2026-10-31T22:59:59", "UTC", "1 to 31 Oct 2026"),
        ("2026-10-01T00:00:00", "2026-10-01T23:59:59", "UTC", "1 Oct 2026"),
        ("2026-09-28T12:00:00", "2026-10-03T12:00:00", "UTC", "28 Sep to 3 Oct 2026"),
        ("2025-12-30T12:00:00", "2026-01-02T12:00:00", "UTC", "30 Dec 2025 to 2 Jan 2026"),
        ("2025-10-01T12:00:00", "2026-10-02T12:00:00", "UTC", "1 Oct 2025 to 2 Oct 2026"),
        ("2026-09-30T22:00:00", "2026-10-31T22:59:59", "Europe/Berlin", "1 to 31 Oct 2026"),
        ("2026-10-01T00:00:00", "2026-10-01T12:00:00", "America/New_York", "30 Sep to 1 Oct 2026"),
        ("1969-12-31T23:00:00", "1970-01-01T01:00:00", "UTC", "31 Dec 1969 to 1 Jan 1970"),
    ],
)
def test_a_period_names_the_days_of_its_time_zone(first: str, last: str, timezone: str, shown: str) -> None:
    assert period(micros(first), micros(last), timezone) == shown


def test_a_period_without_events_says_so() -> None:
    assert period(None, None, "UTC") == "no events"


def test_counts_have_separators_and_nouns_their_plural() -> None:
    assert number(1_234_567) == "1,234,567"
    assert plural(1, "file") == "1 file"
    assert plural(0, "file") == "0 files"
    assert plural(2_000, "file") == "2,000 files"


def test_names_in_a_row_end_with_their_conjunction() -> None:
    assert listed(["a"], "or") == "a"
    assert listed(["a", "b"], "and") == "a and b"
    assert listed(["a", "b", "c"], "or") == "a, b or c"


def test_amounts_have_decimals_where_one_of_them_needs_any() -> None:
    assert amounts([Decimal("1280.00"), None, Decimal("1E+3")]) == ["1,280", "", "1,000"]
    assert amounts([Decimal(1280), Decimal("0.5")]) == ["1,280.00", "0.50"]
    assert amounts([]) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red] :smile:", "plain [red] :smile:"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("\u200b\u200f\u2028\u202e\u2060\u2066\u206f\u061c", r"\u200b\u200f\u2028\u202e\u2060\u2066\u206f\u061c"),
        ("\ufeff\ud800\udfff", r"\ufeff\ud800\udfff"),
        ("\U000e0000\U000e007f", r"\U000e0000\U000e007f"),
        ("\xa0é\u2010\u2027注🛒e\u0301", "\xa0é\u2010\u2027注🛒e\u0301"),
    ],
)
def test_clean_shows_what_would_act_or_hide(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_clean_keeps_to_ascii_where_the_screen_does() -> None:
    assert clean("é注🛒\u202e", unicode=False) == r"\xe9\u6ce8\U0001f6d2\u202e"


@pytest.mark.parametrize("text", HOSTILE)
def test_clean_leaves_nothing_harmful(text: str) -> None:
    assert not HARMFUL.search(clean(text))
    assert clean(text, unicode=False).isascii()

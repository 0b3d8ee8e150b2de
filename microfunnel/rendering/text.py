"""Numbers, times and names as people read them, the same in every rendering."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from microfunnel.wording import plural, shortened

DASH = "-"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_WITH_DECIMALS = 100
"""Estimates below it are shown with a decimal."""
MINUTE, HOUR, DAY = 60, 3_600, 86_400
WINDOW_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))
STOPPED = {
    "no_event": "never did it",
    "too_late": "too late",
    "interrupted": "interrupted",
    "excluded": "excluded",
    "in_progress": "in progress",
}
"""Why a unit stopped before a step."""


def words(name: str) -> str:
    """The name of a goal without underscores."""
    return name.replace("_", " ")


def number(n: int) -> str:
    """A count with thousands separators."""
    return f"{n:,}"


def listed(names: Sequence[str], conjunction: str) -> str:
    """Names in a row: `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} {conjunction} {last}" if others else last


def percent(rate: float | None) -> str:
    """A rate such as `8.6 %`; only 0 itself shows as 0.0 %, and only 1 as 100.0 %."""
    return DASH if rate is None else f"{_points(rate)} %"


def interval(ends: tuple[float, float] | None) -> str:
    """Where a rate lies, such as `7.8 to 9.4`."""
    return DASH if ends is None else f"{_points(ends[0])} to {_points(ends[1])}"


def _points(rate: float) -> str:
    shown = f"{rate * 100:.1f}"
    if shown == "0.0" and rate > 0:
        return "<0.1"
    if shown == "100.0" and rate < 1:
        return ">99.9"
    return shown


def amounts(values: Sequence[Decimal | float | None], currencies: Sequence[str | None] = ()) -> list[str]:
    """Amounts of a column, all with two decimals where one of them needs any; nothing where there is no value.

    A currency stands behind its amount, and the digits of all stand below each other.
    """
    whole = all(value == round(value) for value in values if value is not None)
    names = [shortened(currency or "") for currency in currencies or [None] * len(values)]
    width = max(map(len, names), default=0)
    shown = zip(values, names, strict=True)
    return [
        "" if value is None else _amount(value, name.ljust(width), decimals=0 if whole else 2) for value, name in shown
    ]


def _amount(value: Decimal | float, currency: str, decimals: int) -> str:
    return f"{value:,.{decimals}f}" + (f" {currency}" if currency else "")


def money(value: Decimal | float, currency: str | None) -> str:
    """One amount in a sentence."""
    return amounts([value], [currency])[0]


def about(n: float) -> str:
    """A number that is an estimate, not a count: `41.5`, `339`, `-46`."""
    shown = f"{n:,.1f}" if abs(n) < MOST_WITH_DECIMALS else f"{n:,.0f}"
    return shown.removeprefix("-") if not shown.strip("-0.") else shown


def duration(seconds: float | None) -> str:
    """A time as a person would say it: `12 s`, `4 min`, `2 h 05 min`, `1.4 d`."""
    if seconds is None:
        return DASH
    if 0 < seconds < 1:
        return "<1 s"
    rounded = round(seconds)
    # A minute and a half is neither one minute nor two.
    if rounded < 2 * MINUTE and rounded != MINUTE:
        return f"{rounded} s"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    if not hours:
        return f"{minutes} min"
    if hours * HOUR < DAY:
        return f"{hours} h {minutes:02} min"
    return f"{seconds / DAY:,.1f} d"


def window(seconds: float | None) -> str:
    """How long a unit has: `within 7 days`."""
    if seconds is None:
        return "no window"
    return "at one moment" if seconds == 0 else f"within {span(seconds)}"


def span(seconds: float) -> str:
    """A length of time in the largest unit of which it is whole: `36 hours`, `7 days`."""
    for size, noun in WINDOW_UNITS:
        if seconds % size == 0:
            return plural(int(seconds) // size, noun)
    return f"{seconds:,} seconds"


def period(first: int | None, last: int | None, timezone: str) -> str:
    """The days from the first event to the last, such as `1 to 31 Oct 2026`; the times are microseconds since 1970."""
    if first is None or last is None:
        return "no events"
    start, end = _day(first, timezone), _day(last, timezone)
    until = f"{end.day} {MONTHS[end.month - 1]} {end.year}"
    if start == end:
        return until
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {until}"
    if start.year == end.year:
        return f"{start.day} {MONTHS[start.month - 1]} to {until}"
    return f"{start.day} {MONTHS[start.month - 1]} {start.year} to {until}"


def _day(time: int, timezone: str) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).astimezone(ZoneInfo(timezone)).date()

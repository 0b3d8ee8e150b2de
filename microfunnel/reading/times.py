"""Times of any export as microseconds since 1970 UTC."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from zoneinfo import ZoneInfo

import polars as pl

from microfunnel.errors import InputError, UsageError
from microfunnel.goal_values import EPOCH_FORMATS
from microfunnel.wording import quoted

FIXED_FORMATS = tuple(
    f"%Y-%m-%d{between}%H:%M:%S{fraction}{zone}"
    for between in "T "
    for fraction in ("", ".%3f", ".%6f")
    for zone in ("", "Z", " UTC")
)
"""Of one width each, and without a zone but UTC: polars reads these four times as fast as the others."""
ZONED_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y%m%dT%H%M%S%#z",
)
NAIVE_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f UTC",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
USUAL_FORMATS = FIXED_FORMATS + ZONED_FORMATS + NAIVE_FORMATS
BEGINNING = r"^[+-]*\d+(?:-|[\d\s]*T)"
"""How each text begins that a usual format reads: to see that takes a hundredth of the time of trying all formats."""
ZONES = ("%#z", "%z", "%:z", "%+")
DAY_SECONDS = 86_400
DAY = DAY_SECONDS * 1_000_000
EPOCH_SECONDS = {"epoch_s": 1.0, "epoch_ms": 1e-3, "epoch_us": 1e-6, "epoch_ns": 1e-9}
EPOCH_RANGE = (0.9e9, 4.2e9)
"""Seconds: the years 1998 to 2103, by which the unit of an epoch is told."""


def parse_moment(text: str, timezone: str) -> int:
    """Microseconds of an ISO date or time as people type it; a date is its first moment in the time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no date or time", hint="write 2026-10-01 or 2026-10-01T08:30") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    since = moment - datetime.fromisoformat("1970-01-01T00:00Z")
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@cache
def repeated_hours(timezone: str, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """The hours between two moments, microseconds since 1970 UTC, after which the clocks were set back by as much."""
    days = pl.int_range(first // DAY, last // DAY + 2, eager=True) * DAY_SECONDS
    offsets = _offsets(days, timezone)
    found = []
    for day in days.gather((offsets.diff() < 0).arg_true() - 1):
        seconds = pl.int_range(day, day + DAY_SECONDS + 1, eager=True)
        of_day = _offsets(seconds, timezone)
        turn = seconds.filter(of_day < of_day[0])[0]
        found.append(((turn - of_day[0] + of_day[-1]) * 1_000_000, turn * 1_000_000))
    return tuple(found)


def _offsets(seconds: pl.Series, timezone: str) -> pl.Series:
    """How far the clocks of a time zone are ahead of UTC at these seconds since 1970, in seconds."""
    moments = (seconds * 1_000).cast(pl.Datetime("ms", "UTC"))
    shown = moments.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return shown.dt.timestamp("ms") // 1_000 - seconds


def local_times(times: pl.Series, time_format: str | None) -> int:
    """How many of these times, as they are in the file, name no zone."""
    if isinstance(times.dtype, pl.Datetime):
        return 0 if times.dtype.time_zone else len(times)
    if times.dtype == pl.Date:
        return len(times)
    if times.dtype != pl.String or time_format in EPOCH_FORMATS:
        return 0
    formats = (time_format,) if time_format else FIXED_FORMATS + NAIVE_FORMATS
    return len(times) - _read(times, [each for each in formats if not _names_zone(each)], "UTC").null_count()


@dataclass(frozen=True, slots=True)
class Writing:
    """How a column of times is written; columns of one writing can be read together."""

    dtype: pl.DataType
    timezone: str
    """Of times that name none."""
    epoch: str | None = None
    """The unit of numbers, one of EPOCH_FORMATS."""
    is_guess: bool = False
    """Whether the unit was told by the numbers, so that one far away from them is none of it."""
    formats: tuple[str, ...] = ()
    """Of texts: those in use, and then what else is tried."""
    repeats: bool = field(default=False, compare=False)
    """Whether some times come again."""


def writing_of(sample: pl.Series, time_format: str | None, timezone: str, likely: Sequence[str] = ()) -> Writing:
    """How a column is written of which the `sample` holds some values; an InputError where no time can be read.

    Of the usual formats, the `likely` ones are tried first.
    """
    dtype = sample.dtype
    written = Writing(dtype, timezone)
    if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
        return written
    if dtype.is_numeric():
        return replace(written, epoch=time_format or _epoch_unit(sample), is_guess=time_format is None)
    if not isinstance(dtype, pl.String | pl.Null):
        raise InputError(f"the column of times holds {dtype}, which is no time")
    if time_format in EPOCH_FORMATS:
        return replace(written, epoch=time_format)
    if time_format is None:
        numbers = sample.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).drop_nulls()
        if len(numbers) * 2 > len(sample.drop_nulls()):
            return replace(written, epoch=_epoch_unit(numbers), is_guess=True)
    usual = dict.fromkeys([*(each for each in likely if each in USUAL_FORMATS), *USUAL_FORMATS])
    formats = (time_format,) if time_format else tuple(usual)
    known = sample.cast(pl.String).drop_nulls()
    used = _in_use(known, formats, timezone)
    if len(known) and not used:
        hint = 'say how they are written: events.time_format, for example "%d/%m/%Y %H:%M"'
        raise InputError(f"no time can be read, for example {quoted(known[0])}", hint=hint)
    return replace(written, formats=tuple(dict.fromkeys([*used, *formats])), repeats=known.n_unique() < len(known))


def time_expr(column: pl.Expr, written: Writing) -> pl.Expr:
    """Microseconds since 1970 UTC (Int64) of a column of times; null where a value can't be read."""
    if isinstance(written.dtype, pl.Datetime):
        zoned = column if written.dtype.time_zone else _localized(column, written.timezone)
        return zoned.dt.timestamp("us")
    if written.dtype == pl.Date:
        return _localized(column.cast(pl.Datetime("us")), written.timezone).dt.timestamp("us")
    if written.epoch is not None:
        numbers = column if written.dtype.is_numeric() else column.cast(pl.String).str.strip_chars()
        moment = _epoch_expr(numbers, written.epoch)
        return _near_now(moment) if written.is_guess else moment
    texts = column.cast(pl.String)
    # Remembering times that were read before pays where some come again.
    moments = _format_expr(texts, written.formats[0], written.timezone, remember=written.repeats)
    read_rest = partial(_read_rest, formats=written.formats, timezone=written.timezone)
    return pl.map_batches([texts, moments], read_rest, return_dtype=pl.Int64, is_elementwise=True)


def _localized(naive: pl.Expr, timezone: str) -> pl.Expr:
    """A local time that the clocks skipped is null, of one that they showed twice the earlier is taken."""
    return naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")


def _epoch_unit(numbers: pl.Series) -> str:
    """The unit of these numbers, by the middle one; a zero says nothing of it."""
    values = numbers.drop_nulls().cast(pl.Float64).abs().sort()
    values = values.filter(values > 0)
    if values.is_empty():
        return EPOCH_FORMATS[0]
    middle = float(values[len(values) // 2])
    low, high = EPOCH_RANGE
    for unit in EPOCH_FORMATS:
        if low <= middle * EPOCH_SECONDS[unit] <= high:
            return unit
    raise InputError(
        f"the times are numbers around {middle:.0f}, which is no usual unit since 1970",
        hint="say which it is: events.time_format: epoch_s, epoch_ms, epoch_us or epoch_ns",
    )


def _near_now(moment: pl.Expr) -> pl.Expr:
    """Null where a number is none of the guessed unit, but perhaps of another one; zero is 1970 in all of them."""
    low, high = (int(seconds) * 1_000_000 for seconds in EPOCH_RANGE)
    return pl.when(moment.is_between(low, high) | (moment == 0)).then(moment)


def _epoch_expr(column: pl.Expr, unit: str) -> pl.Expr:
    """Whole numbers stay whole all the way; only seconds and milliseconds have parts that matter."""
    whole = column.cast(pl.Int64, strict=False)
    match unit:
        case "epoch_us":
            return whole
        case "epoch_ns":
            return whole.floordiv(1_000)
    scale = 1_000_000 if unit == "epoch_s" else 1_000
    parts = (column.cast(pl.Float64, strict=False) * scale).round().cast(pl.Int64, strict=False)
    return pl.coalesce(pl.when(whole.abs() < 2**62 // scale).then(whole * scale), parts)


def _in_use(texts: pl.Series, formats: Sequence[str], timezone: str) -> list[str]:
    """Those of the formats that read these texts; none reads another moment from a text than the others do."""
    used = []
    texts = texts.str.strip_chars()
    for time_format in formats:
        if texts.is_empty():
            break
        found = pl.select(_format_expr(pl.lit(texts), time_format, timezone)).to_series()
        if found.null_count() < len(found):
            used.append(time_format)
            texts = texts.filter(found.is_null())
    return used


def _read(texts: pl.Series, formats: Sequence[str], timezone: str) -> pl.Series:
    """Microseconds of these texts, by the formats in turn; each is only tried on what the others could not read."""
    nothing = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(texts))
    return _read_rest([texts, nothing], formats, timezone)


def _read_rest(both: Sequence[pl.Series], formats: Sequence[str], timezone: str) -> pl.Series:
    """The moments of `both` texts and moments, those that are missing read from the texts."""
    texts, moments = both
    if not moments.null_count():
        return moments
    unread = (moments.is_null() & texts.is_not_null()).arg_true()
    texts = texts.gather(unread).str.strip_chars()
    if set(formats) <= set(USUAL_FORMATS):
        may_be_times = texts.str.contains(BEGINNING)
        texts, unread = texts.filter(may_be_times), unread.filter(may_be_times)
    for time_format in formats:
        if texts.is_empty():
            break
        found = pl.select(_format_expr(pl.lit(texts), time_format, timezone)).to_series()
        if found.null_count() < len(found):
            moments = moments.scatter(unread, found)
            texts, unread = texts.filter(found.is_null()), unread.filter(found.is_null())
    return moments


def _format_expr(texts: pl.Expr, time_format: str, timezone: str, *, remember: bool = True) -> pl.Expr:
    """Microseconds of the texts that are of this format; null for others."""
    moment = partial(texts.str.to_datetime, time_format, time_unit="us", strict=False, cache=remember)
    if any(zone in time_format for zone in ZONES):
        return moment(time_zone="UTC").dt.timestamp("us")
    if _names_zone(time_format) or timezone == "UTC":
        return moment().dt.timestamp("us")
    return _localized(moment(), timezone).dt.timestamp("us")


def _names_zone(time_format: str) -> bool:
    return any(zone in time_format for zone in ZONES) or time_format.endswith(("UTC", "Z"))

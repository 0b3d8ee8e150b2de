"""The kinds of value that a goals file holds; each says in one sentence what it expected."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
DURATION = r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhdw])"
LONGEST = 100 * 366 * UNITS["d"] * 1_000_000
EPOCH_FORMATS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
DIRECTIVE = r"%[-_0.:#369]*(.)"
DIRECTIVES = "YCyqmbBhdeaAwuUWGgVjDxFvHkIlPpMSfRTXrczsZ+tn%"
WITH_A_YEAR = "YyGgDxFvcs+"


def mistake(message: str, **context: object) -> PydanticCustomError:
    """An error whose message (`expected ...`) goes before what was found instead."""
    return PydanticCustomError("expected", message, context)


def parse_duration(value: object) -> int:
    """Microseconds of a duration such as `90s`, `30m`, `12h`, `7d` or `2w`."""
    text = value.strip() if isinstance(value, str) else ""
    if found := re.fullmatch(DURATION, text):
        whole, _, part = found[1].partition(".")
        micros = (int(whole) * 1_000_000 + int(part.ljust(6, "0"))) * UNITS[found[2]]
        if micros <= LONGEST:
            return micros
        raise mistake("expected a duration of at most 100 years")
    if re.fullmatch(r"[0-9]{1,9}", text):
        raise mistake(f"expected a duration with its unit, such as {text}d, {text}h, {text}m or {text}s")
    raise mistake("expected a duration with its unit, such as 90s, 30m, 12h, 7d or 2w")


def parse_window(value: object) -> int | None:
    """Microseconds of a window; None for `none`, which is no limit."""
    return None if value in ("none", None) else parse_duration(value)


def value_as_text(value: object) -> object:
    """Values are compared as text, so that the same events match in CSV, Parquet and NDJSON."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def not_true(value: object) -> object:
    """The value unchanged, if it may be a number; Python would take `true` for 1."""
    if isinstance(value, bool):
        raise mistake("expected a number")
    return value


def compiled(pattern: str) -> str:
    """The pattern unchanged, if the engine that will run it can read it."""
    import polars as pl

    try:
        pl.Series([], dtype=pl.String).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        lines = str(error).partition("\n\nThis error")[0].splitlines() or ["not understood"]
        reason = lines[-1].removeprefix("error: ").removeprefix("regex error: ")
        raise mistake("expected a regular expression ({reason})", reason=reason) from None
    return pattern


def known_zone(name: str) -> str:
    """The name unchanged, if it is one of the IANA database."""
    from zoneinfo import available_timezones

    known = available_timezones() - {"Factory", "localtime"} if name != "UTC" else set()
    if known and name not in known:
        raise mistake("expected a time zone of the IANA database, such as Europe/Berlin", known=sorted(known))
    return name


def readable_format(text: str) -> str:
    """The format unchanged, if it is a kind of epoch or what `strptime` can read a date with."""
    found = re.findall(DIRECTIVE, text)
    if text in EPOCH_FORMATS:
        return text
    if not found:
        expected = "expected epoch_s, epoch_ms, epoch_us, epoch_ns or a format such as %d/%m/%Y %H:%M"
        raise mistake(expected, known=list(EPOCH_FORMATS))
    if "Z" in found:
        raise mistake("expected a format with %z instead of %Z, which drops the offset")
    if unknown := [letter for letter in found if letter not in DIRECTIVES]:
        raise mistake("expected a format of known directives (there is no %{letter})", letter=unknown[0])
    if not set(found) & set(WITH_A_YEAR):
        raise mistake("expected a format with a year, such as %d/%m/%Y %H:%M")
    return text


def readable_moment(text: str) -> str:
    """The date or time unchanged, if it is one of ISO 8601."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise mistake("expected a date or time, such as 1970-01-01") from None
    return text


def on_one_line(text: str) -> str:
    """The name unchanged, if a terminal can show it on one line."""
    if not text.isprintable():
        raise mistake("expected a name without control characters and line breaks")
    return text


def shape(value: object) -> str | None:
    """Which branch of a union is meant: asking the value first makes one mistake one error."""
    if isinstance(value, list):
        return "<list>"
    if isinstance(value, dict | BaseModel):
        return "<block>"
    return None if value is None else "<plain>"


def either(expected: str) -> Discriminator:
    return Discriminator(shape, custom_error_type="expected", custom_error_message=f"expected {expected}")


def one_or_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(on_one_line)]
Value = Annotated[Text, BeforeValidator(value_as_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Values = Annotated[list[Value], Field(min_length=1)]
OneOrMany = Annotated[
    Annotated[Value, Tag("<plain>")] | Annotated[Values, Tag("<list>")], either("a value or a list of values")
]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(not_true)]
Count = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(not_true)]
Amount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6),
    BeforeValidator(not_true),
    WithJsonSchema({"type": "number"}),
]
Duration = Annotated[
    int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": f"^{DURATION}$"})
]
Window = Annotated[
    int | None,
    BeforeValidator(parse_window),
    WithJsonSchema({"type": "string", "pattern": f"^(none|{DURATION})$", "default": "7d"}),
]
Regex = Annotated[Text, AfterValidator(compiled)]
TimeZone = Annotated[Text, AfterValidator(known_zone)]
Moment = Annotated[Text, AfterValidator(readable_moment)]
TimeFormat = Annotated[Text, AfterValidator(readable_format)]

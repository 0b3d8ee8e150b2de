"""Which column holds what, and any field of a row as text."""

from collections.abc import Mapping, Sequence

import polars as pl

from microfunnel.errors import InputError
from microfunnel.goals import Columns
from microfunnel.wording import all_near

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "user_id",
        "userid",
        "user",
        "visitor_id",
        "visitorid",
        "visitor",
        "client_id",
        "clientid",
        "customer_id",
        "person_id",
        "distinct_id",
        "user_pseudo_id",
        "anonymous_id",
        "anonymousid",
        "device_id",
        "cookie_id",
        "uid",
    ),
    "time": (
        "timestamp",
        "time",
        "event_time",
        "event_timestamp",
        "eventtime",
        "ts",
        "datetime",
        "date_time",
        "created_at",
        "occurred_at",
        "event_date",
        "date",
    ),
    "event": ("event_name", "event", "eventname", "event_type", "eventtype", "action", "name", "type"),
    "session": ("session_id", "sessionid", "session", "visit_id", "visitid", "ga_session_id"),
}
"""Names of columns that are recognised without being declared, the likeliest first, in lower case."""

REQUIRED = ("user", "time", "event")


def find_columns(schema: Mapping[str, pl.DataType], declared: Columns) -> dict[str, str]:
    """Canonical name to field of the file, for user, time, event and, where there is one, session."""
    wishes: dict[str, str | None] = declared.model_dump()
    found: dict[str, str] = {}
    problems = []
    for canonical, wish in wishes.items():
        if wish is not None:
            if field_expr(wish, schema) is None:
                if canonical not in (*REQUIRED, "session"):
                    continue  # other files may have it
                problems.append(f"has no column {wish!r} (for {canonical}); {near_columns([wish], schema)}")
            found[canonical] = wish
        elif (usual := _usual_column(canonical, schema)) is not None:
            found[canonical] = usual
        elif canonical in REQUIRED:
            problems.append(f"no column looks like the {canonical}; {near_columns(USUAL_NAMES[canonical], schema)}")
    if problems:
        hint = "declare them in the goals file: events: {columns: {user: ..., time: ..., event: ...}}"
        raise InputError(*problems, hint=hint)
    return found


def _usual_column(canonical: str, schema: Mapping[str, pl.DataType]) -> str | None:
    by_name = {name.strip().casefold(): name for name in reversed(list(schema))}
    return next((by_name[usual] for usual in USUAL_NAMES.get(canonical, ()) if usual in by_name), None)


def near_columns(names: Sequence[str], schema: Mapping[str, pl.DataType], most: int = 20) -> str:
    """The columns that come near any of these names, and those that there are, in words."""
    near = all_near(names, schema)
    there = ", ".join(list(schema)[:most]) + (", ..." if len(schema) > most else "")
    return (f"near it: {', '.join(near)}; " if near else "") + f"there are: {there or 'none'}"


def field_expr(name: str, schema: Mapping[str, pl.DataType]) -> tuple[pl.Expr, pl.DataType] | None:
    """A field as it is in the file, and its type: a column, or a dotted path into a nested one; None without it."""
    if name in schema:
        return pl.col(name), schema[name]
    trimmed = [column for column in schema if column.strip().casefold() == name.strip().casefold()]
    if len(trimmed) == 1:
        return pl.col(trimmed[0]), schema[trimmed[0]]
    for column, dtype in schema.items():
        if name.startswith(f"{column}."):
            return _nested(pl.col(column), dtype, name.removeprefix(f"{column}."))
    return None


def _nested(outer: pl.Expr, dtype: pl.DataType, path: str) -> tuple[pl.Expr, pl.DataType] | None:
    if isinstance(dtype, pl.String):
        return outer.str.json_path_match("$." + path), pl.String()
    if isinstance(dtype, pl.Struct):
        for name, inner in pl.Schema(dtype).items():
            if path == name:
                return outer.struct.field(name), inner
            if path.startswith(f"{name}."):
                return _nested(outer.struct.field(name), inner, path.removeprefix(f"{name}."))
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        parts = pl.Schema(dtype.inner)
        if "key" in parts and "value" in parts:
            return _by_key(outer, parts["value"], path), pl.String()
    return None


def _by_key(pairs: pl.Expr, dtype: pl.DataType, key: str) -> pl.Expr:
    """The value of a key in a list of keys and values, as GA4 has them: in one of several fields, each of a type."""
    value = pl.element().struct.field("value")
    if isinstance(dtype, pl.Struct):
        typed = [text_expr(value.struct.field(name), inner, name) for name, inner in pl.Schema(dtype).items()]
        text = pl.coalesce(typed)
    else:
        text = text_expr(value, dtype, key)
    found = pairs.list.eval(pl.when(pl.element().struct.field("key") == key).then(text))
    return found.list.drop_nulls().list.first()


def text_expr(field: pl.Expr, dtype: pl.DataType, name: str) -> pl.Expr:
    """The field as text (String), null where it is missing or empty; whole numbers are written without a fraction."""
    if isinstance(dtype, pl.String):
        return pl.when(field != "").then(field)
    if isinstance(dtype, pl.Float32 | pl.Float64):
        whole = (field.round() == field) & (field.abs() < 2**63)
        return pl.when(whole).then(field.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(field.cast(pl.String))
    if dtype.is_nested():
        raise InputError(
            f"the column {name!r} holds nested data; name a part of it, such as {name}.{_first_part(dtype)}"
        )
    return field.cast(pl.String)


def _first_part(dtype: pl.DataType) -> str:
    return dtype.fields[0].name if isinstance(dtype, pl.Struct) and dtype.fields else "KEY"

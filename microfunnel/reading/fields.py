"""Which fields of an export are the user, the time, the event, the session: declared, of a known layout, or usual."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from microfunnel.errors import InputError
from microfunnel.goals import Columns
from microfunnel.reading.layouts.declaration import Layout, Value
from microfunnel.reading.nested import field_expr, text_expr
from microfunnel.wording import all_near, clean, quoted, shortened

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
CANONICAL = (*REQUIRED, "session", "anonymous")
MOST_LISTED = 20
LONGEST_LIST = 300
"""Columns, and their bytes, that a message lists: a file may have thousands, and names as long as a page."""


def find_columns(
    schema: Mapping[str, pl.DataType], declared: Columns, layout: Layout | None, repeated: Collection[str] = ()
) -> dict[str, Value]:
    """What `user`, `time`, `event`, and where there are any `session` and `anonymous` are; and the layout's own fields.

    `repeated` are names that several columns of the file have.
    """
    wishes: dict[str, str | None] = declared.model_dump()
    own = dict(layout.values) if layout is not None else {}
    found: dict[str, Value] = dict(own)
    problems = []
    for canonical in CANONICAL:
        wish = wishes[canonical]
        if wish is not None:
            value = own.get(wish, wish)
            if isinstance(value, str) and field_expr(value, schema) is None:
                if canonical == "anonymous":
                    found.pop(canonical, None)
                    continue  # other files may have it
                problems.append(f"has no column {wish!r} (for {canonical}); {near_columns([wish], schema)}")
            found[canonical] = value
        elif layout is None and (usual := usual_column(canonical, schema)) is not None:
            found[canonical] = usual
        elif layout is None and canonical in REQUIRED:
            problems.append(f"no column looks like the {canonical}; {near_columns(USUAL_NAMES[canonical], schema)}")
        if found.get(canonical) in repeated:
            problems.append(
                f"several columns are called {quoted(found[canonical])} (for {canonical}); rename all but one"
            )
    if problems:
        hint = "declare them in the goals file: events: {columns: {user: ..., time: ..., event: ...}}"
        raise InputError(*problems, hint=hint)
    return found


def value_expr(
    value: Value, schema: Mapping[str, pl.DataType], key_lists: Collection[str]
) -> tuple[pl.Expr, pl.DataType] | None:
    """A value as it is in the file, and its type; text where it is made of several fields; None without any of them."""

    def text(name: str) -> pl.Expr:
        field = field_expr(name, schema, key_lists)
        return pl.lit(None, dtype=pl.String) if field is None else text_expr(*field, name)

    if isinstance(value, str):
        return field_expr(value, schema, key_lists)
    if not isinstance(value, tuple):
        return value(text), pl.String()
    there = {name: field for name in value if (field := field_expr(name, schema, key_lists)) is not None}
    types = {dtype for _, dtype in there.values()}
    if len(types) == 1 and not types & {pl.String()}:
        return pl.coalesce(expr for expr, _ in there.values()), types.pop()
    return (pl.coalesce(map(text, there)), pl.String()) if there else None


def usual_column(canonical: str, schema: Mapping[str, pl.DataType]) -> str | None:
    by_name = {name.strip().casefold(): name for name in reversed(list(schema))}
    return next((by_name[usual] for usual in USUAL_NAMES.get(canonical, ()) if usual in by_name), None)


def near_columns(names: Sequence[str], schema: Mapping[str, pl.DataType]) -> str:
    """The columns that come near any of these names, and those that there are, in a few words."""
    near, there = (_in_few_words(each) for each in (all_near(names, schema), list(schema)))
    return (f"near it: {near}; " if near else "") + f"there are: {there or 'none'}"


def _in_few_words(columns: Sequence[str]) -> str:
    shown: list[str] = []
    for column in (shortened(clean(each)) for each in columns[:MOST_LISTED]):
        if len("".join((*shown, column)).encode()) > LONGEST_LIST:
            break
        shown.append(column)
    return ", ".join(shown) + (", ..." if len(columns) > len(shown) else "")

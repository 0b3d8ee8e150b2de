"""Any field of a row: a column, or a part of nested data."""

import re
from collections.abc import Collection, Mapping

import polars as pl

from microfunnel.errors import InputError

KINDS_OF_VALUES = ("string", "int", "float", "double")
LIST, ELEMENT = "list", "element"
"""Lists that were written as structs of a list of structs, as BigQuery does in Parquet."""


def field_expr(
    name: str, schema: Mapping[str, pl.DataType], key_lists: Collection[str] = ()
) -> tuple[pl.Expr, pl.DataType] | None:
    """A field as it is in the file, and its type: a column, or a dotted path into a nested one; None without it.

    `key_lists` are columns whose text is a JSON list of keys and values.
    """
    if name in schema:
        return pl.col(name), schema[name]
    trimmed = [column for column in schema if column.strip().casefold() == name.strip().casefold()]
    if len(trimmed) == 1:
        return pl.col(trimmed[0]), schema[trimmed[0]]
    for column, dtype in schema.items():
        if name.startswith(f"{column}."):
            path = name.removeprefix(f"{column}.")
            if column in key_lists and isinstance(dtype, pl.String):
                return _by_key_in_text(pl.col(column), path), pl.String()
            return _nested(pl.col(column), dtype, path)
    return None


def _nested(outer: pl.Expr, dtype: pl.DataType, path: str) -> tuple[pl.Expr, pl.DataType] | None:
    if isinstance(dtype, pl.String):
        return pl.coalesce(outer.str.json_path_match(each) for each in _json_paths(path)), pl.String()
    if isinstance(dtype, pl.Struct):
        if list(pl.Schema(dtype)) == [LIST]:
            path = f"{LIST}.{path}"
        for name, inner in pl.Schema(dtype).items():
            if path == name:
                return outer.struct.field(name), inner
            if path.startswith(f"{name}."):
                return _nested(outer.struct.field(name), inner, path.removeprefix(f"{name}."))
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        parts = pl.Schema(dtype.inner)
        wrapped = parts.get(ELEMENT)
        if len(parts) == 1 and isinstance(wrapped, pl.Struct):
            outer, parts = outer.list.eval(pl.element().struct.field(ELEMENT)), pl.Schema(wrapped)
        if "key" in parts and "value" in parts:
            return _by_key(outer, parts["value"], path), pl.String()
    return None


def _json_paths(path: str) -> list[str]:
    """Where a dotted path may lead in JSON: to a key with dots in it, or from key to key; numbers count in lists."""
    nested = "".join(map(_json_step, path.split(".")))
    return [f"${each}" for each in dict.fromkeys([_json_key(path), nested])]


def _json_step(part: str) -> str:
    """One step of a path: a key, a number in a list, or a key and numbers in the lists below it (`tags[0]`)."""
    if part.isdecimal():
        return f"[{part}]"
    found = re.fullmatch(r"(.+?)((?:\[\d+\])+)", part, re.DOTALL)
    return _json_key(part) if found is None else _json_key(found[1]) + found[2]


def _json_key(key: str) -> str:
    return "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"


def _by_key_in_text(pairs: pl.Expr, key: str) -> pl.Expr:
    found = "$[?(@.key=='" + key.replace("\\", "\\\\").replace("'", "\\'") + "')].value"
    text, whole, *parts = (pairs.str.json_path_match(f"{found}.{kind}_value") for kind in KINDS_OF_VALUES)
    return pl.coalesce(text, whole, *(part.str.replace(r"\.0+$", "") for part in parts))


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
        field = field.fill_nan(None)
        whole = (field.round() == field) & (field.abs() < 2**63)
        return pl.when(whole).then(field.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(field.cast(pl.String))
    if dtype.is_nested():
        raise InputError(
            f"the column {name!r} holds nested data; name a part of it, such as {name}.{_first_part(dtype)}"
        )
    return field.cast(pl.String)


def _first_part(dtype: pl.DataType) -> str:
    return dtype.fields[0].name if isinstance(dtype, pl.Struct) and dtype.fields else "KEY"

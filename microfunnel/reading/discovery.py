"""What is in files that nobody has described: their columns, and the commonest parts of nested data."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl

from microfunnel.errors import InputError
from microfunnel.forms import Form
from microfunnel.goals import Events
from microfunnel.reading.canonical import KnownTable, know
from microfunnel.reading.fields import CANONICAL, REQUIRED, usual_column
from microfunnel.reading.layouts.declaration import Value
from microfunnel.reading.nested import ELEMENT, LIST
from microfunnel.reading.tables import Table

LOOKED_AT = 2_000
"""Rows in which the parts of nested data are looked for."""
DEEPEST = 3
MOST_PARTS = 40
"""Parts of one column."""
MOST_FIELDS = 200
MOSTLY = 0.5
"""The share of the values of a column that must be JSON objects."""
UNADDRESSABLE = ("[", "]", "\n")


def know_or_guess(table: Table, settings: Events) -> tuple[KnownTable, tuple[str, ...]]:
    """The table with what its columns mean, as far as that can be told, and what can't be told."""
    try:
        return know(table, settings), ()
    except InputError as error:
        found = {name: usual_column(name, table.schema) for name in REQUIRED}
        return KnownTable(
            table, {name: value for name, value in found.items() if value is not None}, None
        ), error.problems


def forms_of(known: Sequence[KnownTable], settings: Events) -> tuple[Form, ...]:
    """The forms of these files; in order of the first file of each."""
    alike: dict[tuple[object, ...], list[KnownTable]] = {}
    for each in known:
        key = (
            each.table.kind,
            None if each.table.layout is None else each.table.layout.title,
            *each.table.schema.items(),
        )
        alike.setdefault(tuple(map(str, key)), []).append(each)
    return tuple(_form(group, settings) for group in alike.values())


def _form(group: Sequence[KnownTable], settings: Events) -> Form:
    known = group[0]
    layout = known.table.layout
    declared = settings.columns.model_dump()
    columns = {
        name: _described(known.values[name]) for name in CANONICAL if name in known.values and name != "anonymous"
    }
    guessed = () if layout is not None else tuple(name for name in columns if declared[name] is None)
    return Form(
        files=tuple(each.table.name for each in group),
        kind=known.table.kind,
        layout=None if layout is None else layout.title,
        layout_name=None if layout is None else layout.name,
        columns=columns,
        guessed=guessed,
        fields=_fields(known),
    )


def _sources(value: Value) -> tuple[str, ...]:
    """The fields that a value is made of."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, tuple):
        return value
    asked: dict[str, None] = {}

    def note(name: str) -> pl.Expr:
        asked[name] = None
        return pl.lit(None, dtype=pl.String)

    value(note)
    return tuple(asked)


def _described(value: Value) -> str:
    return (", else " if isinstance(value, tuple) else " and ").join(_sources(value))


def _fields(known: KnownTable) -> tuple[str, ...]:
    """The fields beside user, time, event and session."""
    table = known.table
    used = {
        name for canonical in CANONICAL if canonical != "anonymous" for name in _direct(known.values.get(canonical))
    }
    own = [name for name in known.values if name not in CANONICAL]
    sample = table.frame.select(pl.col(list(table.schema))).head(LOOKED_AT).collect()
    found: dict[str, None] = {}
    for name, dtype in table.schema.items():
        if name not in used:
            found |= dict.fromkeys(_parts(name, dtype, sample[name], is_key_list=name in table.key_lists))
    found |= dict.fromkeys(own)
    usable = [name for name in found if name not in used and known.field(name) is not None]
    return tuple(usable[:MOST_FIELDS])


def _direct(value: Value | None) -> tuple[str, ...]:
    """The fields that stand for a value as they are."""
    return () if value is None or callable(value) else _sources(value)


def _parts(name: str, dtype: pl.DataType, values: pl.Series, *, is_key_list: bool) -> list[str]:
    """The column itself, or the parts of it that can be named, shallow ones first."""
    if isinstance(dtype, pl.String):
        paths = _json_paths(values, is_key_list=is_key_list)
        return [name] if paths is None else [f"{name}.{path}" for path in paths]
    if not dtype.is_nested():
        return [name]
    if (keys := _key_counts(dtype, values)) is not None:
        return [f"{name}.{key}" for key in _commonest(keys)]
    leaves = sorted(_leaves(name, dtype, 1), key=lambda leaf: leaf[0])
    return [leaf for _, leaf in leaves[:MOST_PARTS]]


def _leaves(name: str, dtype: pl.DataType, depth: int) -> Iterator[tuple[int, str]]:
    if not dtype.is_nested():
        yield depth, name
    elif isinstance(dtype, pl.Struct) and depth <= DEEPEST:
        for part, inner in pl.Schema(dtype).items():
            yield from _leaves(f"{name}.{part}", inner, depth + 1)


def _key_counts(dtype: pl.DataType, values: pl.Series) -> Counter[str] | None:
    """How often each key stands in a list of keys and values; None for any other type."""
    if isinstance(dtype, pl.Struct) and list(pl.Schema(dtype)) == [LIST]:
        dtype, values = pl.Schema(dtype)[LIST], values.struct.field(LIST)
    if not isinstance(dtype, pl.List) or not isinstance(dtype.inner, pl.Struct):
        return None
    inner, items = dtype.inner, values.drop_nulls().explode(empty_as_null=False)
    if list(pl.Schema(inner)) == [ELEMENT]:
        wrapped = pl.Schema(inner)[ELEMENT]
        if not isinstance(wrapped, pl.Struct):
            return None
        inner, items = wrapped, items.struct.field(ELEMENT)
    parts = pl.Schema(inner)
    if "value" not in parts or not isinstance(parts.get("key"), pl.String):
        return None
    return Counter(items.struct.field("key").drop_nulls().to_list())


def _json_paths(values: pl.Series, *, is_key_list: bool) -> list[str] | None:
    """The commonest paths in texts that are JSON objects, or lists of keys and values; None where they are none."""
    texts = values.drop_nulls()
    texts = texts.filter(texts != "")
    is_open = texts.str.contains(r"^\s*[\[{]" if is_key_list else r"^\s*\{")
    if not len(texts) or int(is_open.sum()) <= MOSTLY * len(texts):
        return None
    counts: Counter[str] = Counter()
    for text in texts.filter(is_open):
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if is_key_list and isinstance(content, list):
            counts.update(str(each["key"]) for each in content if isinstance(each, dict) and "key" in each)
        elif isinstance(content, dict):
            counts.update(path for path, _ in _json_leaves(content, "", 1))
    return _commonest(counts) or None


def _json_leaves(content: Mapping[str, object], place: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in content.items():
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from _json_leaves(value, f"{place}{key}.", depth + 1)
        elif not isinstance(value, list):
            yield f"{place}{key}", value


def _commonest(counts: Counter[str]) -> list[str]:
    named = [key for key in counts if key and not any(char in key for char in UNADDRESSABLE)]
    return sorted(named, key=lambda key: (-counts[key], key))[:MOST_PARTS]


def all_fields(forms: Collection[Form]) -> list[str]:
    """The fields of all forms, each once."""
    return list(dict.fromkeys(field for form in forms for field in form.fields))[:MOST_FIELDS]

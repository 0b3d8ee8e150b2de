"""What pydantic found, as one sentence of ours for each mistake, with the nearest known name."""

import re
from collections.abc import Collection, Iterator
from types import UnionType
from typing import Annotated, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from microfunnel.goals import Goals
from microfunnel.matches import Match, Model, Operators, Test
from microfunnel.reading.yaml_file import Plain, YamlPath
from microfunnel.wording import did_you_mean, listed, nearest, quoted, shortened

MOST_FINDINGS = 500
EXPECTED = {
    "string_type": "text",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length:,} characters",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "decimal_max_digits": "at most {max_digits} digits",
    "decimal_max_places": "at most {decimal_places} decimals",
    "decimal_whole_digits": "at most {whole_digits} digits before the point",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le:,} or less",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, such as [a, b]",
    "too_short": "at least one entry",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
}


class Finding(NamedTuple):
    """What is wrong with the value at a path, with its key, or with the whole block that it is."""

    path: YamlPath
    message: str
    of_key: bool = False
    of_block: bool = False


def model_findings(error: ValidationError | None, content: Plain, empty: Collection[YamlPath]) -> Iterator[Finding]:
    """One finding for each mistake that the models refuse, and for each value left empty."""
    errors = error.errors(include_url=False, include_input=False)[:MOST_FINDINGS] if error else []
    found = [(written_path(content, each["loc"]), each) for each in errors]
    unknown = {path for path, each in found if each["type"] == "extra_forbidden"}
    unwritten = set(empty) - unknown
    incomplete = {path[:-1] for path in empty}
    yield from (
        Finding(path, f"nothing stands here; {_spaced(path) or 'write a value, or leave the line out'}")
        for path in unwritten
    )
    for path, each in found:
        follows = each["type"] == "condition" and path in incomplete
        if path not in unwritten and not follows and not (each["type"] == "missing" and _misspelt(path, each, unknown)):
            yield _finding(path, each, content)


def where(path: YamlPath) -> str:
    """A path in words, such as `funnel checkout, step 2, within`."""
    words: list[str] = []
    for depth, part in enumerate(path):
        if depth == 1 and path[0] in {"goals", "funnels"}:
            words[-1] = f"{str(path[0])[:-1]} {shortened(str(part))}"
        elif isinstance(part, int) and isinstance(path[depth - 1], int):
            words.append(f"item {part + 1}")
        elif isinstance(part, int):
            words[-1] = f"{str(words[-1]).removesuffix('s')} {part + 1}"
        else:
            words.append(shortened(part))
    return ", ".join(words)


def written_path(content: Plain, location: tuple[int | str, ...]) -> YamlPath:
    """The part of pydantic's location that the file has too: branches of unions and missing keys are left out."""
    path: YamlPath = ()
    for part in location:
        match content, part:
            case dict(), str() if part in content:
                content = content[part]
            case list(), int():
                content = content[part]
            case _:
                continue
        path = (*path, part)
    return path


def _misspelt(block: YamlPath, missing: ErrorDetails, unknown: Collection[YamlPath]) -> bool:
    beside = [str(path[-1]).partition(":")[0] for path in unknown if path[:-1] == block]
    return nearest(str(missing["loc"][-1]), beside) is not None


def _finding(path: YamlPath, error: ErrorDetails, content: Plain) -> Finding:
    match error["type"]:
        case "extra_forbidden":
            return Finding(path, _unknown_key(path), of_key=True)
        case "missing":
            return Finding(path, _missing(path, str(error["loc"][-1])), of_block=True)
        case "condition":
            return Finding(path, error["msg"], of_block=True)
    if error["loc"][-1] == "[key]":
        return Finding(path, f"{_expected(error)}, not {quoted(path[-1])}", of_key=True)
    value = _value_at(content, path)
    known = _choices(error)
    hint = did_you_mean(value, known) if isinstance(value, str) and nearest(value, known) else ""
    return Finding(path, f"{_expected(error)}, not {quoted(value)}{hint}", of_block=isinstance(value, list | dict))


def _expected(error: ErrorDetails) -> str:
    if error["type"] == "literal_error":
        return f"expected {listed(_choices(error))}"
    if words := EXPECTED.get(error["type"]):
        return f"expected {words.format(**error.get('ctx', {}))}"
    # The messages of our own validators are ours already.
    return error["msg"]


def _choices(error: ErrorDetails) -> list[str]:
    context = error.get("ctx", {})
    expected = str(context.get("expected", ""))
    return list(context.get("known", ())) or re.findall(r"'([^']*)'", expected) or [expected]


def _value_at(content: Plain, path: YamlPath) -> Plain:
    for part in path:
        if isinstance(content, dict):
            content = content[str(part)]
        elif isinstance(content, list):
            content = content[int(part)]
    return content


def _unknown_key(path: YamlPath) -> str:
    blocks = _blocks(path[:-1])
    kind = "operator" if Operators in blocks else "key"
    known = [key for block in blocks for key in _fields(block)]
    advice = f"; {_spaced(path)}" if _spaced(path) else did_you_mean(str(path[-1]), known)
    return f"unknown {kind} {quoted(path[-1])}{advice}"


def _spaced(path: YamlPath) -> str:
    return "YAML wants a space after the colon" if ":" in str(path[-1]) else ""


def _missing(block: YamlPath, key: str) -> str:
    annotations = [_fields(model)[key].annotation for model in _blocks(block) if key in _fields(model)]
    choices = [str(word) for each in annotations if get_origin(each) is Literal for word in get_args(each)]
    return f"`{key}` is missing" + (f", expected {listed(choices)}" if choices else "")


def _blocks(path: YamlPath) -> list[type[Model]]:
    """The models that a mapping at the path can be meant as."""
    branches = list(_branches(Goals))
    for key in path:
        if isinstance(key, str):
            branches = [inner for branch in branches for inner in _inside(branch, key)]
    return [branch for branch in branches if isinstance(branch, type) and issubclass(branch, Model)]


def _inside(branch: object, key: str) -> Iterator[object]:
    if get_origin(branch) is dict:
        yield from _branches(get_args(branch)[1])
    elif isinstance(branch, type) and issubclass(branch, Model):
        if field := _fields(branch).get(key):
            yield from _branches(field.annotation)
        elif issubclass(branch, Match):
            yield from _branches(Test)


def _branches(annotation: object) -> Iterator[object]:
    """What an annotation may hold in the end, whether in a list, optional or one of several."""
    arguments, origin = get_args(annotation), get_origin(annotation)
    if origin in (Annotated, list):
        yield from _branches(arguments[0])
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _branches(argument)
    else:
        yield annotation


def _fields(model: type[Model]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}

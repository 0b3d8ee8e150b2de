"""JSON that is held against the schema that ships with the program."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from microfunnel.contracts import schema_of


def kept(name: str, printed: str) -> Any:
    """What was printed, which must be as the schema says, which must be strict."""
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    for part in objects(schema):
        assert part["additionalProperties"] is False or "properties" not in part
        assert part.get("required", []) == list(part.get("properties", []))
        assert all("description" in each or "$ref" in each for each in part.get("properties", {}).values())
    found = json.loads(printed)
    Draft202012Validator(schema).validate(found)
    assert list(found) == schema["required"]
    return found


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """All parts of a schema that describe an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)

"""The JSON Schemas of what users write and what programs read."""

import json
from importlib.resources import files
from typing import Any

from microfunnel.goals import goals_schema


def schema_of(what: str) -> dict[str, Any]:
    """The schema of the goals file (`goals`), of the JSON report (`report`), or of what another command prints."""
    if what == "goals":
        return goals_schema()
    text = files("microfunnel").joinpath("schemas", f"{what}.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))

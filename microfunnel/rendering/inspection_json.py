"""An inspection for programs: the contract that schemas/inspection.schema.json describes."""

import json

from microfunnel.forms import Form
from microfunnel.inspections import EventName, Inspection, Property
from microfunnel.rendering import Screen
from microfunnel.rendering.to_json import iso_time

SCHEMA = "microfunnel.inspection/1"


def render(found: Inspection, _screen: Screen) -> str:
    """JSON, the same bytes for the same inspection on every screen."""
    events = found.events
    contents = {
        "schema": SCHEMA,
        "files": events.files,
        "forms": [_form(form) for form in found.forms],
        "problems": list(found.problems),
        "rows_read": events.rows_read,
        "rows_used": events.rows_used,
        "rows_filtered": events.rows_filtered,
        "rejected": dict(events.rejected),
        "users": events.users,
        "sessions": events.sessions,
        "first_time": iso_time(events.first_time),
        "last_time": iso_time(events.last_time),
        "different_events": found.different_events,
        "unnamed_events": found.unnamed_events,
        "events": [_event(each) for each in found.names],
        "property_rows": found.property_rows,
        "properties": [_property(each) for each in found.properties],
        "warnings": [{"warning": each.warning, "message": each.message} for each in events.warnings],
    }
    return json.dumps(contents, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _form(form: Form) -> dict[str, object]:
    return {
        "files": list(form.files),
        "kind": form.kind,
        "layout": form.layout_name,
        "layout_title": form.layout,
        "columns": dict(form.columns),
        "guessed": list(form.guessed),
        "fields": list(form.fields),
    }


def _event(each: EventName) -> dict[str, object]:
    return {"event": each.event, "events": each.events, "users": each.users, "of_users": each.of_users.value}


def _property(each: Property) -> dict[str, object]:
    return {
        "property": each.field,
        "filled": each.filled,
        "of_rows": each.filling.value,
        "numbers": each.numbers,
        "different": each.different,
        "commonest": [
            {"value": value.value, "rows": value.rows, "of_filled": value.share.value} for value in each.commonest
        ],
    }

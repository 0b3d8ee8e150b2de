"""Fields in nested data, as the reading finds them."""

import polars as pl
import pytest

from microfunnel.reading.nested import field_expr, text_expr

VALUE = pl.Struct({"string_value": pl.String, "int_value": pl.Int64, "double_value": pl.Float64})
PARAMS = pl.List(pl.Struct({"key": pl.String, "value": VALUE}))
EMPTY = {"string_value": None, "int_value": None, "double_value": None}


def param(key: str, **value: object) -> dict[str, object]:
    return {"key": key, "value": {**EMPTY, **value}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("event_params.page", ["/a", None, None, None]),
        ("event_params.value", ["12", "12.5", None, None]),
        ("event_params.nobody", [None, None, None, None]),
        ("device.web.browser", ["Firefox", None, None, None]),
        ("properties.plan.name", ["pro", None, None, "7"]),
    ],
)
def test_a_dotted_path_leads_into_structs_lists_of_keys_and_json(name: str, expected: list[str | None]) -> None:
    rows = pl.DataFrame(
        {
            "event_params": [
                [param("page", string_value="/a"), param("value", int_value=12)],
                [param("value", double_value=12.5), param("page", string_value="")],
                [],
                None,
            ],
            "device": [{"web": {"browser": "Firefox"}}, {"web": {"browser": None}}, {"web": None}, None],
            "properties": ['{"plan": {"name": "pro"}}', "{}", None, '{"plan": {"name": 7}}'],
        },
        schema_overrides={"event_params": PARAMS},
    )
    found = field_expr(name, rows.schema)
    assert found is not None
    assert rows.select(text_expr(*found, name)).to_series().to_list() == expected


def test_a_path_that_leads_nowhere_is_no_field() -> None:
    assert field_expr("device.os", pl.Schema({"device": pl.Struct({"category": pl.String})})) is None
    assert field_expr("nobody.knows", pl.Schema({"device": pl.String()})) is None

"""What goals and funnels may say, and the schema that tells editors."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from microfunnel.funnels import Funnel, Step
from microfunnel.goal_values import parse_duration
from microfunnel.goals import ColumnValue, Goal, Goals, goals_schema
from microfunnel.matches import Match, Operators

GOOD = Path(__file__).parent / "goals_files" / "good.yaml"
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("90s", 90 * SECOND),
        ("30m", 1_800 * SECOND),
        ("12h", 43_200 * SECOND),
        ("7d", 604_800 * SECOND),
        ("2w", 1_209_600 * SECOND),
        (" 1.5 h ", 5_400 * SECOND),
        ("0.000001s", 1),
        ("0s", 0),
    ],
)
def test_a_duration_is_microseconds(text: str, micros: int) -> None:
    assert parse_duration(text) == micros


@pytest.mark.parametrize("text", ["", "7", 7, "7 days", "-1d", "1d12h", "0.0000001s", "1e3s", "٣d", "99999w", None])
def test_a_duration_has_one_number_and_one_unit(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


def test_a_window_of_none_is_no_limit() -> None:
    assert Funnel.model_validate({"steps": ["a"], "window": "none"}).window is None
    assert Funnel.model_validate({"steps": ["a"]}).window == parse_duration("7d")


def test_short_forms_are_the_long_ones() -> None:
    short = Funnel.model_validate({"steps": ["a"], "by": "device"})
    assert short == Funnel.model_validate({"steps": [{"goal": "a"}], "by": [{"column": "device"}]})


def test_a_label_is_the_name_or_else_the_goal() -> None:
    assert Step(goal="buy").label == "buy"
    assert Step(goal="buy", name="bought").label == "bought"
    assert Step.model_validate({"any": ["buy", "rent"]}).label == "buy or rent"


def test_a_breakdown_is_called_by_its_columns_and_where_they_are_read() -> None:
    both = Funnel.model_validate({"steps": ["a"], "by": [["channel", "os"], {"column": "os", "value": "step:a"}]}).by
    assert [each.name for each in both] == ["channel, os", "os (step:a)"]
    assert [each.step for each in both] == [None, "a"]


def test_a_unit_is_a_word_or_a_list_of_columns() -> None:
    assert Funnel.model_validate({"steps": ["a"]}).unit_columns == []
    assert Funnel.model_validate({"steps": ["a"], "count": ["user_id", "order_id"]}).unit_columns == [
        "user_id",
        "order_id",
    ]


def test_options_that_clash_are_told_all_at_once() -> None:
    wrong = {"steps": [{"goal": "a", "optional": True}, "b"], "ignore": ["x"], "count": "attempts", "entry": "first"}
    with pytest.raises(ValidationError) as raised:
        Funnel.model_validate(wrong)
    places = [error["loc"] for error in raised.value.errors()]
    assert places == [("entry",), ("ignore",), ("steps", 0, "optional")]


def test_a_limit_of_nothing_is_a_limit() -> None:
    with pytest.raises(ValidationError, match="`order: any` goes without `within`"):
        Funnel.model_validate({"steps": ["a", {"goal": "b", "within": "0s"}], "order": "any"})


@pytest.mark.parametrize(
    "goal",
    [
        {},
        {"match": "any", "session_lasts": "5m"},
        {"session_lasts": "5m", "at_least": 2},
        {"session_lasts": "5m", "per": "session"},
        {"match": "any", "distinct": "page_url"},
        {"match": "some"},
        {"match": {}},
        {"match": {"page_url": {}}},
        {"match": "any", "at_least": True},
        {"match": "any", "value": True},
    ],
)
def test_what_is_no_goal(goal: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Goal.model_validate({"kind": "macro", **goal})


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"name": "a"},
        {"match": "any"},
        {"goal": "a", "match": "any", "name": "a"},
        {"goal": "a", "within": "1h", "after": "2h"},
        {"goal": "a", "name": "two\nlines"},
    ],
)
def test_what_is_no_step(step: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Funnel.model_validate({"steps": [step]})


def test_values_are_text_and_limits_are_numbers() -> None:
    match = Match.model_validate(
        {"n": 3, "f": 2.5, "b": True, "many": [1, False], "price": {"gt": "3", "exists": "no"}}
    )
    assert match.fields == {
        "n": "3",
        "f": "2.5",
        "b": "true",
        "many": ["1", "false"],
        "price": Operators(gt=3.0, exists=False),
    }


def test_a_match_knows_the_fields_of_its_parts() -> None:
    match = Match.model_validate({"a": 1, "any": [{"b": 1}], "all": [{"c": 1, "not": {"d": 1}}], "not": {"e": 1}})
    assert match.field_names() == {"a", "b", "c", "d", "e"}


def test_a_goal_is_worth_an_amount_or_a_column() -> None:
    assert Goal.model_validate({"kind": "macro", "match": "any", "value": "2.50"}).value == Decimal("2.50")
    assert Goal(kind="macro", match="any", value=ColumnValue(column="revenue")).value_column == "revenue"


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", "a{1000}{1000}{1000}"])
def test_a_regex_is_one_for_the_engine_that_runs_it(pattern: str) -> None:
    with pytest.raises(ValidationError, match="expected a regular expression"):
        Operators(regex=pattern)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = goals_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def good() -> dict[str, Any]:
    """The good file as an editor understands it: numbers are numbers, `true` is a boolean."""
    content: dict[str, Any] = yaml.safe_load(yaml.safe_load(GOOD.read_text(encoding="utf-8"))["file"])
    return content


def test_the_schema_names_its_version() -> None:
    schema = goals_schema()
    assert schema["$id"] == "microfunnel.goals/1"
    assert schema["title"]


def test_the_schema_and_the_models_take_the_good_file(validator: Draft202012Validator, good: dict[str, Any]) -> None:
    assert list(validator.iter_errors(_as_an_editor_reads(good))) == []
    Goals.model_validate(good)


def test_the_schema_takes_the_example_of_the_design(validator: Draft202012Validator) -> None:
    case = yaml.safe_load((GOOD.parent / "design_example.yaml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(yaml.safe_load(case["file"]))) == []


def _as_an_editor_reads(content: dict[str, Any]) -> dict[str, Any]:
    """YAML 1.2 has no octal or `no`, and `1e3` is a number there."""
    operators = content["goals"]["big_order"]["match"]
    operators["properties.total"].update(lt=1000, lte=1000)
    return content


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("version", to=2),
        _set("goal", to={}),
        _set("goals", to={}),
        _set("goals", "purchase", "kind", to="makro"),
        _set("goals", "purchase", "match", to="some"),
        _set("goals", "purchase", "match", to={}),
        _set("goals", "purchase", "match", to=None),
        _set("goals", "purchase", "session_lasts", to="5m"),
        _set("goals", "purchase", "value", to="free"),
        _set("goals", "purchase", "at_least", to=0),
        _set("goals", "big_order", "match", "page_url", to={"containz": "x"}),
        _set("goals", "big_order", "match", "page_url", to={}),
        _set("goals", "big_order", "match", "page_url", to={"gt": "x"}),
        _set("goals", "big_order", "match", "page_url", to=[]),
        _set("goals", "big_order", "match", "any", to={"device": "mobile"}),
        _set("funnels", "checkout", "steps", to=[]),
        _set("funnels", "checkout", "steps", 0, to={"name": "x"}),
        _set("funnels", "checkout", "steps", 0, to={"goal": "x", "within": 5}),
        _set("funnels", "checkout", "window", to=7),
        _set("funnels", "checkout", "window", to="7"),
        _set("funnels", "checkout", "window", to=None),
        _set("funnels", "checkout", "by", to={"colum": "device"}),
        _set("funnels", "checkout", "by", to={"column": []}),
        _set("funnels", "checkout", "by", to={"column": "device", "value": "latest"}),
        _set("funnels", "checkout", "by", to={"column": "device", "value": "step:"}),
        _set("funnels", "checkout", "by", to={"column": "device", "bins": []}),
        _set("funnels", "checkout", "by", to=[[]]),
        _set("funnels", "checkout", "steps", 0, to={"any": []}),
        _set("funnels", "checkout", "steps", 0, to={"any": ["view_product"], "goal": "view_product"}),
        _set("funnels", "checkout", "steps", 0, to={"goal": "view_product", "optional": "maybe"}),
        _set("funnels", "checkout", "order", to="strickt"),
        _set("funnels", "checkout", "count", to=[]),
        _set("funnels", "checkout", "count", to="user_id"),
        _set("funnels", "checkout", "open", to="sometimes"),
        _set("funnels", "checkout", "ignore", to="scroll"),
        _set("funnels", "checkout", "on_exclusion", to="stop"),
        _set("funnels", "checkout", "exclude", to=[{}]),
        _set("funnels", "checkout", "exclude", to=[{"goal": "purchase", "match": "any"}]),
        _set("funnels", "checkout", "exclude", to=[{"goal": "purchase", "between": ["view_product"]}]),
        _set("events", "session_timeout", to=30),
        _set("events", "columns", "usr", to="id"),
    ],
)
def test_the_schema_refuses_mistakes(
    change: Callable[[Any], None], validator: Draft202012Validator, good: dict[str, Any]
) -> None:
    wrong = deepcopy(_as_an_editor_reads(good))
    change(wrong)
    assert not validator.is_valid(wrong)

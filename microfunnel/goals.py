"""The goals file as values: events, goals and funnels, checked, and knowing nothing of files."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from microfunnel.goal_values import (
    Amount,
    Count,
    Duration,
    Name,
    Number,
    OneOrMany,
    Regex,
    Text,
    TimeFormat,
    TimeZone,
    Value,
    Values,
    Window,
    either,
    mistake,
    one_or_many,
    parse_duration,
)


class Model(BaseModel):
    """One block of the goals file; an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Operators(Model):
    """How a field is tested; all operators must hold. A missing value fails each but `not` and `exists: false`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    not_: OneOrMany | None = Field(None, alias="not", description="none of these")
    in_: Values | None = Field(None, alias="in", description="one of these")
    glob: OneOrMany | None = Field(None, description="a pattern with * and ?")
    regex: Regex | None = Field(None, description="a regular expression found anywhere in the value")
    contains: OneOrMany | None = None
    starts_with: OneOrMany | None = None
    ends_with: OneOrMany | None = None
    gt: Number | None = None
    gte: Number | None = None
    lt: Number | None = None
    lte: Number | None = None
    exists: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Operators":
        if not self.model_fields_set:
            raise PydanticCustomError("condition", "expected at least one operator, such as `contains`")
        return self


Test = Annotated[
    Annotated[Value, Tag("<plain>")] | Annotated[Values, Tag("<list>")] | Annotated[Operators, Tag("<block>")],
    either("a value, a list of values, or operators such as {contains: x}"),
]


class Match(Model):
    """Conditions on one event that must all hold: fields by their values, and `any`, `all`, `not`."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 1})
    __pydantic_extra__: dict[str, Test]

    any_: "Annotated[list[Match], Field(min_length=1)] | None" = Field(
        None, alias="any", description="at least one of these"
    )
    all_: "Annotated[list[Match], Field(min_length=1)] | None" = Field(None, alias="all", description="each of these")
    not_: "Match | None" = Field(None, alias="not", description="not this")

    @model_validator(mode="after")
    def _says_something(self) -> "Match":
        if not self.model_fields_set and not self.fields:
            raise PydanticCustomError("condition", "expected a field and its value; `match: any` is every event")
        return self

    @property
    def fields(self) -> "dict[str, str | list[str] | Operators]":
        """Field name to the value, the values or the operators that it is tested with."""
        return self.__pydantic_extra__

    def field_names(self) -> set[str]:
        """All fields that the match looks at, those of nested matches included."""
        nested = [*(self.any_ or ()), *(self.all_ or ()), *([self.not_] if self.not_ else ())]
        return set(self.fields).union(*(match.field_names() for match in nested))


AnyEvent = Literal["any"]
CONDITION = "fields and their values, such as {event: purchase}, or `any` for every event"


def _every_event(value: object) -> object:
    if value != "any":
        raise mistake(f"expected {CONDITION}")
    return value


Condition = Annotated[
    Annotated[AnyEvent, BeforeValidator(_every_event), Tag("<plain>")] | Annotated[Match, Tag("<block>")],
    either(CONDITION),
]


class ColumnValue(Model):
    """The value of a goal is read from a column."""

    column: Text


GoalValue = Annotated[
    Annotated[Amount, Tag("<plain>")] | Annotated[ColumnValue, Tag("<block>")],
    either("an amount such as 2.50, or {column: revenue}"),
]


class Goal(Model):
    """A named condition on events; with `at_least` or `per`, the event with which the count is full completes it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["match"]}, {"required": ["session_lasts"]}]})

    kind: Literal["milestone", "secondary", "macro"]
    match: Condition | None = None
    session_lasts: Duration | None = None
    at_least: Count | None = None
    distinct: Text | None = None
    per: Literal["user", "session"] | None = None
    value: GoalValue | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> "Goal":
        if (self.match is None) == (self.session_lasts is None):
            raise PydanticCustomError("condition", "expected either `match` or `session_lasts`")
        if self.session_lasts is not None and (self.at_least or self.distinct or self.per):
            raise PydanticCustomError("condition", "`session_lasts` goes without `at_least`, `distinct` and `per`")
        if self.distinct and not self.at_least:
            raise PydanticCustomError("condition", "`distinct` counts for `at_least`, which is missing")
        return self

    @property
    def counted(self) -> bool:
        """Whether the goal is completed once per user or session, by the event that fills its count."""
        return self.at_least is not None or self.per is not None

    @property
    def needs_sessions(self) -> bool:
        """Whether completing it depends on which events make a session."""
        return self.session_lasts is not None or self.per == "session"

    @property
    def value_column(self) -> str | None:
        """The field that the value of a completion is read from, if it is."""
        return self.value.column if isinstance(self.value, ColumnValue) else None


class Step(Model):
    """A step of a funnel: a goal by its name, or a match of its own with a name."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["goal"]}, {"required": ["name", "match"]}]})

    goal: Text | None = None
    name: Name | None = None
    match: Condition | None = None
    within: Duration | None = Field(None, description="at most so long after the previous step")
    after: Duration | None = Field(None, description="at least so long after the previous step")

    @model_validator(mode="after")
    def _goal_or_match(self) -> "Step":
        if (self.goal is None) == (self.match is None):
            raise PydanticCustomError("condition", "expected either `goal` or a `match` with a `name`")
        if self.match is not None and self.name is None:
            raise PydanticCustomError("condition", "a step with its own `match` needs a `name`")
        if self.within is not None and self.after is not None and self.after > self.within:
            raise PydanticCustomError("condition", "`after` is longer than `within`: nobody can reach this step")
        return self

    @property
    def label(self) -> str:
        """The name that the reports show."""
        return self.name or self.goal or ""


class Breakdown(Model):
    """A column that splits the units of a funnel into segments."""

    column: Text
    value: Literal["entry"] = "entry"
    top: Count = Field(10, description="segments kept apart; the rest is (other)")


def _goal_by_name(value: object) -> object:
    return {"goal": value} if isinstance(value, str) else value


def _column_by_name(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


StepOrGoal = Annotated[Step, BeforeValidator(_goal_by_name, json_schema_input_type=Text | Step)]
BreakdownOrColumn = Annotated[Breakdown, BeforeValidator(_column_by_name, json_schema_input_type=Text | Breakdown)]
Breakdowns = Annotated[
    list[BreakdownOrColumn],
    BeforeValidator(one_or_many, json_schema_input_type=BreakdownOrColumn | list[BreakdownOrColumn]),
]


class Funnel(Model):
    """Goals in a row, and how they are counted."""

    steps: Annotated[list[StepOrGoal], Field(min_length=1)]
    window: Window = parse_duration("7d")
    order: Literal["ordered"] = "ordered"
    count: Literal["users", "sessions"] = "users"
    entry: Literal["best", "first"] = "best"
    ties: Literal["any", "increasing"] = "any"
    by: Breakdowns = []

    @property
    def closes(self) -> bool:
        """Whether an attempt has an end after which it can't go on; a session ends, also without a window."""
        return self.window is not None or self.count == "sessions"


class Columns(Model):
    """Which column of the export holds what; names that are usual are recognised without this."""

    user: Text | None = None
    time: Text | None = None
    event: Text | None = None
    session: Text | None = None


class Events(Model):
    """How the events are to be read."""

    columns: Columns = Columns()
    time_format: TimeFormat | None = None
    timezone: TimeZone = "UTC"
    session_timeout: Duration = parse_duration("30m")
    where: Match | None = None


def _version_as_number(value: object) -> object:
    return 1 if value == "1" else value


class Goals(Model):
    """The whole goals file."""

    version: Annotated[Literal[1], BeforeValidator(_version_as_number)]
    events: Events = Events()
    goals: Annotated[dict[Name, Goal], Field(min_length=1)]
    funnels: dict[Name, Funnel] = {}

    @property
    def need_sessions(self) -> bool:
        """Whether anything in them depends on which events make a session."""
        by_session = any(funnel.count == "sessions" for funnel in self.funnels.values())
        return by_session or any(goal.needs_sessions for goal in self.goals.values())


class _EditorSchema(GenerateJsonSchema):
    """What an editor may offer: an optional key is left out, never left empty."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # Other defaults are values of ours (microseconds, models), not what anybody would type.
        inner, default = self.generate_inner(schema["schema"]), schema.get("default")
        return {**inner, "default": default} if isinstance(default, str) else inner

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False


def goals_schema() -> dict[str, Any]:
    """The JSON Schema of a goals file, for editors."""
    schema = Goals.model_json_schema(schema_generator=_EditorSchema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "microfunnel.goals/1",
        **schema,
        "title": "A goals file of microfunnel",
    }

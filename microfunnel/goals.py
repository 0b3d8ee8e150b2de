"""The goals file as values: events, goals and funnels, checked, and knowing nothing of files."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from microfunnel.funnels import Funnel
from microfunnel.goal_values import (
    Amount,
    Count,
    Duration,
    Moment,
    Name,
    Text,
    TimeFormat,
    TimeZone,
    either,
    parse_duration,
)
from microfunnel.matches import Condition, Match, Model


class ColumnValue(Model):
    """The value of a goal is read from a column."""

    column: Text
    currency: Text | None = Field(None, description="the column that names the currency of each value")


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

    @property
    def currency_column(self) -> str | None:
        """The field that names the currency of a completion's value, if one does."""
        return self.value.currency if isinstance(self.value, ColumnValue) else None

    @property
    def value_fields(self) -> list[str]:
        """The fields that say what a completion is worth."""
        return [field for field in (self.value_column, self.currency_column) if field is not None]


class Columns(Model):
    """Which column of the export holds what; names that are usual are recognised without this."""

    user: Text | None = None
    time: Text | None = None
    event: Text | None = None
    session: Text | None = None
    anonymous: Text | None = Field(None, description="id of a visitor who is not logged in; never guessed")
    id: Text | None = Field(None, description="id of an event; of rows of one user with the same id one counts")


class Events(Model):
    """How the events are to be read."""

    columns: Columns = Columns()
    time_format: TimeFormat | None = None
    timezone: TimeZone = "UTC"
    earliest: Moment = Field("1990-01-01T00:00:00Z", description="a row of an earlier time is rejected")
    session_timeout: Duration = parse_duration("30m")
    where: Match | None = None
    layout: Text | None = Field(
        None, description="which tool the export is of; told by its fields where it is not given"
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="between the fields of CSV"
    )
    encoding: Text | None = Field(None, description="of text files, such as latin-1; UTF-8, or told by the file")
    duplicates: Literal["keep", "drop"] = Field(
        "keep", description="whether rows that are the same in every column count once"
    )


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

    @property
    def need_all_events(self) -> bool:
        """Whether events that no goal names matter: for where a session ends, and for what lies between two steps."""
        return self.need_sessions or any(funnel.order == "strict" for funnel in self.funnels.values())


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

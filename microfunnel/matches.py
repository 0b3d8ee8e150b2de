"""Conditions on one event, as the goals file writes them."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from microfunnel.goal_values import Number, OneOrMany, Regex, Value, Values, either, mistake


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

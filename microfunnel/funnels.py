"""Funnels as the goals file writes them: steps in a row, and how they are counted."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from microfunnel.goal_values import (
    Count,
    Duration,
    Name,
    Number,
    Text,
    Value,
    Values,
    Window,
    either,
    mistake,
    one_or_many,
    parse_duration,
)
from microfunnel.matches import Condition, Model
from microfunnel.wording import quoted

SEGMENT_VALUES = ("entry", "first", "last", "all_steps")
AT_STEP = "step:"
UNITS = ("users", "sessions", "attempts")
COUNTED = "users, sessions, attempts or a list of columns, such as [user_id, order_id]"
CLASHES: tuple[tuple[str, str, Mapping[str, str | bool]], ...] = (
    ("order", "any", {"open": True}),
    ("count", "attempts", {"open": True, "entry": "first", "on_exclusion": "drop"}),
)
"""An option, a value of it, and the values of other options that it goes without."""


def _segment_value(value: str) -> str:
    if value not in SEGMENT_VALUES and not (value.startswith(AT_STEP) and value != AT_STEP):
        raise mistake("expected entry, first, last, all_steps or step:GOAL", known=list(SEGMENT_VALUES))
    return value


def _unit(value: object) -> object:
    if value not in UNITS:
        raise mistake(f"expected {COUNTED}", known=list(UNITS))
    return value


def _each_once(columns: list[str]) -> list[str]:
    if len(set(columns)) < len(columns):
        raise PydanticCustomError("condition", "the same column stands here twice")
    return columns


def _two_steps(value: object) -> object:
    expected = "expected two steps, such as [add_to_cart, purchase]"
    if not isinstance(value, list):
        raise mistake(expected)
    if len(value) != len(("from", "to")):
        raise PydanticCustomError("condition", expected)
    return value


SegmentValue = Annotated[
    Text,
    AfterValidator(_segment_value),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(SEGMENT_VALUES)}|{AT_STEP}.+)$"}),
]
Unit = Annotated[
    Annotated[Literal["users", "sessions", "attempts"], BeforeValidator(_unit), Tag("<plain>")]
    | Annotated[Values, AfterValidator(_each_once), Tag("<list>")],
    either(COUNTED),
]
Columns = Annotated[
    Annotated[Value, Tag("<plain>")] | Annotated[Values, AfterValidator(_each_once), Tag("<list>")],
    either("a column or a list of columns"),
]
TwoSteps = Annotated[list[Text], Field(min_length=2, max_length=2), BeforeValidator(_two_steps)]


class Step(Model):
    """A step of a funnel: a goal by its name, any of several goals, or a match of its own with a name."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["goal"]}, {"required": ["any"]}, {"required": ["name", "match"]}],
        }
    )

    goal: Text | None = None
    any_: Values | None = Field(None, alias="any", description="names of goals, of which one is enough")
    name: Name | None = None
    match: Condition | None = None
    within: Duration | None = Field(None, description="at most so long after the previous step")
    after: Duration | None = Field(None, description="at least so long after the previous step")
    optional: bool = Field(default=False, description="counted between its neighbours; skipping it loses nobody")

    @model_validator(mode="after")
    def _one_condition(self) -> "Step":
        if sum(given is not None for given in (self.goal, self.any_, self.match)) != 1:
            raise PydanticCustomError("condition", "expected either `goal`, `any` or a `match` with a `name`")
        if self.match is not None and self.name is None:
            raise PydanticCustomError("condition", "a step with its own `match` needs a `name`")
        if self.within is not None and self.after is not None and self.after > self.within:
            raise PydanticCustomError("condition", "`after` is longer than `within`: nobody can reach this step")
        return self

    @property
    def goals(self) -> list[str]:
        """The names of the goals that complete it; none where it has a match of its own."""
        return [self.goal] if self.goal is not None else list(self.any_ or ())

    @property
    def label(self) -> str:
        """The name that the reports show."""
        return self.name or " or ".join(self.goals)


class Breakdown(Model):
    """A column, or several at once, that split the units of a funnel into segments."""

    column: Columns
    value: SegmentValue = "entry"
    bins: Annotated[list[Number], Field(min_length=1)] | None = Field(None, description="limits between numbers")
    top: Count = Field(10, description="segments kept apart; the rest is (other)")

    @model_validator(mode="after")
    def _bins_of_one(self) -> "Breakdown":
        if self.bins is not None and len(self.columns) > 1:
            raise PydanticCustomError("condition", "`bins` go with one column")
        if self.bins is not None and any(low >= high for low, high in pairwise(self.bins)):
            raise PydanticCustomError("condition", "`bins` rise from each limit to the next")
        return self

    @property
    def columns(self) -> list[str]:
        """The fields, whose values are taken together from one event."""
        return [self.column] if isinstance(self.column, str) else self.column

    @property
    def step(self) -> str | None:
        """The label of the step whose event has the value, where one is named."""
        return self.value.removeprefix(AT_STEP) if self.value.startswith(AT_STEP) else None

    @property
    def name(self) -> str:
        """How the reports call it, unique among the ways to split by the same columns."""
        return _breakdown_name(self.columns, self.value)


class Exclusion(Model):
    """Events that end an attempt where they lie strictly between two steps."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["goal"]}, {"required": ["match"]}]})

    goal: Text | None = None
    match: Condition | None = None
    between: TwoSteps | None = Field(None, description="the steps by their names; without it the whole funnel")

    @model_validator(mode="after")
    def _one_condition(self) -> "Exclusion":
        if (self.goal is None) == (self.match is None):
            raise PydanticCustomError("condition", "expected either `goal` or `match`")
        return self


def _goal_by_name(value: object) -> object:
    return {"goal": value} if isinstance(value, str) else value


def _column_by_name(value: object) -> object:
    return {"column": value} if isinstance(value, str | list) else value


StepOrGoal = Annotated[Step, BeforeValidator(_goal_by_name, json_schema_input_type=Text | Step)]
BreakdownOrColumn = Annotated[
    Breakdown,
    BeforeValidator(
        _column_by_name, json_schema_input_type=Text | Annotated[list[Text], Field(min_length=1)] | Breakdown
    ),
]
Breakdowns = Annotated[
    list[BreakdownOrColumn],
    BeforeValidator(one_or_many, json_schema_input_type=BreakdownOrColumn | list[BreakdownOrColumn]),
]


class Funnel(Model):
    """Goals in a row, and how they are counted."""

    steps: Annotated[list[StepOrGoal], Field(min_length=1)]
    window: Window = parse_duration("7d")
    order: Literal["ordered", "strict", "any"] = "ordered"
    ignore: Values | None = Field(None, description="events that may lie between the steps in strict order")
    exclude: list[Exclusion] = []
    on_exclusion: Literal["end", "drop"] = "end"
    open: bool = Field(default=False, description="a unit may enter at any step")
    count: Unit = "users"
    entry: Literal["best", "first"] = "best"
    ties: Literal["any", "increasing"] = "any"
    by: Breakdowns = []

    @model_validator(mode="after")
    def _options_that_fit(self) -> "Funnel":
        if found := list(misfits(self.model_dump(by_alias=True))):
            raise ValidationError.from_exception_data(
                "Funnel",
                [
                    InitErrorDetails(type=PydanticCustomError("condition", message), loc=place, input=None)
                    for place, message in found
                ],
            )
        return self

    @property
    def unit_columns(self) -> list[str]:
        """The columns whose values together make a unit; none for users, sessions and attempts."""
        return [] if isinstance(self.count, str) else self.count

    @property
    def labels(self) -> list[str]:
        """What the reports call the steps; in any order it is said how many were done, not which."""
        if self.order == "any":
            return [f"any {number} of {len(self.steps)}" for number in range(1, len(self.steps) + 1)]
        return [step.label for step in self.steps]

    @property
    def closes(self) -> bool:
        """Whether an attempt has an end after which it can't go on; a session ends, also without a window."""
        return self.window is not None or self.count == "sessions"


Misfit = tuple[tuple[str | int, ...], str]


def misfits(funnel: Mapping[str, Any]) -> Iterator[Misfit]:
    """The options of a funnel that do not go together: the place of each in it, and what is wrong.

    `funnel` is what a file says, checked or not, so that other mistakes hide none of these.
    """
    for option, value, others in CLASHES:
        for other, unfit in others.items():
            if funnel.get(option) == value and funnel.get(other) == unfit:
                clash = other if unfit is True else f"{other}: {unfit}"
                yield (other,), f"`{option}: {value}` goes without `{clash}`"
    order = str(funnel.get("order", "ordered"))
    if funnel.get("ignore") is not None and order in {"ordered", "any"}:
        yield ("ignore",), "`ignore` is for `order: strict`"
    yield from _step_misfits(_blocks(funnel.get("steps")), order)
    if order == "any":
        for index, exclusion in enumerate(_blocks(funnel.get("exclude"))):
            if exclusion.get("between") is not None:
                yield ("exclude", index, "between"), "`order: any` goes without `between`"
    yield from _breakdown_misfits(_blocks(one_or_many(funnel.get("by"))), order)


def _step_misfits(steps: Sequence[Mapping[str, Any]], order: str) -> Iterator[Misfit]:
    for index, step in enumerate(steps):
        limits = [key for key in ("within", "after") if step.get(key) is not None]
        optional = ["optional"] if step.get("optional") is True else []
        if order == "any":
            yield from ((("steps", index, key), f"`order: any` goes without `{key}`") for key in [*optional, *limits])
        elif optional and not index:
            yield ("steps", 0, "optional"), "the first step can't be optional: it is the entry"
        elif optional and limits:
            yield ("steps", index, limits[0]), "an optional step goes without `within` and `after`"


def _breakdown_misfits(by: Sequence[Mapping[str, Any]], order: str) -> Iterator[Misfit]:
    first: dict[str, int] = {}
    for index, breakdown in enumerate(by):
        columns, value = one_or_many(breakdown.get("column")), breakdown.get("value", "entry")
        if order == "any" and str(value).startswith(AT_STEP):
            yield ("by", index, "value"), "`order: any` goes without `step:GOAL`: each event can serve any step"
        if isinstance(columns, list) and all(isinstance(column, str) for column in columns):
            name = _breakdown_name(columns, str(value))
            if (earlier := first.setdefault(name, index)) != index:
                yield ("by", index), f"by {earlier + 1} splits by {quoted(name)} too; leave one of them out"


def _breakdown_name(columns: Sequence[str], value: str) -> str:
    return ", ".join(columns) + ("" if value == "entry" else f" ({value})")


def _blocks(value: object) -> list[Mapping[str, Any]]:
    """A list of blocks, of which some may be written short; anything else is another one's mistake."""
    whole = map(_column_by_name, value) if isinstance(value, list) else ()
    return [each if isinstance(each, Mapping) else {} for each in whole]

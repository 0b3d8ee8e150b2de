"""Micro goals against macro goals: how many went on to a macro goal, with the micro goal and without."""

from dataclasses import dataclass
from fractions import Fraction

from microfunnel.accounts import EventsResult
from microfunnel.results import Rate
from microfunnel.significance import difference, difference_interval, is_found, phi, ratio

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Effect:
    """The users who had done something before a macro goal, against all others that are compared."""

    done: int
    """Users who did it at any moment."""
    followed: Rate
    """Of those who had done it before, those whose macro goal followed."""
    without: Rate
    """Of all others, those who reached the macro goal."""
    value: int | None
    """What all completions of the macro goal by the converted are worth, millionths; None where it has no value."""
    p: float | None
    """How often chance alone would make the two rates differ so much; None where nothing is tested."""
    q: float | None
    """The share of false ones among all effects of the report that are as sure as this."""

    @property
    def converted(self) -> int:
        return self.followed.part + self.without.part

    @property
    def reach(self) -> Rate:
        """Of the compared users, those who had done it before."""
        return Rate(self.followed.whole, self.followed.whole + self.without.whole)

    @property
    def recall(self) -> Rate:
        """Of the converted, those who had done it before."""
        return Rate(self.followed.part, self.converted)

    @property
    def by_all_converted(self) -> bool:
        return self.recall.value == 1

    @property
    def is_one_sided(self) -> bool:
        """Whether all converted had done it, or all who had not done it converted: a step, or a lack of time."""
        return self.by_all_converted or self.without.value == 1

    @property
    def difference(self) -> float | None:
        return difference(self.followed, self.without)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference (Newcombe)."""
        return difference_interval(self.followed, self.without)

    @property
    def ratio(self) -> float | None:
        return ratio(self.followed, self.without)

    @property
    def phi(self) -> float | None:
        return phi(self.followed, self.without)

    @property
    def expected_value(self) -> float | None:
        """What a user who has done it is worth: the rate times what a converted user is worth."""
        return self._worth(_exact(self.followed))

    @property
    def incremental_value(self) -> float | None:
        """The same by which it differs from the others: the difference times what a converted user is worth."""
        rate, other = _exact(self.followed), _exact(self.without)
        return None if rate is None or other is None else self._worth(rate - other)

    def _worth(self, rate: Fraction | None) -> float | None:
        if rate is None or self.value is None or not self.converted:
            return None
        return float(rate * Fraction(self.value, self.converted * MICROS))

    @property
    def is_found(self) -> bool:
        """Whether chance alone would hardly make it."""
        return is_found(self.q)

    @property
    def at_least(self) -> float:
        """The end of the interval that is nearer to 0, with its sign; 0 where 0 lies inside."""
        low, high = self.interval or (0.0, 0.0)
        return max(low, 0.0) + min(high, 0.0)


def _exact(rate: Rate) -> Fraction | None:
    return Fraction(rate.part, rate.whole) if rate.whole else None


@dataclass(frozen=True, slots=True)
class GoalEffect:
    """A micro goal of the goals file."""

    goal: str
    kind: str
    effect: Effect

    @property
    def structural(self) -> bool:
        """Whether it is a step that all who converted had taken, so that its effect is no finding."""
        return self.kind == "milestone" and self.effect.by_all_converted


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is no goal yet: a name of events, or a value of a column."""

    field: str
    """`event`, or the column."""
    value: str
    effect: Effect

    @property
    def weight(self) -> float:
        """By how much the rate of all users differs at least through those who did it: effect times reach."""
        return abs(self.effect.at_least) * (self.effect.reach.value or 0.0)

    @property
    def is_worth_a_goal(self) -> bool:
        return self.effect.is_found and self.effect.at_least > 0


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may become a goal, against one macro goal."""

    shown: tuple[Candidate, ...]
    """The best of the tested: those that are no chance first, and of these the weightiest."""
    tested: int
    untested: tuple[Candidate, ...]
    """The one-sided ones; those with the largest reach first."""
    least: int
    """Users who must have done something, and as many who must not, for it to be looked at."""


@dataclass(frozen=True, slots=True)
class MacroEffects:
    """All that is compared against one macro goal."""

    macro: str
    conversion: Rate
    """Of the users that are compared, those who reached it."""
    early: int
    """Users who are left out because they had reached it by the age of the landmark; without one, with their first
    event, before which nothing can be."""
    young: int
    """Users who are left out because they were not observed up to that age."""
    value: int | None
    """What the completions of the converted are worth, millionths; None where the goal has no value."""
    goals: tuple[GoalEffect, ...]
    candidates: Candidates | None
    """None where nobody asked for them."""

    @property
    def mean_value(self) -> float | None:
        """What a converted user is worth."""
        converted = self.conversion.part
        return None if self.value is None or not converted else float(Fraction(self.value, converted * MICROS))

    @property
    def best(self) -> GoalEffect | None:
        """The goal with the surest large effect, a sign of interest rather than a step; None if none is sure."""
        sure = [each for each in self.goals if each.effect.is_found]
        return max(sure, key=lambda each: (each.kind == "secondary", abs(each.effect.at_least)), default=None)


@dataclass(frozen=True, slots=True)
class Effects:
    """The scorecard of micro goals."""

    events: EventsResult
    landmark: int | None
    """The age at which users are compared, in microseconds; None where all are, whenever they converted."""
    columns: tuple[str, ...] | None
    """Whose values were looked at for candidates; None where nobody asked for these."""
    macros: tuple[MacroEffects, ...]
    goal_names: tuple[str, ...]
    """Of all goals of the goals file."""

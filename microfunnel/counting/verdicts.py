"""What each event of a unit meant for the journeys that were counted: words for people, after the counting is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from microfunnel.counting.attempts import EXCLUDED, INTERRUPTED
from microfunnel.counting.serving import UnitEvent
from microfunnel.explanations import Verdict
from microfunnel.funnels import Funnel


@dataclass(frozen=True, slots=True)
class Way:
    """A counted journey, with the events that it took; times in microseconds since 1970 UTC."""

    entry: int
    """The number of the event with which it began."""
    entered: int
    stop: int
    """Why it went no farther, an index of STOPS."""
    ended: int | None
    """When nothing could follow any more."""
    served: Mapping[int, tuple[int, ...]]
    """The steps (0 for the first) that events, by their number, served."""
    took: Mapping[int, int]
    """When each step was taken."""

    def over_at(self, time: int) -> bool:
        """Whether an exclusion or a stranger had ended it by then."""
        return self.stop in {EXCLUDED, INTERRUPTED} and self.ended is not None and time >= self.ended


@dataclass(frozen=True, slots=True)
class Judge:
    """Says what an event meant for the journeys of its unit."""

    funnel: Funnel
    required: Sequence[int]
    """The steps (0 for the first) that a journey has to take."""
    ways: Sequence[Way]
    """In order of entry."""
    since: int | None
    until: int | None
    dropped: bool
    """Whether an exclusion left the unit out of every step."""

    def verdicts(self, event: UnitEvent) -> tuple[Verdict, ...]:
        """What became of the event; several verdicts only where it served several steps, all but one optional."""
        served = [self._served(event, step, way) for way in self.ways for step in way.served.get(event.number, ())]
        if served:
            return tuple(served)
        if not self.ways:
            return (self._uncounted(event),)
        way = self._way_at(event.time)
        ending = self._ending(event, way)
        if ending is not None or not event.steps:
            return (ending or _of_no_step(event),)
        return (self._beside_any(event, way) if self.funnel.order == "any" else self._beside(event, way),)

    def _way_at(self, time: int) -> Way:
        """The journey that was on its way, or the last one before, or else the first one after."""
        entered = [way for way in self.ways if way.entered <= time]
        return entered[-1] if entered else self.ways[0]

    def _verdict(self, code: str, step: int | None = None, waited: int | None = None, us: int | None = None) -> Verdict:
        """The verdict on a step, or on the step that it waited for."""
        named = step if waited is None else waited
        return Verdict(
            code,
            step=None if step is None else step + 1,
            goal=None if named is None else self.funnel.steps[named].label,
            seconds=None if us is None else us / 1_000_000,
        )

    def _served(self, event: UnitEvent, step: int, way: Way) -> Verdict:
        if self.funnel.steps[step].optional:
            return self._verdict("optional_taken", step)
        is_entry = event.number == way.entry if self.funnel.order == "any" else step == min(way.took)
        return self._verdict("entry" if is_entry else "taken", step)

    def _can_enter(self, event: UnitEvent) -> bool:
        anywhere = self.funnel.open or self.funnel.order == "any"
        return any(step in event.steps for step in (self.required if anywhere else self.required[:1]))

    def _outside(self, time: int) -> str | None:
        """Why an entry of that time does not count, where it does not."""
        if self.since is not None and time < self.since:
            return "before_since"
        return "after_until" if self.until is not None and time >= self.until else None

    def _uncounted(self, event: UnitEvent) -> Verdict:
        """Of an event whose unit has no journey."""
        step = min(event.steps, default=None)
        if self.dropped and (event.steps or event.excludes):
            return self._verdict("drops" if event.excludes and not event.steps else "dropped", step)
        if self._can_enter(event) and (outside := self._outside(event.time)):
            return self._verdict(outside, step)
        return self._verdict("no_entry", step) if event.steps else _of_no_step(event)

    def _beside(self, event: UnitEvent, way: Way) -> Verdict:
        """Of an event that fits a step, and that the journey passed by."""
        upcoming = self._upcoming(event.time, way)
        if upcoming in event.steps and event.time >= way.entered:
            return self._not_taken(event.time, way, upcoming)
        if self._can_enter(event):
            return self._verdict(self._other_entry(event.time, way), self._entered_at(event))
        if event.time < way.entered:
            return self._verdict("before_entry", min(event.steps))
        return self._out_of_turn(event, way, upcoming)

    def _ending(self, event: UnitEvent, way: Way) -> Verdict | None:
        """How the event ended the journey, if it did."""
        if event.time != way.ended or way.stop not in {EXCLUDED, INTERRUPTED}:
            return None
        upcoming = self._upcoming(event.time, way)
        guards = event.excludes if way.stop == EXCLUDED else event.interrupts
        if upcoming not in guards and not (guards and self.funnel.order == "any"):
            return None
        return self._verdict("excluded" if way.stop == EXCLUDED else "interrupts", waited=upcoming)

    def _entered_at(self, event: UnitEvent) -> int:
        return min(step for step in event.steps if step in self.required)

    def _upcoming(self, time: int, way: Way) -> int | None:
        """The step that the journey waited for at that time; of several taken then, none is waited for any more."""
        if self.funnel.order == "any":
            return None
        late = [step for step in self.required if step >= min(way.took) and way.took.get(step, time + 1) > time]
        return late[0] if late else None

    def _not_taken(self, time: int, way: Way, step: int | None) -> Verdict:
        """Why an event was not taken for the very step that the journey waited for."""
        if step is None or way.over_at(time):
            return self._verdict("after_end", step)
        wish = self.funnel.steps[step]
        previous = way.took[max(each for each in self.required if each < step)]
        closes = None if self.funnel.window is None else way.entered + self.funnel.window
        limit = None if wish.within is None else previous + wish.within
        if closes is not None and time > closes and (limit is None or closes <= limit):
            return self._verdict("too_late", step, us=time - closes)
        if limit is not None and time > limit:
            return self._verdict("too_late_within", step, us=time - limit)
        if wish.after and time < previous + wish.after:
            return self._verdict("too_soon", step, us=wish.after)
        return self._verdict("same_instant" if self.funnel.ties == "increasing" else "left_aside", step)

    def _other_entry(self, time: int, way: Way) -> str:
        """Why an event that could have been the entry was not."""
        if outside := self._outside(time):
            return outside
        if self.funnel.count == "attempts":
            return "overlaps"
        if time == way.entered:
            return "other_entry"
        if self.funnel.entry == "first":
            return "not_first"
        return "later_counted" if time < way.entered else "earlier_counted"

    def _out_of_turn(self, event: UnitEvent, way: Way, upcoming: int | None) -> Verdict:
        """Of an event for a step that was already taken, or not yet to be taken."""
        taken = [step for step in event.steps if way.took.get(step, event.time + 1) <= event.time]
        if way.ended is not None and event.time > way.ended:
            return self._verdict("after_end", max(event.steps))
        if taken:
            return self._verdict("taken_now" if way.took[taken[-1]] == event.time else "taken_before", taken[-1])
        later = [step for step in event.steps if step in self.required]
        if later:
            return self._verdict("missing", later[-1], waited=upcoming)
        return self._verdict("not_between", min(event.steps))

    def _beside_any(self, event: UnitEvent, way: Way) -> Verdict:
        """The same where steps have no order, and each is an entry."""
        if event.time < way.entered:
            return self._verdict(self._other_entry(event.time, way), min(event.steps))
        undone = [step for step in event.steps if step not in way.took]
        if undone and self.funnel.window is not None and not way.over_at(event.time):
            return self._verdict("too_late", undone[0], us=event.time - way.entered - self.funnel.window)
        if way.ended is not None and event.time > way.ended:
            return self._verdict("after_end", min(event.steps))
        return self._verdict("taken_before", min(event.steps))


def _of_no_step(event: UnitEvent) -> Verdict:
    return Verdict("spared" if event.excludes else "no_step")

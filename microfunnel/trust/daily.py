"""What the counts of single days tell: days without events, days that are cut, event names that vanish for days."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise
from statistics import median

import polars as pl

LEAST_DAYS = 5
"""Fewer days with events do not say what is usual."""
LEAST_MISSED = 100
"""So many events usually come on days that have none, or on a day that is cut; fewer may stay away by chance."""
LEAST_MISSED_OF_NAME = 20
LEAST_DAYS_GONE = 2
MOST_PAUSES = 3
"""Of one event name; more say no more."""
LONGEST_PAUSE = 31
"""Days: what lies beyond a longer pause does not say what is usual."""
EARLIER = timedelta(hours=1)
FAR_FEWER = 0.75
ONE_DAY = timedelta(days=1)

Run = Sequence[date]
"""Days one after the other."""


@dataclass(frozen=True, slots=True)
class Day:
    """The events of a day; times as the clocks of its time zone show them."""

    n: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class CutDay:
    """The first day of a log, or its last one, where a part of it is missing."""

    day: date
    n: int
    moment: datetime
    """Where its events begin, or end."""
    others: timedelta
    """The time of day at which those of each other day have begun, or go on."""
    is_last: bool


@dataclass(frozen=True, slots=True)
class Vanished:
    """An event name that does not occur on some days."""

    event: str
    gone: Run
    days: int
    """So many other days have events."""


class Days:
    """The days of a log that have events."""

    def __init__(self, days: pl.DataFrame) -> None:
        """`days` as `Noticed` has them."""
        # In some time zones the first and the last day that calendars name are beyond them.
        nameable = days.filter(pl.col("day").dt.year().is_between(2, 9998))
        known = {day: Day(n, first, last) for day, n, first, last in nameable.iter_rows()}
        self.parts = _runs(list(known), LONGEST_PAUSE * ONE_DAY)
        """The days with events, parted where a long pause is between them."""
        main = max(self.parts, key=lambda part: sum(known[day].n for day in part), default=[])
        self.active = {day: known[day] for day in main}
        """Those of the part that has most events."""
        self._counts = {day: known[day].n if day in known else 0 for day in _between(main)}
        self.are_all = bool(known) and all(
            day.first == day.last and day.first.time() == time() for day in known.values()
        )
        """Whether times are dates alone."""

    @property
    def tell(self) -> bool:
        """Whether there are enough of them to say what is usual."""
        return len(self.active) >= LEAST_DAYS

    def empty(self) -> list[Run]:
        """The days without any event, where that is unusual."""
        if not self.tell:
            return []
        found: list[Run] = []
        most = max(self._counts.values())
        for gap in _runs([day for day, n in self._counts.items() if not n]):
            if len(gap) * most < LEAST_MISSED:
                continue
            usual = {day: _usual(day, self._counts, gap) for day in gap}
            if sum(usual.values()) >= LEAST_MISSED:
                found.append([day for day in gap if usual[day]])
        if median(day.n for day in self.active.values()) >= LEAST_MISSED:
            found += [[one[-1] + ONE_DAY, other[0] - ONE_DAY] for one, other in pairwise(self.parts)]
        return sorted(found, key=lambda days: days[0])

    def cut(self) -> list[CutDay]:
        """The first and the last day, each where it is cut."""
        if not self.tell:
            return []
        (first, begin), *inner, (last, end) = self.active.items()
        begun = max(day.first - _midnight(date) for date, day in inner)
        ended = min(day.last - _midnight(date) for date, day in inner)
        found = []
        if begin.first - _midnight(first) > begun + EARLIER and self._is_short(first):
            found.append(CutDay(first, begin.n, begin.first, begun, is_last=False))
        if end.last - _midnight(last) < ended - EARLIER and self._is_short(last):
            found.append(CutDay(last, end.n, end.last, ended, is_last=True))
        return found

    def vanished(self, events_by_day: pl.DataFrame) -> list[Vanished]:
        """Event names that come on most days and then not for some, while others do; the table is that of `Noticed`."""
        if not self.tell:
            return []
        found = []
        often = events_by_day.filter(
            pl.col("day").is_in(list(self.active)), pl.col("n").sum().over("event") >= LEAST_MISSED_OF_NAME
        )
        for (event,), rows in sorted(often.partition_by("event", as_dict=True).items()):
            counts = dict.fromkeys(self.active, 0) | dict(rows.select("day", "n").iter_rows())
            if rows.height * 2 >= len(counts):
                usual = _Means(counts)
                pauses = _pauses(counts)
                missed = (gone for gone in pauses if self._missed(usual.on(gone), gone) >= LEAST_MISSED_OF_NAME)
                found += [Vanished(str(event), gone, len(counts) - len(gone)) for gone in islice(missed, MOST_PAUSES)]
        return found

    def _is_short(self, day: date) -> bool:
        usual = _usual(day, self._counts, [day])
        return usual >= LEAST_MISSED and self._counts[day] < FAR_FEWER * usual

    def _missed(self, means: Mapping[date, float], gone: Run) -> float:
        """How many would have come on these days, by other days, and by how many other events came."""
        if sum(means[day] for day in gone) < LEAST_MISSED_OF_NAME:
            return 0
        whole = {day: _usual(day, self._counts, gone) for day in gone}
        return sum(means[day] * min(1.0, self._counts[day] / whole[day]) for day in gone if whole[day])


class _Means:
    """What is usual of an event name on days on which it did not come."""

    def __init__(self, counts: Mapping[date, int]) -> None:
        self._days = Counter(day.weekday() for day in counts)
        self._rows: Counter[int] = Counter()
        for day, n in counts.items():
            self._rows[day.weekday()] += n

    def on(self, gone: Run) -> dict[date, float]:
        """For each of these days the mean of its weekday on the other days, or else of all of them."""
        others = self._days - Counter(day.weekday() for day in gone)
        overall = self._rows.total() / others.total()
        return {
            day: self._rows[weekday] / others[weekday] if others[weekday := day.weekday()] else overall for day in gone
        }


def _pauses(counts: Mapping[date, int]) -> Iterator[Run]:
    """The days in a row, leaving out those without any event, that have none of these, after some that have."""
    days = list(counts)
    place = {day: i for i, day in enumerate(days)}
    gone: list[date] = []
    for day in [*days, None]:
        if day is not None and not counts[day]:
            gone.append(day)
            continue
        if len(gone) >= LEAST_DAYS_GONE and place[gone[0]]:
            yield gone
        gone = []


def _usual(day: date, counts: Mapping[date, int], apart: Collection[date]) -> float:
    """What is usual on a day: the median of that weekday in other weeks, or else of all days but those `apart`."""
    others = {other: n for other, n in counts.items() if other not in apart}
    alike = [n for other, n in others.items() if other.weekday() == day.weekday()]
    return median(alike or list(others.values()) or [0])


def _runs(days: Sequence[date], step: timedelta = ONE_DAY) -> list[Run]:
    """The days, parted where they are farther from each other than `step`."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] <= step:
            runs[-1].append(day)
        else:
            runs.append([day])
    return list(runs)


def _between(days: Sequence[date]) -> list[date]:
    """All days from the first to the last."""
    return [days[0] + i * ONE_DAY for i in range((days[-1] - days[0]).days + 1)] if days else []


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())

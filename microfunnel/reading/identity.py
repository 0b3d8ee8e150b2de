"""One person behind several ids: events before a log-in belong to the user that the anonymous id later showed.

Wherever a row has both ids, it links them. An anonymous id belongs to the user of its earliest such row, all its events
before and after included; a row that names a user itself belongs to that user. Links are followed to their end: where
the user of one row is the anonymous id of another, all of it is one person. Ids that never show a user stay what they
are.
"""

from collections.abc import Sequence

import polars as pl

ID = "id"
PERSON = "person"
ANONYMOUS = "anonymous text"
USER_TEXT = "user text"
TIME = "time"
LONGEST_WAY = 20
"""Links that are followed one after the other."""


def people(links: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """One row for each anonymous id that belongs to somebody: `id` and `person` (String).

    Each of `links` holds `anonymous text`, `user text` (String) and `time` (Int64) of rows that have all three.
    """
    earliest = pl.col(USER_TEXT).sort_by(TIME, USER_TEXT).first().alias(PERSON)
    known = pl.concat(links).filter(pl.col(ANONYMOUS) != pl.col(USER_TEXT)).group_by(pl.col(ANONYMOUS).alias(ID))
    found = known.agg(earliest).collect(engine="streaming")
    next_of = found.select(pl.col(ID).alias(PERSON), pl.col(PERSON).alias("further"))
    for _ in range(LONGEST_WAY):
        led = found.join(next_of, on=PERSON, how="left")
        if led["further"].null_count() == led.height:
            return found
        found = led.select(ID, pl.coalesce("further", PERSON).alias(PERSON))
    # Only a circle has no end; everybody on it, and whoever it was reached from, is its smallest id.
    circles = dict(next_of.iter_rows())
    ends = [_smallest_on_circle(person, circles) for person in found[PERSON]]
    return found.with_columns(pl.Series(PERSON, ends, dtype=pl.String)).filter(pl.col(ID) != pl.col(PERSON))


def _smallest_on_circle(person: str, next_of: dict[str, str]) -> str:
    way = [person]
    while (following := next_of.get(way[-1])) is not None and following not in way:
        way.append(following)
    return way[-1] if following is None else min(way[way.index(following) :])

"""Events that are looked at together, each name on its own but for paths of one beginning: who did them, and when."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.duplicates import without_duplicates
from microfunnel.events import TIME, USER
from microfunnel.inspecting.acts import CODE, EVENTS, USERS, tally
from microfunnel.inspecting.inspection import Survey
from microfunnel.proposals import Act

LONGEST_NAME = 500
"""Characters of a name that is worth a goal."""
ENOUGH_PATHS = 4
"""Paths of one beginning from which on a pattern stands for them."""
PATH = re.compile(r"^((?:[A-Z]+ )?/[^/?#*]+)/")
SOME_USERS = 500_000
"""The lives of at least so many, where there are more, tell the ways of all: who they are is a matter of chance."""
GROUP = "group"
FIRST = "first"


@dataclass(frozen=True, slots=True)
class Groups:
    """Names of events that are looked at together."""

    acts: tuple[Act, ...]
    """Of each what it is, without numbers."""
    codes: pl.DataFrame
    """`code` to `group`, the place in `acts` (UInt32)."""


def grouped(names: Sequence[str]) -> Groups:
    """The groups of these names of events, each at the place of its code."""
    place = {name: code for code, name in enumerate(names)}
    beginnings: dict[str, list[str]] = {}
    for name in names:
        if path := PATH.match(name):
            beginnings.setdefault(path[1], []).append(name)
    patterns = {name: start for start, paths in beginnings.items() if len(paths) >= ENOUGH_PATHS for name in paths}
    keys: dict[str, Act] = {}
    codes: list[tuple[int, int]] = []
    order: dict[str, int] = {}
    for name in sorted(name for name in names if len(name) <= LONGEST_NAME):
        start = patterns.get(name)
        key = name if start is None else f"{start}/*"
        if key not in order:
            order[key] = len(order)
            keys[key] = Act(key, start is not None, 0, 0)
        codes.append((place[name], order[key]))
    frame = pl.DataFrame(codes, schema={CODE: pl.UInt32, GROUP: pl.UInt32}, orient="row")
    return Groups(tuple(keys.values()), frame)


def counted(survey: Survey, groups: Groups) -> list[Act]:
    """The acts with the users and the events that each has."""
    is_pattern = pl.col(GROUP).is_duplicated()
    of_names = survey.counts.join(groups.codes.filter(~is_pattern), on=CODE).select(GROUP, USERS, EVENTS)
    counts = added([of_names, *_of_patterns(survey, groups.codes.filter(is_pattern))])
    found = {group: (users, events) for group, users, events in counts.iter_rows()}
    numbers = [found.get(place, (0, 0)) for place in range(len(groups.acts))]
    return [replace(act, users=users, events=events) for act, (users, events) in zip(groups.acts, numbers, strict=True)]


def firsts_of_some(survey: Survey, groups: Groups) -> list[pl.DataFrame]:
    """When SOME_USERS and a few more, or all, did what first: `user`, `group`, `first` (microseconds), of some each."""
    users = 0
    firsts: list[pl.DataFrame] = []
    for partition in survey.partitions:
        if users >= SOME_USERS:
            break
        once, _ = without_duplicates(partition.rows())
        users += once[USER].n_unique()
        coded = once.lazy().join(groups.codes.lazy(), on=CODE)
        firsts.append(coded.group_by(USER, GROUP).agg(pl.col(TIME).min().alias(FIRST)).collect())
    return firsts


def added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The numbers of each group of different users, added up."""
    return pl.concat(parts).group_by(GROUP).agg(pl.all().sum())


def _of_patterns(survey: Survey, codes: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The users and events of groups of several names, of some users each: who did several of them is one user."""
    for partition in survey.partitions if codes.height else ():
        once, _ = without_duplicates(partition.rows())
        yield tally(once.lazy().join(codes.lazy(), on=CODE), GROUP)

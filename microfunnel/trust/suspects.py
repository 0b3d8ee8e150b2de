"""A second look at the events, only where the first one has found something strange."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import polars as pl

from microfunnel.events import USER, EventTable, field_column
from microfunnel.goals import Goal
from microfunnel.matching import match_goals, specific_columns
from microfunnel.queries import collect
from microfunnel.trust.busy import ID, Suspect

EVENT = field_column("event")


@dataclass(frozen=True, slots=True)
class Suspects:
    names: Mapping[str, Suspect]
    """By event name."""
    users: Mapping[int, Suspect]
    """By key."""


def look_again(
    events: EventTable,
    used: pl.Expr,
    named: Mapping[str, Goal],
    names: Collection[str],
    users: Mapping[int, Suspect | None],
) -> Suspects:
    """What the used rows say of these event names and users (by key).

    Nothing is read where there are no names, and where what there is to know of the users is known.
    """
    known = {user: seen for user, seen in users.items() if seen}
    unknown = sorted(users.keys() - known)
    if not names and not unknown:
        return Suspects({}, _with_ids(events, known))
    specific = {column: named[column] for column in specific_columns(named)}
    marked = events.frame.filter(used).with_columns(match_goals(specific))
    id_text = pl.col(ID).min() if ID in events.frame.collect_schema() else pl.lit(None, dtype=pl.String)
    facts = (pl.len().alias("rows"), id_text.alias("id"), *(pl.col(column).any() for column in specific))
    by_name, by_user = collect(
        events,
        marked.filter(pl.col(EVENT).is_in(sorted(names))).group_by(pl.col(EVENT).alias("of")).agg(facts),
        marked.filter(pl.col(USER).is_in(pl.Series(unknown, dtype=pl.UInt64).implode()))
        .group_by(pl.col(USER).alias("of"))
        .agg(facts),
    )
    of_names, of_users = (
        {row["of"]: _suspect(row, specific) for row in found.iter_rows(named=True)} for found in (by_name, by_user)
    )
    return Suspects(of_names, _with_ids(events, known | of_users))


def _with_ids(events: EventTable, users: Mapping[int, Suspect]) -> dict[int, Suspect]:
    """The same with the text of ids that are whole numbers, which only their keys tell."""
    return {user: replace(seen, text=events.whole_id(user) or seen.text) for user, seen in users.items()}


def _suspect(row: Mapping[str, object], specific: Collection[str]) -> Suspect:
    columns = frozenset(column for column in specific if row[column])
    return Suspect(int(str(row["rows"])), columns, None if row["id"] is None else str(row["id"]))

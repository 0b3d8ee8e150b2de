"""From what users did to a funnel worth looking at: the commonest path that ends in a rare, late event.

    ann   view   cart   buy        the end: `buy`, which few do, and late
    ben   view   cart              its steps: what most who did it had done before, in the usual order,
    cid   search view              each by more users than the next: view > cart > buy

The end is rare (done by 0.2 to 40 % of the users) and late (its first time comes after those of most other things that
its users do); words such as `purchase` and money on it speak for it. Of a large log the lives of some users tell what
is late and what comes before; all numbers are those of all users. The same events give the same proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from microfunnel.events import USER
from microfunnel.inspecting.acts import USERS
from microfunnel.inspecting.beside import money_on, others, split
from microfunnel.inspecting.groups import FIRST, GROUP, added, counted, firsts_of_some, grouped
from microfunnel.inspecting.inspection import Survey
from microfunnel.inspecting.words import (
    is_any_view,
    is_beside,
    is_doubtful,
    is_fault,
    is_hopeful,
    is_on_the_way,
    is_strong,
)
from microfunnel.proposals import Act, Proposal

LEAST, MOST = 0.002, 0.4
"""Of all users, those who do the end."""
MANY_USERS = 50
"""With fewer users than this, shares say little."""
MOST_STEPS = 5
MOST_TRIED = 5
FEW = 10
"""Users who do the end, below which chance tells more than they do."""
MAJORITY = 0.5
"""Of those who did the end after anything else, those who had done a step before."""
MINORITY = 0.2
"""The same, where the name of the end says that it is one, or that of the step."""
SOME, MORE = 0.02, 0.3
"""Of those who did the end, those who did anything before; where they are fewer, no way leads to it.

The first for an end whose name says that it is one, the second for any other.
"""
WINDOWS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
COVERED = 0.9
DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Life:
    """How late in the lives of their users things come."""

    lateness: float
    """0 is first of all, 1 last of all."""
    users: int
    """Who did something else too."""


def propose(survey: Survey) -> Proposal:
    """The funnel and the goals to begin with."""
    found = survey.inspection
    groups = grouped(survey.names)
    by = split(found.properties)
    if not groups.acts:
        return Proposal((), (), "7d", by, "there are no events")
    all_users = found.events.users or 0
    acts = [replace(act, money=money_on(act, found.properties)) for act in counted(survey, groups)]
    firsts = firsts_of_some(survey, groups)
    ends = _ends(acts, _lives(firsts), all_users)
    for end in ends[:MOST_TRIED]:
        shares = (MAJORITY, MINORITY) if is_hopeful(acts[end].event) else (MAJORITY,)
        tried = (_steps(acts, end, firsts, share) for share in shares)
        steps, window = next((found for found in tried if found[0]), ([], ""))
        if steps:
            path = tuple(acts[place] for place in (*steps, end))
            return Proposal(path, others(acts, {*steps, end}, all_users), window, by)
    alone = ends[0] if ends else _alone(acts)
    return Proposal((acts[alone],), others(acts, {alone}, all_users), "7d", by, _why_none(acts, all_users))


# --- the end ----------------------------------------------------------------------------------------------------------


def _lives(firsts: Sequence[pl.DataFrame]) -> dict[int, _Life]:
    """How late each group first comes among what its users do."""
    ranked = [
        part.lazy()
        .with_columns(pl.len().over(USER).alias("things"), pl.col(FIRST).rank("average").over(USER).alias("rank"))
        .filter(pl.col("things") > 1)
        .with_columns(((pl.col("rank") - 1) / (pl.col("things") - 1) * 1_000_000).round().cast(pl.Int64).alias("late"))
        .group_by(GROUP)
        .agg(pl.col("late").sum(), pl.len().cast(pl.Int64).alias(USERS))
        .collect()
        for part in firsts
    ]
    sums = added(ranked)
    return {group: _Life(late / users / 1_000_000, users) for group, late, users in sums.iter_rows()}


def _ends(acts: Sequence[Act], lives: Mapping[int, _Life], all_users: int) -> list[int]:
    """What may be the end, the likeliest first."""
    scores: dict[int, float] = {}
    for place, act in enumerate(acts):
        share = act.users / all_users if all_users else 0.0
        if place not in lives or is_beside(act.event) or act.users >= all_users:
            continue
        rare = LEAST <= share <= MOST or (all_users < MANY_USERS and share <= MOST + 0.2)
        hopeful = is_hopeful(act.event)
        if not rare and not (hopeful and share >= LEAST):
            continue
        bonus = (0.5 if hopeful else 0.0) + (0.5 if is_strong(act.event) else 0.0)
        bonus += 0.3 if act.money is not None and hopeful else 0.0
        bonus -= 0.15 if is_doubtful(act.event) else 0.0
        # Of two that come equally late the rarer one is what people hope for, but hardly anybody is no goal.
        scores[place] = (
            lives[place].lateness + bonus - 0.2 * share - (0.5 if act.users < FEW and all_users >= MANY_USERS else 0.0)
        )
    return sorted(scores, key=lambda place: (-scores[place], acts[place].event))


def _alone(acts: Sequence[Act]) -> int:
    """What to hope for where nothing looks like an end: what most users do that is not beside it all."""
    good = [place for place, act in enumerate(acts) if not is_beside(act.event)] or list(range(len(acts)))
    return min(good, key=lambda place: (-acts[place].users, acts[place].event))


def _why_none(acts: Sequence[Act], all_users: int) -> str:
    if len(acts) == 1:
        return "all events have the same name"
    if all_users < 2:  # noqa: PLR2004 - one user is no crowd
        return "all events are of one user"
    return "no event is rare and late, with others that most of its users do before"


# --- the steps to it --------------------------------------------------------------------------------------------------


def _steps(acts: Sequence[Act], end: int, firsts: Sequence[pl.DataFrame], share: float) -> tuple[list[int], str]:
    """The steps before the end in their order, none where there are none, and the window that most need."""
    before = [_before(part, end) for part in firsts]
    sums = added([part.group_by(GROUP).agg(pl.len().alias(USERS), pl.col("late").sum()) for part in before])
    reached = {group: (users, late / users) for group, users, late in sums.select(GROUP, USERS, "late").iter_rows()}
    came = sum(part[USER].n_unique() for part in before)
    ended = sum(part.select((pl.col(GROUP) == end).sum()).item() for part in firsts)
    if came < max((SOME if is_hopeful(acts[end].event) else MORE) * ended, 1):
        return [], "7d"
    usual = {
        place: users
        for place, (users, _) in reached.items()
        if users >= (min(share, MINORITY) if is_on_the_way(acts[place].event) else share) * came
        and acts[place].users > acts[end].users
        and not is_fault(acts[place].event)
    }

    def path(choice: Sequence[int]) -> list[int]:
        ordered = sorted(choice, key=lambda place: (reached[place][1], -acts[place].users, acts[place].event))
        return _shortened(_heaviest(ordered, acts, usual), acts, end)

    good = [place for place in usual if not is_beside(acts[place].event)]
    views = [place for place in usual if is_any_view(acts[place].event)]
    known = path([place for place in good if is_on_the_way(acts[place].event)])
    # One step says little, so a look at any page may come before it.
    choices = [known] if len(known) > 1 else [path(good), path([*good, *views])]
    longest = max(choices, key=len) if len(choices[0]) <= 1 else choices[0]
    found = longest or path(list(usual))
    return found, _window(before, found[0]) if found else "7d"


def _before(part: pl.DataFrame, end: int) -> pl.DataFrame:
    """Of those who did the end: what they had done before it, `late` as a place in their order, and how long before."""
    ended = part.lazy().filter(pl.col(GROUP) == end).select(USER, pl.col(FIRST).alias("end"))
    return (
        part.lazy()
        .filter(pl.col(GROUP) != end)
        .join(ended, on=USER)
        .filter(pl.col(FIRST) <= pl.col("end"))
        .with_columns(
            (pl.col(FIRST).rank("average").over(USER) / pl.len().over(USER) * 1_000_000)
            .round()
            .cast(pl.Int64)
            .alias("late")
        )
        .select(USER, GROUP, "late", (pl.col("end") - pl.col(FIRST)).alias("time"))
        .collect()
    )


def _heaviest(ordered: Sequence[int], acts: Sequence[Act], usual: Mapping[int, int]) -> list[int]:
    """Of these in their order, those that most had done, each done by fewer users than the one before."""
    best: dict[int, tuple[int, list[int]]] = {}
    for place in ordered:
        ways = [best[other] for other in best if acts[other].users > acts[place].users]
        weight, path = max(ways, key=lambda way: (way[0], len(way[1])), default=(0, []))
        best[place] = (weight + usual[place], [*path, place])
    return max(best.values(), key=lambda way: (way[0], len(way[1])), default=(0, []))[1]


def _shortened(path: Sequence[int], acts: Sequence[Act], end: int) -> list[int]:
    """The path without the steps that lose the fewest, until the funnel is short enough to read."""
    kept = list(path)
    while len(kept) >= MOST_STEPS:
        kept_rates = [acts[later].users / acts[earlier].users for earlier, later in pairwise([*kept, end])]
        del kept[max(range(len(kept)), key=lambda place: (kept_rates[place], place))]
    return kept


def _window(before: Sequence[pl.DataFrame], first: int) -> str:
    """The shortest usual window in which most come from the first step to the end."""
    times = pl.concat([part.filter(pl.col(GROUP) == first)["time"] for part in before])
    for window, days in WINDOWS.items():
        if window != "1d" and int((times <= days * DAY).sum()) >= COVERED * len(times):
            return window
    return "none"

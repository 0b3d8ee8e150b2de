"""What is planted in made-up worlds is found, and what is not there is not, as often as q promises.

All 200 worlds of a kind are counted and judged by the program's own functions, from rows that are sorted already; a few
of them also by the whole program, from a file.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import program
import pytest
from scipy.stats import binom

from microfunnel.counting.counts import prepare
from microfunnel.counting.funnels import Limits
from microfunnel.events import TIME, USER, field_column
from microfunnel.findings.effects import Effect, MacroEffects
from microfunnel.goals import Goals
from microfunnel.insights.effects import Search, Wish, _judged, _question, choose_effects
from microfunnel.matching import conditions, match_goals

WORLDS = 200
USERS = 800
GOALS, CANDIDATES = 10, 20
DAY = 86_400_000_000
END = 20 * DAY
BEGIN = 20_454 * DAY
"""The first moment of 2026, for worlds that are written to files."""
ALPHA = 0.05
TRUE = ("e0", f"e{GOALS}")
"""A goal and a candidate that go with buying where a world has an effect."""


@dataclass(frozen=True)
class Kind:
    """A kind of world: users come at random, do things at random times, and buy at random times."""

    effect: float = 1.0
    """By how much likelier somebody buys who did what is true."""
    at_once: bool = False
    """Whether all is done within a day, and bought only later: then nobody has had less time for it."""


FILE: dict[str, Any] = {
    "version": 1,
    "goals": {
        "bought": {"kind": "macro", "match": {"event": "buy"}},
        **{f"e{n}": {"kind": "secondary", "match": {"event": f"e{n}"}} for n in range(GOALS)},
    },
}
GOALS_FILE = Goals.model_validate(FILE)


def world(kind: Kind, seed: int) -> pl.DataFrame:
    """`user`, `time` and `event` of a world; all of its events up to its end."""
    chance = np.random.default_rng((seed, int(kind.effect * 10), kind.at_once))
    first = chance.integers(0, 15 * DAY, USERS)
    many = GOALS + CANDIDATES
    done = chance.exponential(8.0, (USERS, many)) * DAY
    if kind.at_once:
        done = np.where(chance.random((USERS, many)) < 0.25, chance.random((USERS, many)) * DAY, 10 * END)
    early = done[:, [0, GOALS]] <= DAY
    hazard = 0.02 * np.where(early, kind.effect, 1.0).prod(axis=1)
    buys = chance.exponential(1 / hazard) * DAY + (DAY + 1 if kind.at_once else 0)
    events = ["come", *(f"e{n}" for n in range(many)), "buy"]
    ages = np.column_stack([np.zeros(USERS), done, buys]).astype(np.int64)
    times = first[:, None] + np.maximum(ages, (ages > 0).astype(np.int64))
    frame = pl.DataFrame(
        {
            USER: np.repeat(np.arange(USERS, dtype=np.uint64), len(events)),
            TIME: times.ravel(),
            "event": events * USERS,
        }
    )
    return frame.filter(pl.col(TIME) <= END).sort(USER, TIME)


def wish_of(landmark: int | None) -> Wish:
    return choose_effects(GOALS_FILE, [], landmark, Search((), GOALS + CANDIDATES))


def judged(kind: Kind, seed: int, landmark: int | None) -> MacroEffects:
    wish = wish_of(landmark)
    named = conditions(wish.goals)
    rows = world(kind, seed).rename({"event": field_column("event")}).with_columns(match_goals(named))
    limits = Limits(None, None, END, 0)
    question = _question(wish, ())
    (macro,) = _judged(wish, question.count(prepare(rows, wish.goals, named, limits), limits))
    return macro


Found = dict[str, dict[str, Effect]]


@cache
def all_worlds(kind: Kind, landmark: int | None) -> Sequence[Found]:
    """The effects of goals and those of candidates, by event, in each of the worlds."""
    found = []
    for seed in range(WORLDS):
        macro = judged(kind, seed, landmark)
        assert macro.candidates is not None
        candidates = {each.value: each.effect for each in macro.candidates.shown}
        found.append({"goals": {each.goal: each.effect for each in macro.goals}, "candidates": candidates})
    return found


def sure(world: Found, family: str) -> set[str]:
    return {name for name, effect in world[family].items() if effect.is_found}


def at_most(expected: float, worlds: int) -> int:
    """So many of the worlds that more would be a wonder (once in a thousand) if the expected share were true."""
    return int(binom.ppf(0.999, worlds, expected))


KINDS = {"plain": (Kind(at_once=True), None), "landmark": (Kind(), DAY)}


@pytest.mark.parametrize("comparison", KINDS)
def test_where_nothing_is_there_something_is_found_as_rarely_as_q_says(comparison: str) -> None:
    worlds = all_worlds(*KINDS[comparison])
    for family, tests in (("goals", GOALS), ("candidates", CANDIDATES)):
        assert min(sum(effect.q is not None for effect in each[family].values()) for each in worlds) == tests
        wrong = sum(bool(sure(each, family)) for each in worlds)
        assert wrong <= at_most(ALPHA, WORLDS), family


@pytest.mark.parametrize("comparison", KINDS)
def test_what_is_there_is_found_and_few_others(comparison: str) -> None:
    kind, landmark = KINDS[comparison]
    worlds = all_worlds(Kind(3.0, kind.at_once), landmark)
    for family in ("goals", "candidates"):
        found = [sure(each, family) for each in worlds]
        assert sum(bool({*TRUE} & each) for each in found) >= 0.8 * WORLDS, family
        false = [len(each - {*TRUE}) / len(each) if each else 0.0 for each in found]
        assert np.mean(false) <= ALPHA + 3 * np.std(false) / WORLDS**0.5, family


def test_the_plain_comparison_is_biased_where_who_does_not_buy_is_observed_longer_and_the_landmark_is_not() -> None:
    """Nothing goes with buying in these worlds, but who buys soon has no time left to do it before."""
    plain, aged = (all_worlds(Kind(), landmark) for landmark in (None, DAY))
    assert sum(bool(sure(each, "goals")) for each in plain) > 0.9 * WORLDS
    assert mean_difference(plain) < -0.02
    assert abs(mean_difference(aged)) < 0.003
    covered = [contains_zero(effect) for each in aged for effect in each["goals"].values()]
    assert 0.94 <= np.mean(covered) <= 0.97
    assert np.mean([contains_zero(effect) for each in plain for effect in each["goals"].values()]) < 0.5


def mean_difference(worlds: Sequence[Found]) -> float:
    return float(np.mean([effect.difference or 0.0 for each in worlds for effect in each["goals"].values()]))


def contains_zero(effect: Effect) -> bool:
    low, high = effect.interval or (0.0, 0.0)
    return low <= 0 <= high


@pytest.mark.parametrize(("seed", "landmark"), [(0, None), (1, DAY), (2, DAY)])
def test_the_whole_program_finds_the_same(tmp_path: Path, seed: int, landmark: int | None) -> None:
    kind = Kind(3.0)
    rows = world(kind, seed).select(
        pl.format("u{}", USER).alias("user_id"),
        pl.from_epoch(pl.col(TIME) + BEGIN, time_unit="us").alias("timestamp"),
        "event",
    )
    rows.sample(fraction=1, shuffle=True, seed=seed).write_csv(tmp_path / "events.csv")
    # The end of the worlds is known to the functions; the program has to be told, as no event lies just there.
    age = [] if landmark is None else ["--landmark", "1d"]
    (tmp_path / "goals.yaml").write_text(json.dumps(FILE), encoding="utf-8")
    options = ["--goals", "goals.yaml", "--as-of", "2026-01-21", "--candidates", "--top", "50", "--json", *age]
    done = program.run(tmp_path, "effects", "events.csv", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    (macro,) = json.loads(done.stdout)["macros"]
    expected = judged(kind, seed, landmark)
    assert (macro["users"], macro["converted"]) == (expected.conversion.whole, expected.conversion.part)
    assert [(each["goal"], each["q"]) for each in macro["goals"]] == [
        (each.goal, each.effect.q) for each in expected.goals
    ]
    assert expected.candidates is not None
    assert [(each["value"], each["q"]) for each in macro["candidates"]["best"]] == [
        (each.value, each.effect.q) for each in expected.candidates.shown
    ]

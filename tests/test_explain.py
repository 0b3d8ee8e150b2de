"""Every verdict on a log made by hand."""

from typing import Any

import pytest
from strategies import START
from user_logs import SECOND, explained, log, the_unit, verdicts

from microfunnel.errors import InputError
from microfunnel.events import REASONS
from microfunnel.explanations import Explanation, Verdict
from microfunnel.questions import Period
from microfunnel.rendering.verdicts import VERDICTS

# --- every verdict ----------------------------------------------------------------------------------------------------

ABC = ["a", "b", "c"]
EXCLUDE_D: dict[str, Any] = {"exclude": [{"match": {"event": "d"}}]}
FIRST_SECOND = {"period": Period(until=START + SECOND)}
LATER = {"period": Period(since=START + SECOND)}
OPTIONAL = {"goal": "c", "optional": True}
CASES: list[tuple[str, list[Any], dict[str, Any], list[str]]] = [
    ("ab.dc", ABC, {}, ["entry 1", "taken 2", "no_step", "taken 3"]),
    ("axb", ["a", "b"], {}, ["entry 1", "no_goal", "taken 2"]),
    # Entries that were not counted.
    ("a.ab", ["a", "b"], {}, ["later_counted 1", "entry 1", "taken 2"]),
    ("ab.a", ["a", "b"], {}, ["entry 1", "taken 2", "earlier_counted 1"]),
    ("(aa)b", ["a", "b"], {}, ["entry 1", "other_entry 1", "taken 2"]),
    ("a..ab", ["a", "b"], {"entry": "first", "window": "2s"}, ["entry 1", "not_first 1", "too_late 2"]),
    ("aab.ab", ["a", "b"], {"count": "attempts"}, ["entry 1", "overlaps 1", "taken 2", "entry 1", "taken 2"]),
    ("a.ab", ["a", "b"], LATER, ["before_since 1", "entry 1", "taken 2"]),
    ("a.ab", ["a", "b"], FIRST_SECOND, ["entry 1", "after_until 1", "taken 2"]),
    ("ab", ["a", "b"], LATER, ["before_since 1", "no_entry 2"]),
    # Too late, and too soon. In the last one the b at the instant of the entry would be too early for c.
    ("a....b", ["a", "b"], {"window": "2s"}, ["entry 1", "too_late 2"]),
    ("a.b.c", ["a", "b", {"goal": "c", "within": "1s"}], {}, ["entry 1", "taken 2", "too_late_within 3"]),
    ("ab.b", ["a", {"goal": "b", "after": "2s"}], {}, ["entry 1", "too_soon 2", "taken 2"]),
    ("(ab)b", ["a", "b"], {"ties": "increasing"}, ["entry 1", "same_instant 2", "taken 2"]),
    ("(ab).bc", ["a", "b", {"goal": "c", "within": "1s"}], {}, ["entry 1", "left_aside 2", "taken 2", "taken 3"]),
    # Out of turn.
    ("bac", ABC, {}, ["before_entry 2", "entry 1", "missing 3"]),
    ("abbc", ABC, {}, ["entry 1", "taken 2", "taken_before 2", "taken 3"]),
    ("a(bb)c", ABC, {}, ["entry 1", "taken 2", "taken_now 2", "taken 3"]),
    ("abb", ["a", "b"], {}, ["entry 1", "taken 2", "after_end 2"]),
    ("bc", ABC, {}, ["no_entry 2", "no_entry 3"]),
    # Exclusions, and what may not lie between in strict order.
    ("dadb", ["a", "b"], EXCLUDE_D, ["spared", "entry 1", "excluded", "after_end 2"]),
    ("adb", ["a", "b"], {**EXCLUDE_D, "on_exclusion": "drop"}, ["dropped 1", "drops", "dropped 2"]),
    ("aacb", ["a", "b"], {"order": "strict"}, ["entry 1", "earlier_counted 1", "interrupts", "after_end 2"]),
    ("acb", ["a", "b"], {"order": "strict", "ignore": ["c"]}, ["entry 1", "no_step", "taken 2"]),
    # Optional steps; one event may serve two of them.
    ("caccb", ["a", OPTIONAL, "b"], {}, ["before_entry 2", "entry 1", "optional_taken 2", "taken_before 2", "taken 3"]),
    ("abcd", ["a", OPTIONAL, "b", "d"], {}, ["entry 1", "taken 3", "not_between 2", "taken 4"]),
    ("acb", ["a", OPTIONAL, OPTIONAL, "b"], {}, ["entry 1", "optional_taken 2 optional_taken 3", "taken 4"]),
    # An optional step at the end is open until the window closes, also while the next attempt has begun.
    (
        "aca",
        ["a", {"goal": "a", "optional": True}],
        {"count": "attempts"},
        ["entry 1", "no_step", "optional_taken 2 entry 1"],
    ),
    # Any order. Of a and b at one instant, step 1 takes the b, so that the a is left for step 2.
    ("bca", ABC, {"order": "any"}, ["entry 2", "taken 3", "taken 1"]),
    ("abba", ABC, {"order": "any"}, ["entry 1", "taken 2", "taken_before 2", "taken_before 1"]),
    ("a.bca", ABC, {"order": "any", "window": "2s"}, ["later_counted 1", "entry 2", "taken 3", "taken 1"]),
    ("ab..c", ABC, {"order": "any", "window": "1s"}, ["entry 1", "taken 2", "too_late 3"]),
    ("abdc", ABC, {"order": "any", **EXCLUDE_D}, ["entry 1", "taken 2", "excluded", "after_end 3"]),
    ("(ab)", ["a_or_b", "a"], {"order": "any"}, ["entry 2", "taken 1"]),
    ("d", ABC, {"order": "any"}, ["no_step"]),
    ("ba", ["a"], {"order": "any"}, ["no_step", "entry 1"]),
    # Open funnels.
    ("bca", ABC, {"open": True}, ["entry 2", "taken 3", "earlier_counted 1"]),
    # Ties. Step 2 may take a or b; only if it takes the other a is the b left for step 3.
    ("(baa)", ["a", "a_or_b", "b"], {}, ["entry 1", "taken 2", "taken 3"]),
    ("(cba)", ABC, {}, ["entry 1", "taken 2", "taken 3"]),
]


@pytest.mark.parametrize(("drawing", "steps", "options", "expected"), CASES)
def test_what_became_of_each_event(
    drawing: str, steps: list[Any], options: dict[str, Any], expected: list[str]
) -> None:
    assert verdicts(explained(log(drawing), steps, **options)) == expected


def test_every_verdict_stands_above_and_has_its_words() -> None:
    seen = {word for *_, expected in CASES for word in " ".join(expected).split() if not word.isdigit()}
    assert seen | {"filtered", "after_as_of", "no_unit", *REASONS[1:]} == VERDICTS.keys()


def test_how_late_and_how_soon() -> None:
    late = the_unit(explained(log("a....b"), ["a", "b"], window="2s"))
    assert late.events[1].verdicts == (Verdict("too_late", 2, "b", 3.0),)
    assert (late.journeys[0].outcome, late.journeys[0].stopped_before) == ("too_late", "b")
    soon = the_unit(explained(log("ab.b"), ["a", {"goal": "b", "after": "2s"}]))
    assert soon.events[1].verdicts == (Verdict("too_soon", 2, "b", 2.0),)


def test_the_journey() -> None:
    (journey,) = the_unit(explained(log("ab.dc"), ABC)).journeys
    assert (journey.reached, journey.required, journey.outcome) == (3, 3, "converted")
    assert [(step.step, step.goal, (step.time - START) // SECOND) for step in journey.taken] == [
        (1, "a", 0),
        (2, "b", 1),
        (3, "c", 4),
    ]
    (journey,) = the_unit(explained(log("dadb"), ["a", "b"], **EXCLUDE_D)).journeys
    assert (journey.outcome, journey.stopped_before) == ("excluded", "b")
    (journey,) = the_unit(explained(log("acb"), ["a", OPTIONAL, "b"])).journeys
    assert (journey.reached, [step.optional for step in journey.taken]) == (2, [False, True, False])
    (journey,) = the_unit(explained(log("bca"), ABC, open=True)).journeys
    assert (journey.first, journey.depth) == (2, 3)


@pytest.mark.parametrize(
    ("drawing", "options", "absent"),
    [
        ("bc", {}, "no_entry"),
        ("ab", LATER, "outside_period"),
        ("adb", {**EXCLUDE_D, "on_exclusion": "drop"}, "dropped"),
        ("a", {"period": Period(as_of=START - SECOND)}, "unused"),
    ],
)
def test_why_there_is_no_journey(drawing: str, options: dict[str, Any], absent: str) -> None:
    unit = the_unit(explained(log(drawing), ["a", "b"], **options))
    assert (unit.absent, unit.journeys) == (absent, ())


def test_events_that_are_not_used() -> None:
    rows = log("axb", device="phone")
    rows[1] |= {"event": "a", "device": "robot"}
    rows.append({"user": "u", "time": None, "event": "a", "rejected": REASONS.index("unreadable_time")})
    found = explained(rows, ["a", "b"], period=Period(as_of=START + SECOND), where={"device": {"not": "robot"}})
    assert verdicts(found) == ["entry 1", "filtered", "after_as_of", "unreadable_time"]


def test_in_progress_until_the_end_of_the_log() -> None:
    # The log goes on after the last event of the user, and then the window may be closed.
    for other, outcome in (("x", "in_progress"), ("....x", "no_event")):
        found = explained([*log("a"), *log(other, "v")], ["a", "b"], window="3s")
        (journey,) = the_unit(found).journeys
        assert (journey.outcome, journey.closes) == (outcome, START + 3 * SECOND)


# --- units ------------------------------------------------------------------------------------------------------------


def units(found: Explanation) -> list[tuple[str | None, str | None, list[str]]]:
    return [
        (unit.unit, unit.absent, [event.verdicts[0].verdict for event in unit.events])
        for unit in found.funnels[0].units
    ]


def test_sessions_one_after_the_other() -> None:
    # The pause of five seconds begins a new session.
    assert units(explained(log("ab....b"), ["a", "b"], count="sessions")) == [
        ("session 1", None, ["entry", "taken"]),
        ("session 2", "no_entry", ["no_entry"]),
    ]
    rows = [*log("a", session="x"), *log(".b", session=None)]
    assert units(explained(rows, ["a", "b"], count="sessions")) == [
        ("session 1", None, ["entry"]),
        (None, "no_unit", ["no_unit"]),
    ]


def test_units_of_columns_and_the_users_who_share_them() -> None:
    rows = [*log("a", order="1"), *log("..b", "v", order="1"), *log(".a", order="2"), *log("....b")]
    found = explained(rows, ["a", "b"], count=["order"])
    assert units(found) == [
        ("order 1", None, ["entry", "taken"]),
        ("order 2", None, ["entry"]),
        (None, "no_unit", ["no_unit"]),
    ]
    assert [event.own for event in found.funnels[0].units[0].events] == [True, False]
    assert units(explained(rows, ["a", "b"], user="v", count=["order"])) == [("order 1", None, ["entry", "taken"])]


def test_an_unknown_user_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no event of user `v`"):
        explained(log("ab"), ["a", "b"], user="v")

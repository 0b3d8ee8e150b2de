"""The reference itself, on logs that are small enough to count by hand.

The drawings show one user; a letter is an event, a dot a second without one, and letters in brackets share an instant.
"""

from typing import Any

import pytest
from reference import SECOND, Counted, Journey, Limits, Row, completions, count_funnel, percentile
from strategies import START, Log, PeerCase, peer_cases

GOALS = {letter: {"kind": "milestone", "match": {"event": letter}} for letter in "abcd"}
GOALS["a_or_b"] = {"kind": "milestone", "match": {"event": ["a", "b"]}}


def log(drawing: str, user: str = "u", **fields: str | None) -> Log:
    """The rows of a drawing."""
    rows: Log = []
    second, together = 0, False
    for letter in drawing:
        if letter in "()":
            together = letter == "("
        elif letter != ".":
            rows.append({"user": user, "time": START + second * SECOND, "event": letter, **fields})
        second += not together and letter != "("
    return rows


def counted(rows: Log, steps: list[Any], limits: Limits | None = None, **funnel: Any) -> Counted:
    file = {"goals": GOALS, "funnels": {"f": {"steps": steps, "window": "none", **funnel}}}
    return count_funnel(rows, file, "f", limits or Limits())


def seconds(found: Counted, unit: Any = "u") -> list[int]:
    """When the journey took its steps, in seconds from the left edge of the drawing."""
    return [(time - START) // SECOND for time in found.journeys[unit].times]


def test_drawings() -> None:
    at = [(row["event"], int(row["time"] or 0) - START) for row in log("a.(bc)d")]
    assert at == [("a", 0), ("b", 2 * SECOND), ("c", 2 * SECOND), ("d", 3 * SECOND)]


def test_later_steps_take_the_earliest_event() -> None:
    # 0123456
    # a.b.b.c
    assert seconds(counted(log("a.b.b.c"), ["a", "b", "c"])) == [0, 2, 6]


def test_of_equal_attempts_the_one_that_started_last() -> None:
    # 0123
    # a.ab   both entries convert at 3; the second one waited less
    assert seconds(counted(log("a.ab"), ["a", "b"])) == [2, 3]


def test_the_first_to_arrive_beats_the_last_to_start() -> None:
    # 01234
    # ab.ab
    assert seconds(counted(log("ab.ab"), ["a", "b"])) == [0, 1]


def test_entry_first_does_not_look_at_later_entries() -> None:
    # 0123456
    # a..a..b   with a window of 3 s only the second entry converts
    rows = log("a..a..b")
    assert seconds(counted(rows, ["a", "b"], window="3s")) == [3, 6]
    assert seconds(counted(rows, ["a", "b"], window="3s", entry="first")) == [0]


def test_the_first_entry_of_the_period() -> None:
    # 0123456
    # a..a..b   a period that begins at 1 s knows the second entry only, one that ends at 3 s only the first
    rows = log("a..a..b")
    late, early = Limits(since=START + SECOND), Limits(until=START + 3 * SECOND)
    assert seconds(counted(rows, ["a", "b"], late, entry="first")) == [3, 6]
    assert seconds(counted(rows, ["a", "b"], early)) == [0, 6]
    assert counted(rows, ["a", "b"], Limits(since=START + 4 * SECOND)).total.reached == [0, 0]


@pytest.mark.parametrize(("window", "reached"), [("3s", [1, 1]), ("2s", [1, 0]), ("none", [1, 1])])
def test_the_end_of_the_window_is_part_of_it(window: str, reached: list[int]) -> None:
    # 0123
    # a..b
    assert counted(log("a..b"), ["a", "b"], window=window).total.reached == reached


def test_one_event_serves_one_step() -> None:
    # 012
    # a.a
    assert counted(log("a.a"), ["a", "a", "a"]).total.reached == [1, 1, 0]
    assert counted(log("a.a"), ["a_or_b", "a", "a"]).total.reached == [1, 1, 0]


def test_an_instant_may_be_taken_in_any_order() -> None:
    # 0
    # (cba)   as if it were abc
    assert seconds(counted(log("(cba)"), ["a", "b", "c"])) == [0, 0, 0]
    assert seconds(counted(log("(cba)"), ["a", "b", "c"], ties="increasing")) == [0]


def test_events_of_an_instant_may_be_left_for_a_later_step() -> None:
    # 01
    # a(ab)   step 2 takes a or b; only if it takes a is there a b left for step 3 at the same instant
    assert seconds(counted(log("a(ab)"), ["a", "a_or_b", "b"])) == [0, 1, 1]
    # 0   1
    # (ab)a   taking the b at 0 for step 2 leaves none for step 3; nothing does, so both ways end at step 2
    assert seconds(counted(log("(ab)a"), ["a", "a_or_b", "b"])) == [0, 0]
    # 0   1
    # (ab)(ab)   step 2 takes b at 0 or a at 1; either way step 3 takes b at 1, and the earlier step 2 is shown
    assert seconds(counted(log("(ab)(ab)"), ["a", "a_or_b", "b"])) == [0, 0, 1]


def test_within_and_after_run_from_the_step_before() -> None:
    # 0123456
    # a.b..bc
    rows = log("a.b..bc")
    assert seconds(counted(rows, ["a", {"goal": "b", "within": "2s"}, "c"])) == [0, 2, 6]
    assert seconds(counted(rows, ["a", {"goal": "b", "within": "1s"}, "c"])) == [0]
    assert seconds(counted(rows, ["a", {"goal": "b", "after": "3s"}, "c"])) == [0, 5, 6]
    assert seconds(counted(rows, ["a", {"goal": "b", "after": "2s"}, "c"])) == [0, 2, 6]


def test_an_attempt_does_not_pass_over_the_earliest_event() -> None:
    # 01234567
    # a.b..b.c   c comes within 2 s of the second b, but an attempt takes the first
    assert seconds(counted(log("a.b..b.c"), ["a", "b", {"goal": "c", "within": "2s"}])) == [0, 2]


def test_of_several_events_of_an_instant_the_one_that_leads_farthest() -> None:
    # 0
    # (baa)   step 2 takes the other a, for only so is there a b left for step 3
    assert seconds(counted(log("(baa)"), ["a", "a_or_b", "b"])) == [0, 0, 0]


def test_an_event_of_the_same_instant_may_be_left_aside() -> None:
    # 0   123
    # (ab).bc   c comes within 1 s of the second b, which is the earliest after the instant of the entry
    assert seconds(counted(log("(ab).bc"), ["a", "b", {"goal": "c", "within": "1s"}])) == [0, 2, 3]


def test_maturity() -> None:
    # 0123456
    # ab        converted
    # ...a      not converted, window closed at 6
    # ....a     not converted, window open until 7
    # .....ab   converted, window open until 8
    rows = [*log("ab", "p"), *log("...a", "q"), *log("....a", "r"), *log(".....ab", "s")]
    total = counted(rows, ["a", "b"], window="3s").total
    assert (total.reached, total.in_progress, total.matured) == ([4, 2], 1, (1, 2))
    assert total.in_progress_by_step == [0, 1]
    total = counted(rows, ["a", "b"], Limits(as_of=START + 8 * SECOND), window="3s").total
    assert (total.reached, total.in_progress, total.matured) == ([4, 2], 0, (2, 4))
    total = counted(rows, ["a", "b"]).total
    assert (total.in_progress, total.matured) == (None, None)


def test_as_of_is_the_log_as_it_was_then() -> None:
    # 0123
    # a..b   seen at 2 s the user is on the way, at 3 s there
    for second, reached, in_progress in [(2, [1, 0], 1), (3, [1, 1], 0)]:
        total = counted(log("a..b"), ["a", "b"], Limits(as_of=START + second * SECOND), window="5s").total
        assert (total.reached, total.in_progress) == (reached, in_progress)


def test_times_are_exact_sums_and_percentiles_of_whole_seconds() -> None:
    # 01234
    # ab        1 s
    # a..b      3 s
    # a         never
    total = counted([*log("ab", "p"), *log("a..b", "q"), *log("a", "r")], ["a", "b"]).total
    found = total.times_from_previous[1]
    assert found is not None
    assert (found.n, found.total_us, found.percentiles["median"]) == (2, 4 * SECOND, 2.0)
    assert total.times_from_previous[0] is None
    assert [percentile([0, 10, 20, 40], share) for share in (0, 10, 25, 50, 95, 100)] == [0, 3, 7.5, 15, 37, 40]


def test_segments_are_those_of_the_entry() -> None:
    # 0123
    # a..       on a phone
    # ..ab      on a tablet: this attempt is the journey
    rows = [*log("a", device="phone"), *log("..ab", device="tablet"), *log("a", "v", device="")]
    segments = counted(rows, ["a", "b"], by="device").segments["device"]
    assert {value: part.reached for value, part in segments.items()} == {"tablet": [1, 1], "(not set)": [1, 0]}


def test_of_entries_of_one_instant_the_smallest_segment() -> None:
    rows: Log = [*log("a", device="tablet"), *log("ab", device="phone")]
    assert set(counted(rows, ["a", "b"], by="device").segments["device"]) == {"phone"}
    assert set(counted([*rows, *log("a")], ["a", "b"], by="device").segments["device"]) == {"(not set)"}


def test_a_journey_has_one_entry_whatever_the_columns() -> None:
    # Of two entries of one instant the first column decides which it is: the one on a phone, and so in Rome.
    rows: Log = [*log("a", device="phone", city="Rome"), *log("a", device="tablet", city="Bari")]
    segments = counted(rows, ["a"], by=["device", "city"]).segments
    assert {column: list(values) for column, values in segments.items()} == {"device": ["phone"], "city": ["Rome"]}


def test_the_smaller_segments_are_put_together() -> None:
    rows = [row for user, device in enumerate("xxyz") for row in log("a", str(user), device=device)]
    segments = counted(rows, ["a"], by=[{"column": "device", "top": 1}]).segments["device"]
    assert {value: part.reached for value, part in segments.items()} == {"x": [2], "(other)": [2]}


def test_sessions_are_units_of_their_own() -> None:
    rows = [*log("ab", session="1"), *log("..a", session="2"), *log("...b", session="3")]
    found = counted(rows, ["a", "b"], count="sessions")
    assert found.total.reached == [2, 1]
    assert set(found.journeys) == {("u", "1"), ("u", "2")}


def filled(goal: dict[str, Any], rows: Log, timeout: str = "3s") -> list[tuple[Any, int]]:
    """User and second of each completion."""
    found = completions(goal, rows, int(timeout[:-1]) * SECOND)
    return sorted((rows[index]["user"], (int(rows[index]["time"] or 0) - START) // SECOND) for index in found)


def test_counted_goals_are_completed_once() -> None:
    # 0123456789
    # a.aa....aa   the gap of 5 s starts a new session, one of 3 s would not
    rows = log("a.aa....aa")
    assert filled({"match": {"event": "a"}, "at_least": 2}, rows) == [("u", 2)]
    assert filled({"match": {"event": "a"}, "at_least": 2, "per": "session"}, rows) == [("u", 2), ("u", 9)]
    assert filled({"match": {"event": "a"}, "per": "session"}, rows) == [("u", 0), ("u", 8)]
    assert filled({"match": {"event": "a"}, "per": "session"}, log("a..a")) == [("u", 0)]
    assert filled({"match": {"event": "a"}, "at_least": 6}, rows) == []


def test_distinct_values_fill_the_count() -> None:
    # 0123
    # aaaa   on pages x, x, none, y
    pages = zip("xx-y", ["a", ".a", "..a", "...a"], strict=True)
    rows = [row for page, drawing in pages for row in log(drawing, page=None if page == "-" else page)]
    assert filled({"match": "any", "at_least": 2, "distinct": "page"}, rows) == [("u", 3)]


def test_long_sessions() -> None:
    # 01234567890123
    # a.a.b.....a..c   the second session begins at 10 and lasts 3 s
    rows = log("a.a.b.....a..c")
    assert filled({"session_lasts": "3s"}, rows) == [("u", 4), ("u", 13)]
    assert filled({"session_lasts": "4s"}, rows) == [("u", 4)]
    assert filled({"session_lasts": "0s"}, rows) == [("u", 0), ("u", 10)]


def depth(journeys: dict[Any, Journey], unit: str) -> int:
    return journeys[unit].depth if unit in journeys else 0


@pytest.mark.parametrize("peer", peer_cases("ordered"), ids=lambda peer: peer.id)
def test_peers_agree(peer: PeerCase) -> None:
    rows: list[Row] = list(peer.case.rows)
    found = count_funnel(rows, peer.case.file, "f")
    groups = [(found.total, peer.expected)]
    for column in found.segments.values():
        groups += [(part, peer.expected["segments"][value]) for value, part in column.items()]
        assert column.keys() == peer.expected["segments"].keys()
    for total, expected in groups:
        assert total.reached == expected.get("reached", total.reached)
        for time, mean in zip(total.times_from_previous, expected.get("mean_seconds", []), strict=False):
            assert mean is None or (time and time.total_us / time.n / SECOND == mean)
        for time, median in zip(total.times_from_previous, expected.get("median_seconds", []), strict=False):
            assert median is None or (time and time.percentiles["median"] == median)
    for unit, reached in peer.expected.get("depth", {}).items():
        assert depth(found.journeys, unit) == reached

"""The reference itself, on logs that are small enough to count by hand.

The drawings show one user; a letter is an event, a dot a second without one, and letters in brackets share an instant.
"""

from typing import Any

import pytest
from reference import Counted, count_funnel
from reference_goals import SECOND, Row, completions
from reference_rule import Journey, Limits
from reference_tally import Tally, percentile
from strategies import START, Log, PeerCase, all_peer_cases, micros_of

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
    return [(time - START) // SECOND for time in found.journeys[unit][0].times]


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


def stops(total: Tally) -> dict[str, int]:
    """Why units stopped, wherever they did."""
    found: dict[str, int] = {}
    for reasons in total.stopped:
        for reason, units in reasons.items():
            if units:
                found[reason] = found.get(reason, 0) + units
    return found


def optional(goal: str) -> dict[str, Any]:
    return {"goal": goal, "optional": True}


X_EXCLUDED = [{"match": {"event": "x"}}]


@pytest.mark.parametrize(
    ("drawing", "depth", "reasons"),
    [
        ("a.x.b", 1, {"excluded": 1}),
        ("a.x..", 1, {"excluded": 1}),  # no b comes, and x lies in the window
        ("a.b.x", 2, {}),
        ("a.(xb)", 2, {}),  # at the very instant of a step
        ("(ax).b", 2, {}),
        ("(ab).x", 2, {}),
        ("a.....x", 1, {"no_event": 1}),  # after the window of 5 s
        ("a.....b", 1, {"too_late": 1}),
        ("a.x.a.b", 2, {}),  # the second entry is clean
    ],
)
def test_exclusions_end_an_attempt(drawing: str, depth: int, reasons: dict[str, int]) -> None:
    rows = [*log(drawing), *log("......." + "d", "later")]
    found = counted(rows, ["a", "b"], Limits(as_of=START + 20 * SECOND), window="5s", exclude=X_EXCLUDED)
    assert found.total.reached == [1, depth - 1]
    assert stops(found.total) == reasons


def test_an_exclusion_reaches_no_farther_than_within() -> None:
    # 0123456
    # a..x...   nothing is expected after 2 s any more
    steps = ["a", {"goal": "b", "within": "2s"}]
    assert stops(counted(log("a..x"), steps, exclude=X_EXCLUDED).total) == {"no_event": 1}
    assert stops(counted(log("a.x"), steps, exclude=X_EXCLUDED).total) == {"excluded": 1}


def test_exclusions_between_two_steps() -> None:
    # 0123456
    # a.x.b.c
    between = [{"match": {"event": "x"}, "between": ["b", "c"]}]
    assert seconds(counted(log("a.x.b.c"), ["a", "b", "c"], exclude=between)) == [0, 4, 6]
    assert seconds(counted(log("a.b.x.c"), ["a", "b", "c"], exclude=between)) == [0, 2]
    assert seconds(counted(log("a.b.d.c"), ["a", "b", "c"], exclude=[{"goal": "d"}])) == [0, 2]


def test_on_exclusion_drop() -> None:
    # 0123456
    # a.x.b     without x it would convert: left out
    # a.x       would not, but its only attempt is excluded: left out
    # a..a.x.b  neither entry is clean: left out
    # a.x.a     the second entry is as deep as any
    # a.b.a.x   converts
    rows = [
        row
        for number, drawing in enumerate(["a.x.b", "a.x", "a..a.x.b", "a.x.a", "a.b.a.x"])
        for row in log(drawing, str(number))
    ]
    assert counted(rows, ["a", "b"], exclude=X_EXCLUDED, on_exclusion="drop").total.reached == [2, 1]
    assert counted(rows, ["a", "b"], exclude=X_EXCLUDED).total.reached == [5, 1]


@pytest.mark.parametrize(
    ("drawing", "times"),
    [
        ("a.b.c", [0, 2, 4]),
        ("a.d.b", [0]),
        ("aab", [1, 2]),
        ("a.b.b.c", [0, 2, 6]),  # a repeat of the step just matched
        ("a.b.a.c", [0, 2]),  # of an earlier one
        ("a(bd)c", [0, 1, 2]),  # at the instant of a step
        ("a.c.b", [0]),
    ],
)
def test_strict_order(drawing: str, times: list[int]) -> None:
    assert seconds(counted(log(drawing), ["a", "b", "c"], order="strict")) == times


def test_strict_order_forgives_what_is_ignored_or_optional() -> None:
    rows = log("a.d.b")
    assert seconds(counted(rows, ["a", "b"], order="strict", ignore=["d"])) == [0, 4]
    assert seconds(counted(rows, ["a", "b"], order="strict", ignore=[{"event": "d"}])) == [0, 4]
    assert seconds(counted(rows, ["a", optional("d"), "b"], order="strict")) == [0, 4]
    assert seconds(counted(rows, ["a", "b", optional("d")], order="strict")) == [0]


def test_what_stopped_a_strict_attempt() -> None:
    # a.d.b   interrupted
    # a.d     b never came, so nothing lay on the way to it
    # a...db  the window of 3 s was over before d
    assert stops(counted(log("a.d.b"), ["a", "b"], order="strict").total) == {"interrupted": 1}
    assert stops(counted(log("a.d"), ["a", "b"], order="strict").total) == {"no_event": 1}
    assert stops(counted(log("a...db"), ["a", "b"], order="strict", window="3s").total) == {"too_late": 1}


@pytest.mark.parametrize(
    ("drawing", "options", "times"),
    [
        ("c.b.a", {}, [0, 2, 4]),
        ("a.a.b", {}, [2, 4]),  # of two equal ones the one that started last
        ("c....ba", {"window": "2s"}, [5, 6]),
        ("c.x.ba", {"exclude": X_EXCLUDED}, [4, 5]),  # what is before and after x is not added together
        ("c(bx)a", {"exclude": X_EXCLUDED}, [0, 1]),  # the instant of x still counts
    ],
)
def test_any_order(drawing: str, options: dict[str, Any], times: list[int]) -> None:
    assert seconds(counted(log(drawing), ["a", "b", "c"], order="any", **options)) == times


def test_any_order_gives_each_event_to_one_step() -> None:
    # a.b   a has to leave a_or_b to b, whichever way the steps are written
    for steps in (["a_or_b", "a"], ["a", "a_or_b"]):
        assert counted(log("a.b"), steps, order="any").total.reached == [1, 1]
        assert counted(log("b.b"), steps, order="any").total.reached == [1, 0]


def test_what_stopped_units_in_any_order() -> None:
    assert stops(counted(log("a.x.b"), ["a", "b"], order="any", exclude=X_EXCLUDED).total) == {"excluded": 1}
    assert stops(counted(log("b...a"), ["a", "b"], order="any", window="2s").total) == {"too_late": 1}
    assert stops(counted(log("b.b"), ["a", "b"], order="any").total) == {"no_event": 1}


def test_optional_steps_have_a_rate_and_stop_nobody() -> None:
    # a.b.c   with b
    # a...c   without
    # a.b     b, but no c
    # b.a.c   b too early
    rows = [
        row for number, drawing in enumerate(["a.b.c", "a...c", "a.b", "b.a.c"]) for row in log(drawing, str(number))
    ]
    total = counted(rows, ["a", optional("b"), "c"]).total
    assert total.reached == [4, 2, 3]
    assert [sum(reasons.values()) for reasons in total.stopped] == [0, 0, 1]
    waits = [time and (time.n, time.total_us // SECOND) for time in total.times_from_previous]
    assert waits == [None, (2, 4), (3, 10)]


def test_optional_steps_lie_between_their_neighbours() -> None:
    steps = ["a", optional("b"), "c"]
    # (ab).c and a.(bc): at the instant of a neighbour, unless times have to increase
    for drawing in ("(ab).c", "a.(bc)"):
        assert counted(log(drawing), steps).total.reached == [1, 1, 1]
        assert counted(log(drawing), steps, ties="increasing").total.reached == [1, 0, 1]
    # a...b without c: in the window, and before what ended the attempt
    assert counted(log("a...b"), steps, window="4s").total.reached == [1, 1, 0]
    assert counted(log("a...b"), steps, window="3s").total.reached == [1, 0, 0]
    assert counted(log("a.x.b"), steps, exclude=X_EXCLUDED).total.reached == [1, 0, 0]
    # a.a: the second a is an event of its own, the entry is not
    assert counted(log("a.c"), ["a", optional("a"), "c"]).total.reached == [1, 0, 1]
    assert counted(log("(aa).c"), ["a", optional("a"), "c"]).total.reached == [1, 1, 1]


def test_a_step_of_several_goals() -> None:
    steps = ["a", {"any": ["b", "c"], "name": "either"}, "d"]
    assert seconds(counted(log("a.c.b.d"), steps)) == [0, 2, 6]


def test_an_open_funnel_counts_from_where_a_unit_enters() -> None:
    # a.b.c   enters at 1
    # b.c     enters at 2
    # b.c.a   the same: an a alone is not as deep
    # a.b     enters at 1, and gets to 2
    # c       enters at 3
    rows = [
        row for number, drawing in enumerate(["a.b.c", "b.c", "b.c.a", "a.b", "c"]) for row in log(drawing, str(number))
    ]
    total = counted(rows, ["a", "b", "c"], open=True).total
    assert (total.entered, total.reached, total.entered_here) == (5, [2, 4, 4], [2, 2, 1])
    assert [sum(reasons.values()) for reasons in total.stopped] == [0, 0, 1]


def test_units_of_several_columns() -> None:
    rows = [*log("a.b", order="1"), *log("..a", order="2"), *log("a", order=None), *log("a", order="")]
    found = counted(rows, ["a", "b"], count=["user", "order"])
    assert (found.total.reached, set(found.journeys)) == ([2, 1], {("u", "1"), ("u", "2")})


def starts(found: Counted) -> list[list[int]]:
    return [[(time - START) // SECOND for time in journey.times] for journey in found.journeys["u"]]


def test_attempts_follow_one_another() -> None:
    # 0123456789
    # aab.ab.a..b   the entry at 1 lies in the attempt that began at 0; with a window of 2 s b at 10 is too late
    rows = log("aab.ab.a..b")
    assert starts(counted(rows, ["a", "b"], count="attempts")) == [[0, 2], [4, 5], [7, 10]]
    assert starts(counted(rows, ["a", "b"], count="attempts", window="1s")) == [[0], [4, 5], [7]]
    # a.a: the first one is never over where there is no window, over at 1 s with one, or where x ends it
    assert starts(counted(log("a.a"), ["a", "b"], count="attempts")) == [[0]]
    assert starts(counted(log("a.a"), ["a", "b"], count="attempts", window="1s")) == [[0], [2]]
    assert starts(counted(log("a.a"), ["a", "b"], count="attempts", window="2s")) == [[0]]
    assert starts(counted(log("axa"), ["a", "b"], count="attempts", exclude=X_EXCLUDED)) == [[0], [2]]
    assert starts(counted(log("a.a"), ["a", {"goal": "b", "within": "1s"}], count="attempts")) == [[0], [2]]


def test_the_reasons_add_up_to_the_dropped() -> None:
    # Seen at 9 s with a window of 4 s: excluded, in progress (window open to 10), too late, and no event.
    rows = [
        row
        for number, drawing in enumerate(["a.x.b", "......a", "a....b", "a", "a.b"])
        for row in log(drawing, str(number))
    ]
    limits = Limits(as_of=START + 9 * SECOND)
    total = counted(rows, ["a", "b"], limits, window="4s", exclude=X_EXCLUDED).total
    expected = {"excluded": 1, "in_progress": 1, "interrupted": 0, "too_late": 1, "no_event": 1}
    assert total.stopped == [dict.fromkeys(expected, 0), expected]
    assert (total.in_progress, total.matured) == (1, (1, 4))


def by_value(value: str, *rows: Log, **options: Any) -> dict[str, list[int]]:
    """Value to reached, where the steps a, b, c are split by device."""
    column = options.pop("column", "device")
    by = [{"column": column, "value": value, **options}]
    (found,) = counted([row for part in rows for row in part], ["a", "b", "c"], by=by).segments.values()
    return {name: part.reached for name, part in found.items()}


def test_segments_by_the_values_of_the_steps() -> None:
    # a.b.c   no device at a, a phone at b, a tablet at c
    rows = [*log("a", device=""), *log("..b", device="phone"), *log("....c", device="tablet")]
    assert by_value("entry", rows) == {"(not set)": [1, 1, 1]}
    assert by_value("first", rows) == {"phone": [1, 1, 1]}
    assert by_value("last", rows) == {"tablet": [1, 1, 1]}
    assert by_value("step:b", rows, log("a", "v")) == {"(did not reach)": [1, 0, 0], "phone": [1, 1, 1]}
    assert by_value("step:a", rows) == {"(not set)": [1, 1, 1]}


def test_of_events_of_one_instant_the_smallest_value_that_is_not_empty() -> None:
    rows = [*log("a"), *log(".b", device=None), *log(".b", device="watch"), *log(".b", device="tv")]
    assert by_value("step:b", rows) == {"tv": [1, 1, 0]}


def test_several_columns_are_taken_from_one_event() -> None:
    # a: a phone in no city; b: no device, in Rome
    rows = [*log("a", device="phone", city=""), *log("..b", device="", city="Rome")]
    both = ["device", "city"]
    assert by_value("first", rows, column=both) == {"phone, (not set)": [1, 1, 0]}
    assert by_value("last", rows, column=both) == {"(not set), Rome": [1, 1, 0]}
    assert by_value("last", log("a", "v"), column=both) == {"(not set), (not set)": [1, 0, 0]}


def test_each_value_as_a_funnel_of_its_own() -> None:
    # a.b on a phone, b.c on a tablet, a without a device
    rows = [*log("a.b", device="phone"), *log("....b.c", device="tablet"), *log("......a", device="")]
    assert by_value("all_steps", rows) == {"(not set)": [1, 0, 0], "phone": [1, 1, 0]}


def test_bins() -> None:
    prices = ["9.99", "10", "49", "50", "x", None]
    rows = [log("a", str(number), price=price) for number, price in enumerate(prices)]
    expected = {"(not set)": 2, "10 to 50": 2, "50 or more": 1, "under 10": 1}
    assert by_value("entry", *rows, column="price", bins=[10, 50]) == {
        name: [units, 0, 0] for name, units in expected.items()
    }


def entered_in(trend: str, times: list[str], zone: str = "UTC", steps: Any = ("a",), **funnel: Any) -> dict[str, int]:
    rows: Log = [{"user": "u", "time": micros_of(time), "event": "a"} for time in times]
    file = {
        "events": {"timezone": zone},
        "goals": GOALS,
        "funnels": {"f": {"steps": list(steps), "window": "none", **funnel}},
    }
    return {period: total.entered for period, total in count_funnel(rows, file, "f", trend=trend).trend.items()}


def test_periods_of_entry() -> None:
    # A Sunday and a Monday; in Berlin 23:30 UTC is the next day.
    times = ["2026-03-01T12:00:00", "2026-03-01T23:30:00", "2026-03-02T10:00:00"]
    assert entered_in("day", times) == {"2026-03-01": 1, "2026-03-02": 1}
    assert entered_in("day", times[:2], "Europe/Berlin") == {"2026-03-01": 1, "2026-03-02": 1}
    assert entered_in("week", times) == {"2026-02-23": 1, "2026-03-02": 1}
    assert entered_in("month", ["2026-02-28T23:30:00", *times], "Europe/Berlin") == {"2026-03-01": 1}
    assert entered_in("day", times, window="1h", count="attempts") == {"2026-03-01": 2, "2026-03-02": 1}


def test_each_period_has_the_best_journey_of_its_own_entries() -> None:
    # Monday a, Tuesday a, Wednesday b with a window of a day: a unit of both days, converted from Tuesday on only.
    rows: Log = [
        {"user": "u", "time": micros_of(f"2026-03-0{day}T12:00:00"), "event": event}
        for day, event in [(2, "a"), (3, "a"), (4, "b")]
    ]
    file = {"goals": GOALS, "funnels": {"f": {"steps": ["a", "b"], "window": "1d"}}}
    found = count_funnel(rows, file, "f", trend="day").trend
    assert {day: total.reached for day, total in found.items()} == {"2026-03-02": [1, 0], "2026-03-03": [1, 1]}


def depth(journeys: dict[Any, list[Journey]], unit: str) -> int:
    return journeys[unit][0].depth if unit in journeys else 0


@pytest.mark.parametrize("peer", all_peer_cases(), ids=lambda peer: peer.id)
def test_peers_agree(peer: PeerCase) -> None:
    rows: list[Row] = list(peer.case.rows)
    found = count_funnel(rows, peer.case.file, "f", trend=peer.case.trend)
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
    for unit, converted in peer.expected.get("conversions", {}).items():
        assert sum(journey.missed is None for journey in found.journeys.get(unit, [])) == converted
    periods = {period: (total.entered, total.reached[-1]) for period, total in found.trend.items()}
    expected_periods = {
        period: (total["entered"], total["converted"]) for period, total in peer.expected.get("trend", {}).items()
    }
    assert periods == {period: total for period, total in expected_periods.items() if total != (0, 0)}

"""`run --as SYSTEM`: each system's own results, from its documentation and tests, and what can't be counted so."""

import json
from pathlib import Path
from typing import Any

import pytest
from bridge import report_of
from reference_goals import SECOND
from strategies import START, Log, PeerCase, peer_cases
from typer.testing import CliRunner

from microfunnel import peers
from microfunnel.choice import choose
from microfunnel.cli import program
from microfunnel.cli.options import Peers
from microfunnel.errors import UsageError
from microfunnel.funnels import Funnel
from microfunnel.goal_values import parse_duration
from microfunnel.goals import Goals
from microfunnel.peers import PEERS, counted_as
from microfunnel.results import FunnelResult

LETTERS = {letter: {"kind": "milestone", "match": {"event": letter}} for letter in "abcx"}
OWN_CASES = [
    *(peer for peer in peer_cases("exclusions") if peer.id.startswith("posthog-")),
    *(peer for name in ("ordered", "strict") for peer in peer_cases(name) if peer.id.startswith("clickhouse-")),
    *(peer for name in ("ordered", "strict", "any") for peer in peer_cases(name) if peer.id.startswith("posthog-")),
]

EXOTIC = (
    *("within", "after", "optional", "open: true", "ignore", "exclude", "count: attempts"),
    *("order: strict", "order: any", "value: first", "value: last", "value: all_steps"),
)


def file_of(funnel: dict[str, Any], goals: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"version": 1, "goals": goals or LETTERS, "funnels": {"f": funnel}}


def goals_as(peer: str, file: dict[str, Any]) -> Goals:
    return choose(Goals.model_validate(file), [], [], 10, PEERS[peer])


def funnel_as(peer: str, **options: Any) -> Funnel:
    return goals_as(peer, file_of({"steps": ["a", "b"], **options})).funnels["f"]


def counted(rows: Log, file: dict[str, Any], peer: str) -> FunnelResult:
    """The funnel of the file over the rows, counted as the system does."""
    chosen: Any = goals_as(peer, file)  # checked already, which is as good as a file
    (funnel,) = report_of(rows, chosen).funnels
    return funnel


def log(*events: tuple[int, str], **fields: str) -> Log:
    return [{"user": "u", "time": START + second * SECOND, "event": event, **fields} for second, event in events]


def reached(funnel: FunnelResult) -> list[int]:
    return [step.reached for step in funnel.totals.steps]


@pytest.mark.parametrize("peer", OWN_CASES, ids=lambda peer: peer.id)
def test_a_system_finds_in_its_own_cases_what_it_says(peer: PeerCase) -> None:
    if "reached" not in peer.expected:
        pytest.skip("says nothing of the steps")
    funnel = {key: value for key, value in peer.case.file["funnels"]["f"].items() if key != "on_exclusion"}
    file = file_of(funnel, peer.case.file["goals"])
    assert reached(counted(peer.case.rows, file, peer.id.split("-")[0])) == peer.expected["reached"]


REENTRY = log((0, "a"), (1800, "a"), (2700, "b"), (4500, "c"))


@pytest.mark.parametrize(("peer", "found"), [("mixpanel", [1, 1, 0]), ("posthog", [1, 1, 1]), ("amplitude", [1, 1, 1])])
def test_mixpanel_docs_reentry_001(peer: str, found: list[int]) -> None:
    file = file_of({"steps": ["a", "b", "c"], "window": "1h"})
    assert reached(counted(REENTRY, file, peer)) == found


@pytest.mark.parametrize(("peer", "seconds"), [("mixpanel", 60), ("posthog", 35), ("clickhouse", 35)])
def test_mixpanel_docs_time_002(peer: str, seconds: int) -> None:
    rows = log((0, "a"), (10, "a"), (25, "a"), (60, "b"))
    found = counted(rows, file_of({"steps": ["a", "b"], "window": "100s"}), peer)
    times = found.totals.steps[1].times_from_previous
    assert times is not None
    assert times.mean == seconds


def test_mixpanel_docs_total_002() -> None:
    rows = log((0, "a"), (10, "a"), (20, "b"), (30, "a"))
    file = file_of({"steps": ["a", "b"], "count": "attempts"})
    assert reached(counted(rows, file, "mixpanel")) == [2, 1]


@pytest.mark.parametrize(("value", "color"), [("entry", "red"), ("last", "blue")])
def test_mixpanel_docs_breakdown(value: str, color: str) -> None:
    rows = [*log((0, "a")), *log((10, "b"), color="red"), *log((20, "c"), color="blue")]
    file = file_of({"steps": ["a", "b", "c"], "by": {"column": "color", "value": value}})
    segments = counted(rows, file, "mixpanel").segments
    assert [segment.by["color"] for segment in segments] == [color]


@pytest.mark.parametrize(("peer", "found"), [("posthog", [0, 0]), ("mixpanel", [1, 0]), ("amplitude", [1, 0])])
def test_what_an_exclusion_does(peer: str, found: list[int]) -> None:
    file = file_of({"steps": ["a", "b"], "exclude": [{"goal": "x"}], "on_exclusion": "drop"})
    assert reached(counted(log((0, "a"), (1, "x"), (2, "b")), file, peer)) == found


@pytest.mark.parametrize(
    ("peer", "window"), [("posthog", "14d"), ("mixpanel", "7d"), ("amplitude", "1d"), ("clickhouse", "7d")]
)
def test_the_window_is_theirs_where_the_file_names_none(peer: str, window: str) -> None:
    assert funnel_as(peer).window == parse_duration(window)
    assert funnel_as(peer, window="3h").window == parse_duration("3h")
    assert funnel_as(peer, window="none").window is None


def test_breakdowns_read_the_value_that_the_system_reads() -> None:
    values = {peer: [each.value for each in funnel_as(peer, by=["device"]).by] for peer in PEERS}
    assert values == {"posthog": ["first"], "mixpanel": ["first"], "amplitude": ["entry"], "clickhouse": ["entry"]}
    assert funnel_as("posthog", by={"column": "device", "value": "all_steps"}).by[0].value == "all_steps"


def test_options_of_the_command_line_are_read_as_the_system_reads_them() -> None:
    goals = Goals.model_validate(file_of({"steps": ["a", "b"]}))
    assert choose(goals, [], ["device"], 3, PEERS["posthog"]).funnels["f"].by[0].name == "device (first)"


def test_exclusions_drop_nobody_in_any_order() -> None:
    assert funnel_as("posthog", exclude=[{"goal": "x"}]).on_exclusion == "drop"
    assert funnel_as("posthog", exclude=[{"goal": "x"}], order="any").on_exclusion == "end"


def test_attempts_have_no_first_entry() -> None:
    assert funnel_as("mixpanel").entry == "first"
    assert funnel_as("mixpanel", count="attempts").entry == "best"


@pytest.mark.parametrize(
    ("peer", "options", "reason"),
    [
        ("posthog", {"steps": ["a", {"goal": "b", "within": "1d"}]}, "PostHog has no `within`"),
        ("posthog", {"count": "attempts"}, "PostHog has no `count: attempts`"),
        ("posthog", {"open": True}, "PostHog has no `open: true`"),
        ("posthog", {"by": ["d", {"column": "d", "value": "first"}]}, "by 1 splits by `d (first)` too"),
        ("mixpanel", {"order": "strict"}, "Mixpanel has no `order: strict`"),
        ("amplitude", {"by": {"column": "d", "value": "last"}}, "Amplitude has no `value: last`"),
        ("clickhouse", {"exclude": [{"goal": "x"}]}, "ClickHouse's windowFunnel has no `exclude`"),
    ],
)
def test_what_has_no_counterpart_is_refused(peer: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as raised:
        funnel_as(peer, **options)
    (problem,) = raised.value.problems
    assert problem.startswith(f"the funnel `f` can't be counted as {PEERS[peer].title} does: {reason}")


@pytest.mark.parametrize("name", PEERS)
def test_each_system_says_what_differs(name: str) -> None:
    assert PEERS[name].not_reproduced
    assert PEERS[name].caveat.startswith(f"counted as {PEERS[name].title} does; not reproduced: ")
    words = [*peers._asks_for(Funnel.model_validate({"steps": ["a"]})), *EXOTIC]
    assert set(words) >= PEERS[name].lacks


def test_a_preset_on_top_of_itself_changes_nothing() -> None:
    for name, peer in PEERS.items():
        once = funnel_as(name, by="device")
        assert counted_as(once, peer) == once


def test_the_command_line_knows_every_system() -> None:
    assert [each.value for each in Peers] == list(PEERS)


def test_the_report_says_as_whom_it_counts(tmp_path: Path) -> None:
    events, goals = tmp_path / "events.csv", tmp_path / "goals.yaml"
    events.write_text("user_id,timestamp,event\nu,2026-01-01T00:00:00,a\nu,2026-01-09T00:00:00,b\n")
    goals.write_text(json.dumps(file_of({"steps": ["a", "b"]}, {each: LETTERS[each] for each in "ab"})))
    arguments = ["run", str(events), "-g", str(goals), "--json"]
    plain = json.loads(CliRunner().invoke(program(arguments), arguments).stdout)
    report = json.loads(CliRunner().invoke(program(arguments), [*arguments, "--as", "posthog"]).stdout)
    assert [funnel["converted"] for funnel in (*plain["funnels"], *report["funnels"])] == [0, 1]
    assert plain["events"]["warnings"] == []
    (warning,) = report["events"]["warnings"]
    assert warning == {"warning": "counted_as", "message": PEERS["posthog"].caveat, "goals": [], "steps": []}

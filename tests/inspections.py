"""From files, or rows that a test draws, to what an inspection and a proposal say of them."""

from collections.abc import Sequence
from pathlib import Path

from microfunnel.goals import Goals
from microfunnel.inspecting.beside import people_only
from microfunnel.inspecting.inspection import any_goals, inspect_events, survey
from microfunnel.inspecting.proposing import propose
from microfunnel.inspections import Inspection
from microfunnel.proposals import Proposal
from microfunnel.reading.events import Request, read_events

HEADER = "user_id,timestamp,event"
MINUTE_OF_DAY = 1_440


def request(*files: Path, goals: Goals) -> Request:
    return Request([str(file) for file in files], goals.events, {"event"}, sessions=True, discover=True)


def inspected(*files: Path, goals: Goals | None = None) -> Inspection:
    chosen = goals or any_goals()
    return read_events(request(*files, goals=chosen), None, lambda table: inspect_events(table, chosen))


def proposed(*files: Path) -> Proposal:
    goals = any_goals()
    return read_events(
        request(*files, goals=goals), None, lambda table: survey(table, any_goals(people_only(table.forms)), propose)
    )


def steps(proposal: Proposal) -> list[str]:
    return [act.event for act in proposal.steps]


def write_log(path: Path, lives: Sequence[Sequence[str]]) -> Path:
    """A log in which each user does these things, a minute apart."""
    rows = [
        f'u{user},2026-10-{1 + user % 28:02}T{minute // 60:02}:{minute % 60:02}:00Z,"{event}"'
        for user, life in enumerate(lives)
        for minute, event in enumerate(life)
    ]
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path

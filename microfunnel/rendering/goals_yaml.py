"""A proposal as a goals file: commented, valid as it is, and to be changed by whoever knows the events."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from microfunnel.forms import Form
from microfunnel.inspections import Inspection
from microfunnel.proposals import Act, Proposal
from microfunnel.rendering.text import number, percent, period
from microfunnel.wording import clean, plural

WIDTH = 110
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "any", "all", "not"}
LONGEST_NAME = 40
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
MACRO, MILESTONE, SECONDARY = "macro", "milestone", "secondary"


def render(found: Inspection, proposal: Proposal, said: Mapping[str, str], where: Mapping[str, object] | None) -> str:
    """The text of the file; `said` and `where` are what `events` says."""
    names = _names([*proposal.steps, *proposal.others])
    sections = [_head(found), _events(found, said, where), _goals(found, proposal, names), _funnels(proposal, names)]
    return "\n".join("".join(f"{line}\n" for line in section) for section in sections if section)


def _head(found: Inspection) -> list[str]:
    events = found.events
    return [
        "# What to look for in these events. It is a proposal, made from the events alone: rename the goals, change",
        "# their kinds, and leave out what you don't need.",
        _comment(
            f"{plural(events.rows_used, 'event')} of {plural(events.users or 0, 'user')}, "
            f"{period(events.first_time, events.last_time, events.timezone)}, in {plural(events.files, 'file')}"
        ),
        "#",
        "#   microfunnel validate FILE             says whether this file has mistakes",
        "#   microfunnel run EVENTS --goals FILE   counts",
        "version: 1",
    ]


# --- how the files are read -------------------------------------------------------------------------------------------


def _events(found: Inspection, said: Mapping[str, str], where: Mapping[str, object] | None) -> list[str]:
    lines = [
        *_columns(found.forms),
        *(f"  {key}: {text_of(value)}" for key, value in _declared(found.forms, said).items()),
        *([f"  where: {flow_of(where)}     # people and pages: no robots, no images, no failures"] if where else []),
    ]
    hints = ["  # timezone: Europe/Berlin     # of times without a zone, and of days on the screen; else UTC"]
    if found.events.sessions is None:
        hints.append(
            "  # session_timeout: 30m        # a longer pause begins a new session; no column names sessions here"
        )
    # A key whose block holds comments alone would be empty.
    return ["# How the files are read.", *(["events:", *lines] if lines else ["# events:"]), *hints]


def _columns(forms: Sequence[Form]) -> list[str]:
    """The columns, where all files have the same and only their names tell them; else what could be said of them."""
    first = forms[0]
    alike = all(dict(form.columns) == dict(first.columns) and form.guessed == first.guessed for form in forms)
    if alike and first.guessed:
        guessed = {role: first.columns[role] for role in first.columns if role in first.guessed}
        return ["  # Found by their usual names.", f"  columns: {flow_of(guessed)}"]
    said = ", ".join(f"{role} from {clean(column)}" for role, column in first.columns.items())
    return (
        [f"  # columns: {{user: ..., time: ..., event: ...}}     # read so far: {said}"]
        if first.layout is None
        else [f"  # read from: {said}"]
    )


def _declared(forms: Sequence[Form], said: Mapping[str, str]) -> dict[str, str]:
    layouts = {form.layout_name for form in forms}
    layout = next(iter(layouts)) if len(layouts) == 1 else None
    return ({} if layout is None else {"layout": layout}) | dict(said)


# --- goals ------------------------------------------------------------------------------------------------------------


def _goals(found: Inspection, proposal: Proposal, names: Mapping[Act, str]) -> list[str]:
    lines = [
        "# A goal is a named condition on events. macro: what you hope for; milestone: a step on the way; secondary: a",
        "# sign of interest beside the way.",
        "goals:",
    ]
    *steps, end = proposal.steps or (None,)
    for act in steps:
        if act is not None:
            lines += _goal(names[act], MILESTONE, act, found)
    if end is None:
        lines += ["  anything: {kind: macro, match: any}     # there are no events to make goals of"]
    else:
        lines += _goal(names[end], MACRO, end, found)
    for act in proposal.others:
        lines += _goal(names[act], SECONDARY, act, found)
    return lines


def _goal(name: str, kind: str, act: Act, found: Inspection) -> list[str]:
    test = {"glob": act.event} if act.is_pattern else act.event
    parts: dict[str, object] = {"kind": kind, "match": {"event": test}}
    if kind == MACRO and act.money is not None:
        parts["value"] = {"column": act.money}
    users = found.events.users or 0
    share = percent(act.users / users) if users else ""
    comment = f"# {number(act.users)} of {plural(users, 'user')} ({share}), {plural(act.events, 'event')}"
    line = f"  {text_of(name)}: {flow_of(parts)}"
    return [f"{line}     {comment}"] if len(line) + len(comment) <= WIDTH else [f"  {comment}", line]


def _names(acts: Sequence[Act]) -> dict[Act, str]:
    """A name for each goal: of its event, and of no other."""
    names: dict[Act, str] = {}
    for act in acts:
        names[act] = free_name(act.event, set(names.values()))
    return names


def free_name(text: str, taken: Collection[str]) -> str:
    """A name for a goal that is made of this text and not taken yet."""
    base = slug(text)
    numbered = (base if n == 1 else f"{base}_{n}" for n in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)


def slug(event: str) -> str:
    """A name such as `add_to_cart` for an event such as `Add to Cart`."""
    path = re.fullmatch(r"(?:GET )?(/.*)", event)
    if path is not None and not path[1].strip("/*"):
        return "front_page"
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", path[1] if path is not None else event)
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode("ascii")
    name = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:LONGEST_NAME].strip("_")
    if not name:
        return "goal"
    return f"{name}_event" if name in WORDS else name if name[0].isalpha() else f"event_{name}"


# --- funnels ----------------------------------------------------------------------------------------------------------


def _funnels(proposal: Proposal, names: Mapping[Act, str]) -> list[str]:
    if proposal.why_no_funnel is not None or len(proposal.steps) < 2:  # noqa: PLR2004 - a funnel has a way
        return [
            f"# No funnel is proposed: {proposal.why_no_funnel}. One looks like this:",
            "#",
            "# funnels:",
            "#   shop: {steps: [seen, bought], window: 7d}",
        ]
    steps = [names[act] for act in proposal.steps]
    lines = [
        "# A funnel is goals in a row. These are what most who came to the end had done before, in their usual order.",
        "funnels:",
        f"  {text_of(f'to_{steps[-1]}')}:",
        f"    steps: [{', '.join(map(text_of, steps))}]",
        _window(proposal.window),
    ]
    if proposal.by is None:
        return [*lines, "    # by: device     # a column that splits the funnel"]
    values = ", ".join(clean(value.value)[:LONGEST_NAME] for value in proposal.by.commonest[:3])
    return [*lines, f"    by: {text_of(proposal.by.field)}     # {number(proposal.by.different)} values: {values}"]


def _window(window: str) -> str:
    if window == "none":
        return "    window: none     # most take more than 90 days from the first step to the last"
    return f"    window: {window}     # time from the first step to the last: enough for 9 of 10 who came to the end"


# --- YAML -------------------------------------------------------------------------------------------------------------


def flow_of(value: object) -> str:
    """A mapping, or a text, on one line of YAML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{text_of(str(key))}: {flow_of(inner)}' for key, inner in value.items())}}}"
    return text_of(str(value))


def text_of(text: str) -> str:
    """The text as YAML that means it and nothing else."""
    if PLAIN.fullmatch(text) and text.casefold() not in WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable() and clean(char) == char:
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\U{ord(char):08x}"  # noqa: PLR2004 - one byte


def _comment(text: str) -> str:
    return f"# {clean(text)}"

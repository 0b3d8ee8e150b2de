"""What the documents say is what happens: their commands are run, and their names and links exist.

In README.md and docs/*.md a `console` block holds commands (lines that start with `$ `) and, below each, exactly what
it prints; a line `...` stands for any lines. A block whose info string names a file (`csv events.csv`) is that file:
the console blocks after it, up to the next heading, run in a folder with the files named so far, all others in the
repository. A `yaml mistakes.yaml` shows what a goals file may not say.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import program
import pytest

from microfunnel.contracts import schema_of
from microfunnel.errors import ExitCode, GoalsError
from microfunnel.peers import PEERS, Peer
from microfunnel.reading.fields import USUAL_NAMES
from microfunnel.reading.goals_file import read_goals

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*DOCUMENTS, *sorted(ROOT.glob("[CS]*.md"))]
LANGUAGES = {"console", "csv", "json", "ndjson", "python", "sh", "text", "yaml"}
FILES = {"csv", "ndjson", "python", "text", "yaml"}
MISTAKES = "mistakes.yaml"
LEAST_COMMANDS = {
    "README.md": 7,
    "docs/counting.md": 39,
    "docs/goals-file.md": 8,
    "docs/insights.md": 16,
    "docs/reading.md": 4,
    "docs/scripting.md": 12,
    "docs/trust.md": 2,
}
SECONDS = 30
SCREEN = {"COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
OF_THE_SHELL = frozenset("|&;<>()$`*?[]{}~=#\n")


class Command(NamedTuple):
    """A line of a console block, and the lines that it prints."""

    line: str
    prints: list[str]


@dataclass
class Block:
    """A fenced block, and the files that its section has named before it."""

    place: str
    language: str
    name: str
    files: dict[str, str]
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def commands(self) -> list[Command]:
        found: list[Command] = []
        for line in self.lines:
            if line.startswith("$ "):
                found.append(Command(line.removeprefix("$ "), []))
            else:
                found[-1].prints.append(line)
        return found


def title(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks_of(path: Path) -> Iterator[Block]:
    block: Block | None = None
    files: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if block is None and line.startswith("#"):
            files = {}
        elif block is None and line.startswith("```"):
            language, _, name = line.removeprefix("```").partition(" ")
            block = Block(f"{title(path)}:{number}", language, name, dict(files))
        elif block is not None and line == "```":
            if block.name:
                files[block.name] = block.text
            yield block
            block = None
        elif block is not None:
            block.lines.append(line)
    assert block is None, f"{title(path)}: a block is never closed"


BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path)]
CONSOLE = [block for block in BLOCKS if block.language == "console"]
GOALS = [block for block in BLOCKS if block.language == "yaml" and block.text.startswith("version:")]


def in_folder(block: Block, folder: Path) -> Path:
    """Where the block's commands run: in a folder with the files of its section, or in the repository."""
    for name, text in block.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder if block.files else ROOT


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        **SCREEN,
        **program.NOW,
    }
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=SECONDS,
    )


def pattern(prints: list[str]) -> str:
    return "".join("(?:.*\n)*?" if line == "..." else re.escape(f"{line}\n") for line in prints)


def places(blocks: list[Block]) -> list[str]:
    return [block.place for block in blocks]


def needs_a_shell(block: Block, command: Command) -> bool:
    """Whether it is more than a call of the program; what a newcomer types first is always typed into a shell."""
    return block.place.startswith("README") or not (
        command.line.startswith("microfunnel ") and OF_THE_SHELL.isdisjoint(command.line)
    )


@pytest.mark.parametrize("block", CONSOLE, ids=places(CONSOLE))
def test_commands_print_what_the_documents_say(
    block: Block, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = in_folder(block, tmp_path)
    for command in block.commands():
        if needs_a_shell(block, command):
            done = run(command.line, folder)
            code, out, err = done.returncode, done.stdout, done.stderr
        else:
            _, *arguments = shlex.split(command.line)
            code, out, err = program.run_here(folder, *arguments, capfd=capfd, monkeypatch=monkeypatch, **SCREEN)
        assert (code, err) == (0, ""), command.line
        if not re.fullmatch(pattern(command.prints), out):
            assert out.splitlines() == command.prints, command.line


@pytest.mark.parametrize("path", DOCUMENTS, ids=title)
def test_there_are_commands_to_run(path: Path) -> None:
    commands = [command for block in CONSOLE if block.place.startswith(title(path)) for command in block.commands()]
    shown = [command for command in commands if set(command.prints) != {"..."}]
    assert len(shown) >= LEAST_COMMANDS[title(path)]


@pytest.mark.parametrize("block", GOALS, ids=places(GOALS))
def test_goals_files_are_valid_unless_they_show_mistakes(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text(block.text, encoding="utf-8")
    if block.name == MISTAKES:
        with pytest.raises(GoalsError):
            read_goals(path)
    else:
        read_goals(path)


def test_there_are_goals_files_to_read() -> None:
    assert len(GOALS) >= len(LEAST_COMMANDS)


@pytest.mark.parametrize("block", BLOCKS, ids=places(BLOCKS))
def test_each_block_is_of_a_known_kind(block: Block) -> None:
    assert block.language in LANGUAGES
    assert bool(block.name) <= (block.language in FILES)
    assert block.language != "console" or block.lines[0].startswith("$ ")


def pages_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def help_of(*command: str) -> str:
    return run(" ".join(["microfunnel", *command, "--help"]), ROOT).stdout


def commands_and_options() -> tuple[set[str], set[str]]:
    main = help_of()
    commands = set(re.findall(r"^  ([a-z-]+)  ", main.partition("Commands:")[2], re.MULTILINE))
    helps = [main, *map(help_of, sorted(commands))]
    options = {option for text in helps for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)}
    return commands, options


def test_every_command_and_option_is_documented_and_no_other() -> None:
    commands, options = commands_and_options()
    text = pages_text()
    assert {"run", "validate", "schema"} <= commands
    assert {"--goals", "--as-of", "--help"} <= options
    assert {command for command in commands if f"microfunnel {command}" not in text} == set()
    mentioned = set(re.findall(r"`(--[a-z-]+)", text))
    assert mentioned == options


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    calls = re.findall(r"(?:^|`)make((?: [\w=.-]+)*)(?:$|`|  +#)", text, re.MULTILINE)
    named = {word for call in calls for word in call.split() if "=" not in word}
    assert {"demo", "test"} <= named <= targets


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=title)
def test_relative_links_resolve(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    for link in (link for link in links if "://" not in link):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def properties(schema: object) -> Iterator[str]:
    """All keys that a JSON Schema names."""
    if isinstance(schema, dict):
        named = schema.get("properties")
        inner = named if isinstance(named, dict) else {}
        yield from inner
        for value in (*inner.values(), *(value for key, value in schema.items() if key != "properties")):
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


@pytest.mark.parametrize(
    ("schema", "page"),
    [
        ("goals", "docs/goals-file.md"),
        ("report", "docs/scripting.md"),
        ("inspection", "docs/scripting.md"),
        ("compare", "docs/scripting.md"),
        ("effects", "docs/scripting.md"),
        ("paths", "docs/scripting.md"),
        ("credit", "docs/scripting.md"),
        ("lag", "docs/scripting.md"),
    ],
)
def test_every_key_of_a_contract_is_documented(schema: str, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    keys = set(properties(schema_of(schema)))
    assert len(keys) > len(schema)
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_every_usual_column_name_and_exit_code_is_documented() -> None:
    columns = (ROOT / "docs/goals-file.md").read_text(encoding="utf-8")
    assert [name for names in USUAL_NAMES.values() for name in names if f"`{name}`" not in columns] == []
    codes = (ROOT / "docs/scripting.md").read_text(encoding="utf-8")
    assert [code for code in ExitCode if f"| {code.value} |" not in codes] == []


def coded(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "nothing"


def peer_row(name: str, peer: Peer) -> str:
    """What the page on counting says of a system that `--as` names."""
    sets = [
        (f"with {coded(map(option, rule.where.items()))}: " if rule.where else "")
        + coded(map(option, rule.sets.items()))
        for rule in peer.rules
    ]
    return (
        f"| `--as {name}` | {'; '.join(sets)} | {coded([peer.window or '7d'])} | {coded([peer.value])} | "
        f"{coded(sorted(peer.lacks))} |"
    )


def option(named: tuple[str, object]) -> str:
    return f"{named[0]}: {named[1]}"


def peer_note(peer: Peer) -> str:
    return f"{peer.title}: {'; '.join(peer.not_reproduced)}."


@pytest.mark.parametrize("name", PEERS)
def test_the_page_on_counting_says_how_each_other_tool_is_counted(name: str) -> None:
    text = (ROOT / "docs/counting.md").read_text(encoding="utf-8")
    assert peer_row(name, PEERS[name]) in text.splitlines()
    assert f"- {peer_note(PEERS[name])} " in f"{' '.join(text.split())} "

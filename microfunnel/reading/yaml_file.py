"""A YAML file as plain text values, with the line and column of each; whatever is wrong becomes a `GoalsError`.

Text stays text: `on`, `no`, `1:30`, `012`, dates and numbers arrive as they were typed, and only an empty value
(`null`, `~`) and lower-case `true` and `false` are more than text.
"""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml

from microfunnel.errors import GoalsError
from microfunnel.reading.yaml_words import Mark, in_words
from microfunnel.wording import clean, quoted, shortened

Plain: TypeAlias = "str | bool | list[Plain] | dict[str, Plain] | None"
YamlPath: TypeAlias = tuple[str | int, ...]

MOST_BYTES = 1_000_000
MOST_EVENTS = 50_000
MOST_LEVELS = 20
MOST_SHOWN = 100
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """Where something stands, counted from 1."""

    line: int = 1
    column: int = 1


class Mistake(NamedTuple):
    """What is wrong, and where."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, where each key and value of it stands, and the mistakes that do not stop the reading."""

    content: Plain
    keys: dict[YamlPath, Place]
    values: dict[YamlPath, Place]
    empty: set[YamlPath]
    mistakes: list[Mistake]

    def place(self, path: YamlPath, *, of_key: bool = False) -> Place:
        """Where a path's value (or key) stands, or what is nearest above it."""
        first, second = (self.keys, self.values) if of_key else (self.values, self.keys)
        while path not in self.values:
            path = path[:-1]
        return first.get(path) or second.get(path) or Place()


def read_yaml(path: Path) -> Document:
    """The one document of a YAML file."""
    content = _read(path)
    text = ""
    try:
        text = _decoded(content)
        return _document(text)
    except yaml.YAMLError as error:
        raise mistakes_error(path, [_mistake(error, text)]) from None


def mistakes_error(path: Path, mistakes: Iterable[Mistake]) -> GoalsError:
    """All mistakes of a file as one error, in the order of their lines, each safe to show on a terminal."""
    lines = [f"{path}:{place.line}:{place.column}: {message}" for place, message in sorted(set(mistakes))]
    if (more := len(lines) - MOST_SHOWN) > 0:
        lines[MOST_SHOWN:] = [f"{path}: and more of the kind ({more:,} at least)"]
    return GoalsError(*(clean(line) for line in lines))


class _RefusedError(yaml.YAMLError):
    """Text that no goals file may hold, be it YAML or not."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.mistake = Mistake(place, message)


def _mistake(error: yaml.YAMLError, text: str) -> Mistake:
    if isinstance(error, _RefusedError):
        return error.mistake
    if isinstance(error, yaml.MarkedYAMLError):
        mark, message = in_words(error, text)
        return Mistake(_place(mark), message)
    return Mistake(Place(), "this is no YAML")


def _place(mark: Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise GoalsError(clean(f"{path}: there is no such goals file")) from None
    except IsADirectoryError:
        raise GoalsError(clean(f"{path}: is a directory, expected a goals file")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise GoalsError(clean(f"{path}: the goals file can't be read: {reason}")) from None
    if len(content) > MOST_BYTES:
        raise GoalsError(clean(f"{path}: is larger than 1 MB, which is no goals file")) from None
    return content


def _decoded(content: bytes) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("latin-1" if wide else "utf-8-sig", errors="replace")
        raise _RefusedError(_end_of(before), "this character is not UTF-8; save the file as UTF-8") from None
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        message = f"the control character U+{ord(found[0]):04X} has no place in a text file; delete it"
        raise _RefusedError(_end_of(text[: found.start()]), message)
    return text


def _end_of(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _document(text: str) -> Document:
    builder = _Builder(_guarded(text))
    try:
        return builder.document()
    except (ValueError, OverflowError) as error:  # the pure Python scanner, at an escape such as "\UFFFFFFFF"
        raise _RefusedError(Place(), "an escape such as \\U names no character; use single quotes") from error


def _guarded(text: str) -> Iterator[yaml.Event]:
    """The parser's events, as long as they are few, flat and free of references."""
    level = 0
    for count, event in enumerate(yaml.parse(text, Loader=PARSER)):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            raise _refused(event, f"nested deeper than {MOST_LEVELS} levels")
        if count > MOST_EVENTS:
            raise _refused(event, f"more than {MOST_EVENTS:,} values, which is no goals file")
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            kind, sign = ("alias", "*") if isinstance(event, yaml.AliasEvent) else ("anchor", "&")
            name = quoted(sign + event.anchor)
            raise _refused(event, f"{name} is an {kind}, which a goals file can't hold; quote it if it is text")
        if getattr(event, "tag", None):
            raise _refused(event, "a tag (`!`) has no place in a goals file; quote the value if it starts with `!`")
        yield event


def _refused(event: yaml.Event, message: str) -> _RefusedError:
    return _RefusedError(_place(event.start_mark), message)


@dataclass(slots=True)
class _Builder:
    events: Iterator[yaml.Event]
    keys: dict[YamlPath, Place] = field(default_factory=dict)
    values: dict[YamlPath, Place] = field(default_factory=dict)
    empty: set[YamlPath] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)

    def document(self) -> Document:
        content: Plain = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refused(event, "a second document begins here (`---`); a goals file holds one")
                content = self.value(next(self.events), ())
        return Document(content, self.keys, self.values or {(): Place()}, self.empty, self.mistakes)

    def value(self, event: yaml.Event, path: YamlPath) -> Plain:
        self.values[path] = _place(event.start_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.value(item, (*path, index)) for index, item in enumerate(self._until(yaml.SequenceEndEvent))]
        if (scalar := _scalar(event)) is None:
            self.empty.add(path)
        return scalar

    def _mapping(self, path: YamlPath) -> dict[str, Plain]:
        mapping: dict[str, Plain] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._key(event)
            if (*path, key) in self.keys:
                first = self.keys[*path, key].line
                message = f"`{shortened(key)}` stands here a second time, after line {first}; keep one of them"
                self.mistakes.append(Mistake(_place(event.start_mark), message))
                # It is read to its end all the same, by a builder whose findings nobody looks at.
                _Builder(self.events).value(next(self.events), ())
            else:
                self.keys[*path, key] = _place(event.start_mark)
                mapping[key] = self.value(next(self.events), (*path, key))
        return mapping

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _refused(event, "a key must be plain text; quote it if it begins with a bracket")
        if event.value == "<<" and event.implicit[0]:
            raise _refused(event, "`<<` merges mappings, which a goals file can't do; write the keys out")
        return str(event.value)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self.events), end):
            yield event


def _scalar(event: yaml.Event) -> str | bool | None:
    text = str(getattr(event, "value", ""))
    plain = getattr(event, "implicit", (False,))[0]
    return WORDS.get(text, text) if plain else text

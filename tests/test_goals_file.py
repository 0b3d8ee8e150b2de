"""Goals files, right and wrong. A case is a file in `goals_files/`: why, the problems in order, the file."""

import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from microfunnel.errors import ExitCode, GoalsError
from microfunnel.reading.goals_file import read_goals

CASES = sorted((Path(__file__).parent / "goals_files").glob("*.yaml"))
GOOD: str = yaml.safe_load((Path(__file__).parent / "goals_files" / "good.yaml").read_text(encoding="utf-8"))["file"]
SNIPPETS = (
    *"{}[]:,#&*!|>'\"%@`\t\n\0\x1b\x85\u2028\ufeff?-~",
    *(
        ": ",
        "- ",
        "---\n",
        "...\n",
        "<<: ",
        "null",
        "true",
        "&a ",
        "*a",
        "!!map ",
        "\\e",
        "\ud83d",
        "9" * 5_000,
        "[" * 30,
    ),
)


def problems_of(path: Path) -> tuple[str, ...]:
    try:
        read_goals(path)
    except GoalsError as error:
        return tuple(problem.removeprefix(f"{path}:") for problem in error.problems)
    return ()


def problems_in(folder: Path, content: bytes) -> tuple[str, ...]:
    path = folder / "goals.yaml"
    path.write_bytes(content)
    return problems_of(path)


def test_there_are_cases() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_all_mistakes_are_listed_with_their_places(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(problems_in(tmp_path, case["file"].encode())) == case["problems"], case["why"]


def test_ten_mistakes_are_ten_problems() -> None:
    case = yaml.safe_load(next(path for path in CASES if path.stem == "ten_mistakes").read_text(encoding="utf-8"))
    assert len(case["problems"]) == 10


def test_values_stay_the_text_that_they_were_typed_as(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text(
        "version: 1\ngoals: {on: {kind: macro, match: {event: [on, no, 1:30, 012, 2024-01-01, true, 1.10]}}}"
    )
    match = read_goals(path).goals["on"].match
    assert match is not None
    assert match != "any"
    assert match.fields == {"event": ["on", "no", "1:30", "012", "2024-01-01", "true", "1.10"]}


def test_byte_order_marks_and_utf_16_are_fine(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert problems_in(tmp_path, GOOD.encode(encoding)) == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"version: 1\ngoals: caf\xe9", "2:11: this character is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfea", "1:3: this character is not UTF-8; save the file as UTF-8"),
        (b"a: \x1b[31m", "1:4: the control character U+001B has no place in a text file; delete it"),
        (b"a: 1\nb: \0", "2:4: the control character U+0000 has no place in a text file; delete it"),
        (b"#" * 1_000_001, " is larger than 1 MB, which is no goals file"),
        (b"a: [" + b"1," * 60_000 + b"]", "1:99997: more than 50,000 values, which is no goals file"),
        (b"[" * 30_000, "1:21: nested deeper than 20 levels"),
        (b"a: " + b"{b: " * 30_000, "1:80: nested deeper than 20 levels"),
        (b"- " * 30_000, "1:41: nested deeper than 20 levels"),
        (b"", "1:1: the file holds nothing, expected `version`, `goals` and `funnels`"),
    ],
)
def test_what_no_text_case_can_hold(content: bytes, problem: str, tmp_path: Path) -> None:
    assert problems_in(tmp_path, content) == (problem,)


def test_billion_laughs_end_in_a_message(tmp_path: Path) -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    problem = "1:4: `&a` is an anchor, which a goals file can't hold; quote it if it is text"
    assert problems_in(tmp_path, laughs.encode()) == (problem,)


def test_very_many_mistakes_are_cut_off(tmp_path: Path) -> None:
    steps = ", ".join(f"step{index}" for index in range(20_000))
    content = f"version: 1\ngoals: {{a: {{kind: macro, match: any}}}}\nfunnels: {{f: {{steps: [{steps}]}}}}"
    started = time.perf_counter()
    problems = problems_in(tmp_path, content.encode())
    assert len(problems) <= 101
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing.yaml", " there is no such goals file"),
        (".", " is a directory, expected a goals file"),
        ("a\0b", " the goals file can't be read: not a file name"),
        ("x" * 5_000, " the goals file can't be read: "),
    ],
)
def test_a_file_that_is_none(name: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(GoalsError) as raised:
        read_goals(tmp_path / name)
    assert problem in raised.value.problems[0]
    assert raised.value.exit_code == ExitCode.USAGE


def mutated(seed: int) -> str:
    """The good file with a few pieces taken out, doubled, moved or replaced."""
    chance = random.Random(seed)
    text = GOOD
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice([0, 1, 1, 3, 30]))
        piece = chance.choice(["", text[start:end] * 2, chance.choice(SNIPPETS), text[end : end + 20]])
        text = text[:start] + piece + text[end:]
    return text


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_mutation_ends_in_anything_but_a_message(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    started = time.perf_counter()
    problems = problems_in(tmp_path_factory.getbasetemp(), mutated(seed).encode(errors="surrogatepass"))
    assert time.perf_counter() - started < 1
    assert all(problem.isprintable() for problem in problems)


@given(content=st.binary(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_no_bytes_end_in_anything_but_a_message(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert problems_in(tmp_path_factory.getbasetemp(), content)

"""Event names that look alike, of which only one is counted."""

import re
import unicodedata
from collections.abc import Collection, Mapping

from microfunnel.goals import Goal
from microfunnel.matching import event_names_of

LONGEST_NAME = 1_000
"""Characters: what is longer is text that got into the place of a name."""
SEPARATORS = re.compile(r"[\s_-]+")


def near_names(names: Collection[str], named: Mapping[str, Goal]) -> dict[str, str]:
    """Event name to the name that some condition lists and that differs from it in nothing that people see or mean.

    That is: case, white space, `-` and `_`, how accents are composed, and characters without a width. A name that some
    condition lists is meant as it is.
    """
    listed = {name for goal in named.values() for name in event_names_of(goal) or ()}
    folded = {_folded(name): name for name in sorted(listed, reverse=True)}
    others = sorted(name for name in names if name not in listed and len(name) <= LONGEST_NAME)
    near = {name: folded[key] for name in others if (key := _folded(name)) in folded}
    return {name: other for name, other in near.items() if _folded(name)}


def same_to_the_eye(one: str, other: str) -> bool:
    """Whether two names look the same, however they are spelled."""
    return _seen(one) == _seen(other)


def _seen(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    return "".join(char for char in composed if unicodedata.category(char) != "Cf").strip()


def _folded(name: str) -> str:
    return SEPARATORS.sub("", _seen(name).casefold())

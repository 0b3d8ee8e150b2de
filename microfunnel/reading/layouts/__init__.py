"""The exports of other tools, one file of declarations for each tool."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from microfunnel.reading.layouts.declaration import Aggregate, Layout


@cache
def all_layouts() -> list[Layout]:
    """Every layout that the files of this folder declare (their LAYOUTS)."""
    return [layout for module in _modules() for layout in getattr(module, "LAYOUTS", ())]


@cache
def all_aggregates() -> list[Aggregate]:
    """Every export without users that the files of this folder declare (their AGGREGATES)."""
    return [each for module in _modules() for each in getattr(module, "AGGREGATES", ())]


def _modules() -> list[object]:
    return [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]

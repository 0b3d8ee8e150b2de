"""A report as text, in each format: FORMATS is the one place where a format is registered."""

from collections.abc import Callable
from dataclasses import dataclass

from microfunnel.results import Report


@dataclass(frozen=True, slots=True)
class Screen:
    """What the text is for: how wide it may be, and what may be in it."""

    width: int | None
    """Cells of the terminal; None where there is none, and nothing is cut."""
    colour: bool
    unicode: bool
    """False keeps to ASCII."""


def _table(report: Report, screen: Screen) -> str:
    # rich takes longer to import than the other formats take to render.
    from microfunnel.rendering.to_terminal import render

    return render(report, screen)


def _json(report: Report, screen: Screen) -> str:
    from microfunnel.rendering.to_json import render

    return render(report, screen)


def _csv(report: Report, screen: Screen) -> str:
    from microfunnel.rendering.report_records import render

    return render(report, screen)


FORMATS: dict[str, Callable[[Report, Screen], str]] = {"table": _table, "json": _json, "csv": _csv}

"""Bars of any width, in eighths of a cell or in ASCII; a share that is neither nothing nor all never looks like it."""

EIGHTHS = " ▏▎▍▌▋▊▉"
HEIGHTS = "▁▂▃▄▅▆▇█"
ASCII_HEIGHTS = "_.:-=+%#"


def bar(share: float, width: int, *, unicode: bool) -> str:
    """The part of the width that the share fills."""
    if unicode:
        whole, rest = divmod(_filled(share, width * 8), 8)
        return "█" * whole + EIGHTHS[rest].strip()
    return "#" * _filled(share, width)


def lost(share: float, previous: float, width: int, *, unicode: bool, worst: bool = False) -> str:
    """What follows the bar of a share, as far as the bar of the step before reached."""
    start = len(bar(share, width, unicode=unicode))
    end = len(bar(previous, width, unicode=unicode))
    if not unicode:
        return (":" if worst else ".") * (end - start)
    return ("▒" if worst else "░") * (end - start)


def block(value: float | None, highest: float, *, unicode: bool) -> str:
    """One cell as high as the value: lowest for nothing only, full for the highest only, empty where there is none."""
    if value is None:
        return " "
    heights = HEIGHTS if unicode else ASCII_HEIGHTS
    return heights[_filled(value / highest if highest else 0.0, len(heights) - 1)]


def _filled(share: float, parts: int) -> int:
    if share <= 0:
        return 0
    if share >= 1:
        return parts
    return min(max(round(share * parts), 1), parts - 1)

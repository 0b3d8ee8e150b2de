"""Each segment beside all other units."""

from rich.text import Text

from microfunnel.findings.compare import SegmentDifference, SegmentsFinding
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import HEADER, LONGEST_VALUE, figures, name, unit
from microfunnel.rendering.differences import chance, difference_columns, more_or_less
from microfunnel.rendering.grid import Column, cut, grid, wrap
from microfunnel.rendering.segments import NO_GROUP
from microfunnel.rendering.text import number, percent
from microfunnel.wording import plural


def segments(finding: SegmentsFinding, screen: Screen) -> list[Text]:
    """The sentence, and one line for each segment."""
    return [*wrap(name(_sentence(finding), screen), screen), Text(), *_table(finding, screen)]


def _sentence(finding: SegmentsFinding) -> str:
    if not finding.funnel.totals.entered:
        return f"No {unit(finding.funnel)} entered."
    found = [each for each in finding.segments if each.conversion.is_found]
    if not found:
        return "No segment differs from all others beyond chance."
    named = [each for each in found if NO_GROUP.isdisjoint(each.by.values())]
    surest = min(named or found, key=lambda each: (each.conversion.q or 0.0, -abs(each.conversion.value or 0.0)))
    others = len(found) - 1
    also = f" {plural(others, 'other segment')} {'differs' if others == 1 else 'differ'}, too." if others else ""
    difference = surest.conversion
    return (
        f"{_label(surest)} converts {percent(difference.rate.value)} of the {unit(finding.funnel)} that entered, all "
        f"others {percent(difference.other.value)}: {more_or_less(difference)}, q {chance(difference.q)}.{also}"
    )


def _label(segment: SegmentDifference) -> str:
    return ", ".join(segment.by.values())


def _table(finding: SegmentsFinding, screen: Screen) -> list[Text]:
    rows = finding.segments
    if not rows:
        return []
    in_progress = [each.in_progress or 0 for each in rows]
    labels = [cut(name(_label(each), screen), LONGEST_VALUE, screen) for each in rows]
    columns = [
        Column(name(f"by {', '.join(finding.columns)}", screen, "bold"), labels, right=False, least=10),
        figures("entered", [number(each.conversion.rate.whole) for each in rows], goes=7),
        *([figures("in progress", [number(each) for each in in_progress], goes=1)] if any(in_progress) else []),
    ]
    differences = [each.conversion for each in rows]
    columns += difference_columns(differences, Text("converted", style=HEADER), Text("others", style=HEADER))
    return grid(columns, screen)

"""A comparison for the terminal: what was found in one sentence, and the tables that it is read from."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.findings.compare import ChangeFinding, CompareFinding, SegmentsFinding, VariantsFinding
from microfunnel.rendering import Screen
from microfunnel.rendering.compare_change import change
from microfunnel.rendering.compare_records import contents, rows
from microfunnel.rendering.compare_segments import segments
from microfunnel.rendering.compare_variants import variants
from microfunnel.rendering.findings import formats
from microfunnel.rendering.funnel import funnel_headline
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.trust import trust


def render(finding: CompareFinding, screen: Screen) -> str:
    """All of a comparison, what was found first."""
    lines = [*funnel_headline(finding.funnel, finding.events, screen), *_body(finding, screen), Text(), Text()]
    lines += trust(finding.events, screen, with_period=False)
    if isinstance(finding, ChangeFinding) and finding.baseline_events is not None:
        lines += [Text(), Text("baseline", style="bold"), *trust(finding.baseline_events, screen, with_period=True)]
    return printed(lines, screen)


def _body(finding: CompareFinding, screen: Screen) -> Sequence[Text]:
    match finding:
        case VariantsFinding():
            return variants(finding, screen)
        case ChangeFinding():
            return change(finding, screen)
        case SegmentsFinding():
            return segments(finding, screen)


FORMATS = formats("compare", render, contents, rows)

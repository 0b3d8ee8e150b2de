"""The variants of a test: who saw which, how they did, and each against the control."""

from collections.abc import Callable, Sequence

from rich.text import Text

from microfunnel.findings.compare import Difference, Variant, VariantsFinding
from microfunnel.rendering import Screen, bars
from microfunnel.rendering.cells import GOOD, HEADER, LONGEST_VALUE, caution, figures, name, share, unit
from microfunnel.rendering.differences import chance, difference_columns, more_or_less, signed
from microfunnel.rendering.grid import Bars, Column, cut, grid, wrap
from microfunnel.rendering.text import number, percent, words
from microfunnel.results import Totals

MOST_SENTENCES = 3


def variants(finding: VariantsFinding, screen: Screen) -> list[Text]:
    """The sentence, the variants, and the steps of each against the control."""
    lines = [line for sentence in _sentences(finding) for line in wrap(name(sentence, screen), screen)]
    if finding.is_mismatched:
        lines += caution("the split is off: do not trust the comparison", screen)
    lines += [Text(), *_variants(finding, screen), *_apart(finding, screen)]
    for variant in finding.variants[1:]:
        lines += [Text(), *_against(variant, finding, screen)]
    return lines


def _sentences(finding: VariantsFinding) -> list[str]:
    """What was found of the conversion, the surest first; or what could have been."""
    if not finding.funnel.totals.entered:
        return [f"No {unit(finding.funnel)} entered."]
    if not finding.control.totals.entered or len(finding.variants) == 1:
        return ["There is nothing to compare: the control, another variant or both have no units."]
    found = [each for each in finding.variants[1:] if each.differences[-1].is_found]
    surest = sorted(found, key=lambda each: (each.differences[-1].q or 0.0, each.name))
    sentences = [_found(each, finding) for each in surest[:MOST_SENTENCES]]
    if len(surest) > MOST_SENTENCES:
        sentences.append(f"{len(surest) - MOST_SENTENCES} more differ from the control, too.")
    return sentences or [_nothing_found(finding), *_on_the_way(finding)]


def _found(variant: Variant, finding: VariantsFinding) -> str:
    difference = variant.differences[-1]
    return (
        f"{variant.name} converts {percent(difference.rate.value)} of the {unit(finding.funnel)} that entered, "
        f"{finding.control.name} {percent(difference.other.value)}: {more_or_less(difference)}, "
        f"q {chance(difference.q)}."
    )


def _nothing_found(finding: VariantsFinding) -> str:
    effects = [each.smallest_effect for each in finding.variants[1:]]
    known = [each for each in effects if each is not None]
    could = (
        f"this sample could have found one of {signed(max(known)).lstrip('+')} points or more"
        if len(known) == len(effects)
        else "this sample is too small to find any"
    )
    return f"No difference of the conversion beyond chance was found; {could}."


def _on_the_way(finding: VariantsFinding) -> list[str]:
    """The surest difference at another step."""
    found = [(step.q or 0.0, each.name, step) for each in finding.variants[1:] for step in each.differences]
    sure = [each for each in found if each[2].is_found]
    if not sure:
        return []
    q, variant, step = min(sure, key=lambda each: (each[0], each[1], each[2].step))
    rates = f"{percent(step.rate.value)} of {variant}, {percent(step.other.value)} of {finding.control.name}"
    return [f"On the way there is one, at {words(step.goal)}: {rates}, {more_or_less(step)}, q {chance(q)}."]


def _variants(finding: VariantsFinding, screen: Screen) -> list[Text]:
    """One line for each variant."""
    rows = finding.variants
    everybody = sum(each.totals.entered for each in rows)
    highest = max((each.totals.conversion.value or 0.0 for each in rows), default=0.0) or 1.0
    in_progress = [each.totals.in_progress or 0 for each in rows]
    labels = [_label(each.name, screen) for each in rows]
    labels[0].append(" (control)", style=HEADER)
    columns = [
        Column(name(f"by {finding.column}", screen, "bold"), labels, right=False, least=10),
        figures("entered", _each(rows, lambda totals: number(totals.entered))),
        figures("of these", [percent(each.totals.entered / everybody if everybody else None) for each in rows], goes=4),
        figures("meant", [percent(each.share) for each in rows], goes=1),
        figures("converted", _each(rows, lambda totals: number(totals.converted)), goes=5),
        figures("of entered", _each(rows, lambda totals: share(totals.conversion))),
    ]
    if any(in_progress):
        columns.append(figures("in progress", [number(each) for each in in_progress], goes=3))
        columns.append(figures("matured", _each(rows, lambda totals: share(totals.matured)), goes=2))

    def drawn(width: int) -> list[Text]:
        heights = [(each.totals.conversion.value or 0.0) / highest for each in rows]
        return [Text(bars.bar(each, width, unicode=screen.unicode), style=GOOD) for each in heights]

    return grid(columns, screen, Bars(drawn, 5, 24, [""] * len(rows)))


def _each(rows: Sequence[Variant], shown: Callable[[Totals], str]) -> list[str]:
    return [shown(each.totals) for each in rows]


def _label(text: str, screen: Screen) -> Text:
    return cut(name(text, screen), LONGEST_VALUE, screen)


def _apart(finding: VariantsFinding, screen: Screen) -> list[Text]:
    """Who is compared with nobody, and whether the split is what it was meant to be."""
    units = unit(finding.funnel)
    phrases = [
        f"seen in several variants: {number(finding.several.entered)} {units}, left out",
        f"without variant: {number(finding.without.entered)}",
    ]
    if finding.sample_ratio_p is not None:
        verdict = "off" if finding.is_mismatched else "as meant"
        phrases.append(f"the split is {verdict} (p {chance(finding.sample_ratio_p)})")
    return wrap(Text("; ".join(phrases), style="dim"), screen)


def _against(variant: Variant, finding: VariantsFinding, screen: Screen) -> list[Text]:
    """The steps of a variant beside those of the control, each of all units that entered."""
    title = Text.assemble(_label(variant.name, screen), " against ", _label(finding.control.name, screen), style="bold")
    shown = [each for each in variant.differences if not _is_entry(each)]
    labels = [name(words(each.goal), screen) for each in shown]
    columns = [
        Column(Text("of entered", style=HEADER), labels, right=False, least=10),
        *difference_columns(shown, _header(variant.name, screen), _header(finding.control.name, screen)),
    ]
    effect = variant.smallest_effect
    could = (
        "This sample is too small to find any rise of the conversion in four of five such tests."
        if effect is None
        else f"A rise of the conversion by {signed(effect).lstrip('+')} points or more would be found in four of five "
        "such tests."
    )
    return [title, *grid(columns, screen), *wrap(Text(could, style="dim"), screen)]


def _header(text: str, screen: Screen) -> Text:
    return name(text, screen, HEADER)


def _is_entry(difference: Difference) -> bool:
    """Whether all have taken the step by entering."""
    return difference.rate.part == difference.rate.whole and difference.other.part == difference.other.whole

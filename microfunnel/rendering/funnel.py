"""The section of a funnel: what was counted, the sentence that matters, and its tables."""

from rich.text import Text

from microfunnel.accounts import EventsResult
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import WORST, caution, name, unit
from microfunnel.rendering.grid import flow, wrap
from microfunnel.rendering.headline import headline
from microfunnel.rendering.segments import segments
from microfunnel.rendering.steps import is_open, reasons, steps
from microfunnel.rendering.text import interval, listed, money, number, percent, window, words
from microfunnel.rendering.trend import trend
from microfunnel.rendering.what_if import what_if
from microfunnel.results import FunnelResult, Step, Totals
from microfunnel.wording import plural

ORDERS = {"ordered": "in order", "strict": "in strict order", "any": "in any order"}


def funnel_section(funnel: FunnelResult, events: EventsResult, screen: Screen) -> list[Text]:
    """All of one funnel, the most important first."""
    lines = [*funnel_headline(funnel, events, screen), *_summary(funnel, screen), *left_out(funnel, screen)]
    for table in (steps, reasons, what_if, segments, trend):
        if shown := table(funnel, screen):
            lines += [Text(), *shown]
    return lines


def funnel_headline(funnel: FunnelResult, events: EventsResult, screen: Screen) -> list[Text]:
    """Which funnel it is, how it counts, and when the events were."""
    return headline(funnel.funnel, _how(funnel), events, screen)


def _how(funnel: FunnelResult) -> str:
    counts = unit(funnel) if unit(funnel) == funnel.count else f"units of {listed(_columns(funnel), 'and')}"
    how = [counts, ORDERS.get(funnel.order, funnel.order), window(funnel.window_seconds)]
    if is_open(funnel):
        how.append("open")
    if funnel.entry == "first":
        how.append("first entry only")
    return ", ".join(how)


def _columns(funnel: FunnelResult) -> list[str]:
    """What an event has to have to belong to a unit."""
    return [funnel.count.removesuffix("s")] if funnel.count == unit(funnel) else funnel.count.split(", ")


def _summary(funnel: FunnelResult, screen: Screen) -> list[Text]:
    totals = funnel.totals
    if not totals.entered:
        return [Text(f"No {unit(funnel)} entered.")]
    lines = flow(_converted(totals), screen)
    if totals.worst_step is None:
        lines.append(Text(f"No {unit(funnel)} are lost on the way."))
    else:
        lines += wrap(_worst(totals.worst_step, funnel, screen), screen)
    return [*lines, *flow(_worth(totals, screen), screen)]


def _converted(totals: Totals) -> list[Text]:
    rate = totals.conversion
    shown = f"{percent(rate.value)} ({interval(rate.interval())})"
    counts = f"{number(totals.entered)} entered, {number(totals.converted)} converted: "
    phrases = [Text.assemble(counts, (shown, "bold"))]
    if totals.in_progress and totals.matured is not None:
        matured = totals.matured
        counts = f"{number(matured.part)} of {number(matured.whole)}"
        phrases.append(
            Text(f"{number(totals.in_progress)} in progress, matured rate {percent(matured.value)} ({counts})")
        )
    return phrases


def _worth(totals: Totals, screen: Screen) -> list[Text]:
    """What the converted are worth; the others, were they worth as much; nothing where the last step has no value."""
    value, each, at_risk = totals.value, totals.value_per_converted, totals.value_at_risk
    if value is None or each is None or at_risk is None:
        return []
    shown, mean, lost = (money(amount, totals.currency) for amount in (value, each, at_risk))
    found = [name(f"The converted are worth {shown}, {mean} each", screen)]
    return [*found, name(f"{lost} at risk with the others", screen)] if totals.converted < totals.entered else found


def _worst(worst: Step, funnel: FunnelResult, screen: Screen) -> Text:
    before, after = words(funnel.totals.before(worst).goal), words(worst.goal)
    where = f"after {before} steps" if funnel.order == "any" else f"between {before} and {after}"
    counts = f"{number(worst.dropped or 0)} of {number(worst.previous or 0)}"
    rate = percent(worst.drop_off.value if worst.drop_off else None)
    waiting = f", {number(worst.in_progress)} of them still in progress" if worst.in_progress else ""
    return Text.assemble("Most are lost ", name(where, screen), ": ", (f"{counts} ({rate})", WORST), waiting)


def left_out(funnel: FunnelResult, screen: Screen) -> list[Text]:
    """How many events belong to no unit."""
    if not funnel.left_out:
        return []
    have, are = ("has", "is") if funnel.left_out == 1 else ("have", "are")
    missing = listed(_columns(funnel), "or")
    return caution(f"{plural(funnel.left_out, 'event')} {have} no {missing} and {are} left out", screen)

"""The credit of channels for people: the finding, and a table of channels by models."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from rich.text import Text

from microfunnel.findings.credit import MILLIONTHS, MODELS, ChannelCredit, CreditFinding
from microfunnel.rendering import Screen
from microfunnel.rendering.cells import HEADER, LONGEST_VALUE, figures, name
from microfunnel.rendering.credit_records import contents, rows
from microfunnel.rendering.findings import formats
from microfunnel.rendering.grid import Column, cut, flow, grid, wrap
from microfunnel.rendering.text import amounts, number, percent, span, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.trust import trust
from microfunnel.wording import plural

MOST_CHANNELS = 20
TOTAL = "all"
HEADERS = {"last_non_direct": "non-direct", "time_decay": "decay"}
GOES = {"first": 6, "last": 0, "last_non_direct": 0, "linear": 5, "position": 0, "time_decay": 4}
"""Which model's column goes first where there is too little room."""
WHOLE = ("first", "last", "last_non_direct")
"""The models that give a conversion to one channel."""


def render(finding: CreditFinding, screen: Screen) -> str:
    """The channels with the most conversions by position first."""
    lines = [*_headline(finding, screen), *_summary(finding, screen)]
    if finding.channels:
        lines += [Text(), *_table(finding, screen, "conversions", _counts)]
    if finding.value is not None and finding.conversions:
        lines += [Text(), *_table(finding, screen, "value", _money)]
    return printed([*lines, Text(), Text(), *trust(finding.events, screen, with_period=True)], screen)


def _headline(finding: CreditFinding, screen: Screen) -> list[Text]:
    how = f"credit by {finding.column}, touches of {span(finding.lookback_seconds)} before"
    return flow([name(words(finding.goal), screen, "bold"), name(how, screen)], screen, "   ")


def _summary(finding: CreditFinding, screen: Screen) -> list[Text]:
    if finding.mean_touches is None:
        return [Text("Nobody converted, so there is nothing to credit.")]
    worth = "" if finding.value is None else f", worth {amounts([finding.value])[0]}"
    alone = finding.single_touch
    phrases = [
        Text(f"{plural(finding.conversions, 'conversion')} of {plural(finding.users, 'user')}{worth}"),
        Text(f"{finding.mean_touches:.1f} touches each, {percent(alone.value)} ({number(alone.part)}) after one alone"),
    ]
    return [*flow(phrases, screen), *wrap(_most(finding, screen), screen), *wrap(_moved(finding, screen), screen)]


def _most(finding: CreditFinding, screen: Screen) -> Text:
    """Who comes first where the last touch gets all, and what it has where others get a part."""
    top = max(finding.channels, key=lambda each: each.credits["last"])
    last = number(top.credits["last"] // MILLIONTHS)
    by_last, by_position = (percent(finding.share(top, model).value) for model in ("last", "position"))
    shown = f"{last} of {number(finding.conversions)} ({by_last})"
    who = name(top.channel, screen)
    return Text.assemble(who, " gets most as the last touch: ", (shown, "bold"), f", and {by_position} by position")


def _moved(finding: CreditFinding, screen: Screen) -> Text:
    """Which channel gains most, and which loses most, where direct visits are looked through."""

    def gain(channel: ChannelCredit) -> int:
        return channel.credits["last_non_direct"] - channel.credits["last"]

    def ends(channel: ChannelCredit) -> str:
        last, other = (number(channel.credits[model] // MILLIONTHS) for model in ("last", "last_non_direct"))
        return f"{last} to {other}"

    low, high = min(finding.channels, key=gain), max(finding.channels, key=gain)
    if not gain(high):
        return Text("Looking through direct touches changes nothing.")
    lost, gained = (name(each.channel, screen) for each in (low, high))
    return Text.assemble(
        "From last to last non-direct, ", lost, f" loses most ({ends(low)}) and ", gained, f" gains most ({ends(high)})"
    )


Shown = Callable[[Sequence[ChannelCredit], CreditFinding, str], list[str]]


def _table(finding: CreditFinding, screen: Screen, title: str, shown: Shown) -> list[Text]:
    channels = finding.channels[:MOST_CHANNELS]
    others = finding.channels[MOST_CHANNELS:]
    labels = [name(each.channel, screen) for each in channels]
    labels = labels if screen.width is None else [cut(label, LONGEST_VALUE, screen) for label in labels]
    more = [Text(f"({plural(len(others), 'other')})")] if others else []
    columns = [Column(Text(title, style="bold"), [*labels, *more, Text(TOTAL)], right=False, least=11)]
    if title == "conversions":
        columns += _counted(channels, [""] * (len(more) + 1))
    columns += [
        figures(HEADERS.get(model, model), shown(channels, finding, model), goes=GOES[model]) for model in MODELS
    ]
    lines = grid(columns, screen)
    lines[-1].stylize_before(HEADER)
    return lines


def _counted(channels: Sequence[ChannelCredit], more: Sequence[str]) -> list[Column]:
    """What is counted of each channel and does not add up to anything."""
    return [
        figures("users", [*(number(each.users) for each in channels), *more], goes=2),
        figures("touches", [*(number(each.touches) for each in channels), *more], goes=1),
        figures("assisted", [*(number(each.assisted) for each in channels), *more], goes=3),
    ]


def _with_sums(
    channels: Sequence[ChannelCredit], finding: CreditFinding, given: Callable[[ChannelCredit], Decimal]
) -> list[Decimal]:
    """What these channels have, then all others together if there are any, and all."""
    own = [given(each) for each in channels]
    others = (
        [sum(map(given, finding.channels[len(channels) :]), Decimal())] if finding.channels[len(channels) :] else []
    )
    return [*own, *others, sum([*own, *others], Decimal())]


def _counts(channels: Sequence[ChannelCredit], finding: CreditFinding, model: str) -> list[str]:
    counts = _with_sums(channels, finding, lambda each: each.conversions(model))
    return [number(int(count)) if model in WHOLE else _tenths(count) for count in counts]


def _tenths(count: Decimal) -> str:
    """A number with one digit; only nothing shows as 0.0."""
    return "<0.1" if 0 < count < Decimal("0.05") else f"{count:,.1f}"


def _money(channels: Sequence[ChannelCredit], finding: CreditFinding, model: str) -> list[str]:
    sums = _with_sums(channels, finding, lambda each: each.value(model) or Decimal())
    return [f"{each:,.2f}" for each in sums]


FORMATS = formats("credit", render, contents, rows)

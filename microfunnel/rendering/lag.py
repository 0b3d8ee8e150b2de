"""How long users take to a goal, for people: the finding, the curve, the percentiles and the histograms."""

from collections.abc import Sequence

from rich.text import Text

from microfunnel.findings.lag import DAY, Age, Bucket, LagFinding, Steps
from microfunnel.rendering import Screen
from microfunnel.rendering.bars import bar
from microfunnel.rendering.cells import GOOD, figures, name, share
from microfunnel.rendering.findings import formats
from microfunnel.rendering.grid import Bars, Column, flow, grid, wrap
from microfunnel.rendering.lag_records import contents, rows
from microfunnel.rendering.text import DASH, duration, interval, number, percent, span, words
from microfunnel.rendering.to_terminal import printed
from microfunnel.rendering.trust import trust
from microfunnel.results import PERCENTILES, Rate
from microfunnel.wording import plural

SHOWN_DAYS = (1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730)
"""Whole days of the curve that have a line of their own, beside those under one day."""
LATE = {"p10": 1, "p25": 3, "p75": 4, "p95": 2}
"""Which percentiles go first where there is too little room."""


def render(finding: LagFinding, screen: Screen) -> str:
    """The share converted by age first, then how long those took who converted."""
    sections = [[*_headline(finding, screen), *_summary(finding, screen)]]
    if finding.curve and finding.converted:
        sections.append(_curve(finding.curve, screen))
    if finding.converted:
        sections += [
            _percentiles(finding, screen),
            _histogram("days", finding.days, screen),
            _histogram("sessions", finding.sessions.buckets, screen),
            _histogram("events", finding.acts.buckets, screen),
        ]
    lines = [line for section in sections for line in (*section, Text())]
    return printed([*lines, Text(), *trust(finding.events, screen, with_period=True)], screen)


def _start(finding: LagFinding) -> str:
    return "the first event" if finding.start is None else f"the first {words(finding.start)}"


def _headline(finding: LagFinding, screen: Screen) -> list[Text]:
    how = f"from {_start(finding)} to the first {words(finding.goal)}"
    return flow([name(words(finding.goal), screen, "bold"), name(how, screen)], screen, "   ")


def _summary(finding: LagFinding, screen: Screen) -> list[Text]:
    rate = finding.rate
    if not rate.whole:
        return [Text("Nobody started.")]
    if not rate.part:
        return [Text(f"None of {plural(rate.whole, 'user')} converted.")]
    took = finding.seconds.percentiles
    phrases = [
        Text(f"{number(rate.part)} of {plural(rate.whole, 'user')} converted"),
        Text(f"half of them within {duration(took['median'])}, one in ten later than {duration(took['p90'])}"),
    ]
    told = [] if finding.telling is None else wrap(_told(finding.telling), screen)
    return [*told, *flow(phrases, screen)]


def _told(age: Age) -> Text:
    """The finding: the share converted by an age, and what the plain rate says instead."""
    shown = f"{percent(age.share)} of users convert"
    between = "" if age.interval is None else f" ({interval(age.interval)})"
    told = Text.assemble(f"Within {span(age.seconds)} ", (shown, "bold"), between)
    plain = percent(age.naive.value)
    if age.too_recent and plain != percent(age.share):
        counts = f"{number(age.converted)} of {number(age.users)}"
        told.append(f"; naively {plain} ({counts}), but {plural(age.too_recent, 'user')} had less time")
    return told


def _curve(curve: Sequence[Age], screen: Screen) -> list[Text]:
    shown = [age for age in curve if age.seconds < DAY or age.seconds // DAY in SHOWN_DAYS]
    shown += [] if curve[-1] in shown else [curve[-1]]
    columns = [
        Column(Text("converted within", style="bold"), [Text(span(age.seconds)) for age in shown], right=False),
        figures("share", [percent(age.share) for age in shown]),
        figures("95 %", [interval(age.interval) for age in shown], goes=2),
        figures("naive", [share(age.naive) for age in shown], goes=3),
        figures("watched longer", [number(age.watched) for age in shown], goes=1),
    ]
    highest = max(age.share for age in shown) or 1.0

    def draw(width: int) -> Sequence[Text]:
        return [Text(bar(age.share / highest, width, unicode=screen.unicode), style=GOOD) for age in shown]

    return grid(columns, screen, Bars(draw, 8, 40, [""] * len(shown)))


def _percentiles(finding: LagFinding, screen: Screen) -> list[Text]:
    times = finding.seconds
    columns = [Column(Text("to convert", style="bold"), [Text("time"), Text("sessions"), Text("events")], right=False)]
    for place in PERCENTILES:
        cells = [
            duration(times.percentiles[place]),
            *(_some(steps, place) for steps in (finding.sessions, finding.acts)),
        ]
        columns.append(figures(place, cells, goes=LATE.get(place, 0)))
    means = [DASH if steps.mean is None else f"{steps.mean:,.1f}" for steps in (finding.sessions, finding.acts)]
    columns.append(figures("mean", [duration(times.mean), *means], goes=5))
    return grid(columns, screen)


def _some(steps: Steps, place: str) -> str:
    return f"{steps.percentiles[place]:,.1f}".removesuffix(".0") if steps.n else DASH


def _histogram(title: str, buckets: Sequence[Bucket], screen: Screen) -> list[Text]:
    """A line for each bucket up to the last with a user."""
    last = max((place for place, bucket in enumerate(buckets) if bucket.users), default=-1)
    shown = buckets[: last + 1]
    users = sum(bucket.users for bucket in shown)
    columns = [
        Column(Text(title, style="bold"), [Text(label(bucket)) for bucket in shown], right=False),
        figures("users", [number(bucket.users) for bucket in shown]),
        figures("of converted", [share(Rate(bucket.users, users)) for bucket in shown], goes=1),
    ]
    most = max((bucket.users for bucket in shown), default=1)

    def draw(width: int) -> Sequence[Text]:
        return [Text(bar(bucket.users / most, width, unicode=screen.unicode), style=GOOD) for bucket in shown]

    return grid(columns, screen, Bars(draw, 8, 40, [""] * len(shown)))


def label(bucket: Bucket) -> str:
    """What is in a bucket: `7`, `8 to 14` or `365 or more`."""
    if bucket.high is None:
        return f"{bucket.low} or more"
    return str(bucket.low) if bucket.low == bucket.high else f"{bucket.low} to {bucket.high}"


FORMATS = formats("lag", render, contents, rows)

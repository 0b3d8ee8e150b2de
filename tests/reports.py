"""Made-up reports for the renderers: plausible, large, empty and hostile."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from microfunnel.accounts import EventsResult, RejectedRow, ReportWarning
from microfunnel.insights.what_if import with_levers
from microfunnel.levers import BestSegment, Gain, Lever
from microfunnel.results import (
    PERCENTILES,
    FunnelResult,
    GoalResult,
    PeriodOfEntry,
    Rate,
    Report,
    Segment,
    Step,
    Times,
    Totals,
)

OPTIONAL = ("coupon", "gift_wrap")
GOALS = ("view_product", "add_to_cart", "checkout", "purchase")
HOSTILE = (
    "\x1b[31mred\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m\x85",
    "[red]x",
    "[/]",
    "[link=file:///etc/passwd]here[/link]",
    ":smile:",
    "\u202egnp.exe",
    "\u2066a\u2069\u061c",
    "a\nb\r\tc\u2028d",
    "\ud800",
    "\U000e0041\U000e007f\ufeff",
    "注文を確認する画面へ進む",
    "🛒🛒🛒 kasse 👩‍💻 ❤️",
    "e\u0301e\u0301e\u0301" + "\u0301" * 40,
    "",
    " ",
    "x" * 300,
)


def micros(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000


def times(n: int, seconds: float | None) -> Times:
    """Times around a median; none of them where n is 0."""
    if not n or seconds is None:
        return Times(0, 0, {})
    percentiles = {name: seconds * (0.5 + share) for name, share in PERCENTILES.items()}
    return Times(n, round(n * seconds * 1.25) * 1_000_000, percentiles)


def totals(
    reached: Sequence[int],
    *,
    goals: Sequence[str] = GOALS,
    waits: Sequence[float] = (247, 660, 118),
    in_progress: int | None = 0,
    known: Mapping[str, Sequence[int]] | None = None,
) -> Totals:
    """Steps that so many units reached, the units in progress all waiting for the last step.

    `known` says more of each step, the first included: `entered_here`, and why units stopped before it.
    """
    nobody = [0] * (len(reached) - 1)
    reasons = {"entered_here": [reached[0], *nobody], "in_progress": [*nobody, in_progress or 0], **(known or {})}
    here = reasons.pop("entered_here")
    steps: list[Step] = []
    before = None
    for place, (goal, n) in enumerate(zip(goals, reached, strict=True)):
        wait = waits[(place - 1) % len(waits)]
        step = Step(
            step=place + 1,
            goal=goal,
            reached=n,
            previous=before,
            entered=sum(here),
            times_from_previous=times(n, wait) if place else None,
            times_from_first=times(n, wait * place) if place else None,
            optional=goal in OPTIONAL,
            entered_here=here[place],
        )
        if step.dropped is not None:
            others = {reason: counts[place] for reason, counts in reasons.items()}
            step = replace(step, stopped={"no_event": step.dropped - sum(others.values()), **others})
        steps.append(step)
        before = before if step.optional else n
    matured = None if in_progress is None else Rate(before or 0, sum(here) - in_progress)
    return Totals(tuple(steps), sum(here), matured, in_progress)


def funnel(counted: Totals, name: str = "checkout", segments: Sequence[Segment] = ()) -> FunnelResult:
    return FunnelResult(
        funnel=name,
        order="ordered",
        count="users",
        entry="best",
        window_seconds=604_800.0,
        totals=counted,
        segments=tuple(segments),
    )


def by(column: str, value: str, counted: Totals, read: str = "entry") -> Segment:
    return Segment({column: value}, read, counted)


DEVICES = (
    by("device", "mobile", totals((2388, 841, 241, 134), in_progress=61)),
    by("device", "desktop", totals((2101, 927, 376, 258), in_progress=30)),
    by("device", "tablet", totals((315, 121, 35, 19), in_progress=5)),
    by("device", "(not set)", totals((8, 4, 1, 1))),
)
CHANNELS = (
    by("channel", "organic search", totals((2020, 842, 301, 192), in_progress=40)),
    by("channel", "newsletter", totals((1304, 540, 187, 121), in_progress=22)),
    by("channel", "(other)", totals((1488, 511, 165, 99), in_progress=34)),
)
SCORECARD = (
    GoalResult("view_product", "milestone", 23_456, 4_812, 4_900, None),
    GoalResult("add_to_cart", "milestone", 3_120, 1_893, 4_900, None),
    GoalResult("checkout", "milestone", 801, 653, 4_900, None),
    GoalResult("newsletter", "secondary", 512, 480, 4_900, Decimal("1280.00")),
    GoalResult("share", "secondary", 0, 0, 4_900, None),
    GoalResult("purchase", "macro", 455, 412, 4_900, Decimal("38211.45")),
)
EVENTS = EventsResult(
    files=2,
    rows_read=12_345,
    rows_used=12_300,
    rows_filtered=40,
    rejected={"empty_user": 3, "empty_time": 2},
    samples=(RejectedRow("a.csv", 7, "empty_user", ",2026-10-01T10:00:00Z,view"),),
    users=4_900,
    sessions=6_120,
    first_time=micros("2026-10-01T00:00:00"),
    last_time=micros("2026-10-31T22:59:59"),
    timezone="Europe/Berlin",
    warnings=(
        ReportWarning("unmatched_goal", "No event completes the goal share: is its match right?", ("share",)),
        ReportWarning(
            "large_gap", "There are no events from 12 to 14 Oct 2026, so conversions of these days are missing."
        ),
    ),
)
SHOP = Report(
    EVENTS,
    SCORECARD,
    (
        funnel(totals((4812, 1893, 653, 412), in_progress=96), segments=(*DEVICES, *CHANNELS)),
        replace(
            funnel(totals((1200, 1200), goals=("start", "sign_up"), waits=(45,), in_progress=None), "sign-up"),
            count="sessions",
            window_seconds=None,
            entry="first",
        ),
    ),
)
LONG_GOALS = (
    "opened_the_product_page_of_the_autumn_campaign_of_2026",
    "put_anything_into_the_cart_from_whatever_page",
    "began_to_check_out_with_an_address_that_we_deliver_to",
    "paid",
)
LONG = Report(
    EVENTS,
    tuple(replace(goal, goal=name) for goal, name in zip(SCORECARD, LONG_GOALS, strict=False)),
    (
        funnel(
            totals((1_234_567_890, 987_654_321, 1_000, 1), goals=LONG_GOALS, waits=(86_400 * 12.5, 5, 7_500)),
            "everybody who came to the shop in the autumn, from the first page to the payment",
            [
                by("utm_campaign", "a" * 200, totals((1_234_567_000, 987_654_321, 1_000, 1), goals=LONG_GOALS)),
                by("utm_campaign", "(other)", totals((890, 0, 0, 0), goals=LONG_GOALS)),
            ],
        ),
    ),
)
NOBODY = Report(
    replace(EVENTS, users=0, rows_used=0, rows_filtered=12_340, first_time=None, last_time=None, warnings=()),
    tuple(replace(goal, completions=0, users=0, all_users=0, value=None) for goal in SCORECARD),
    (funnel(totals((0, 0, 0, 0))),),
)
NO_FUNNELS = replace(SHOP, funnels=())
WITHOUT_USERS = replace(
    SHOP, events=replace(EVENTS, users=None), goals=tuple(replace(goal, all_users=None) for goal in SCORECARD)
)


ANY = [f"any {place} of 4" for place in range(1, 5)]


def alone(*funnels: FunnelResult) -> Report:
    return Report(replace(EVENTS, warnings=()), (), funnels)


COUPON = alone(
    funnel(
        totals(
            (4812, 1893, 402, 653, 88, 412),
            goals=("view_product", "add_to_cart", "coupon", "checkout", "gift_wrap", "purchase"),
            waits=(247, 31, 660, 12, 118),
            in_progress=96,
        ),
        "checkout with a coupon",
    )
)
ANY_ORDER = alone(
    replace(
        funnel(
            totals((3120, 1498, 322, 45), goals=ANY, in_progress=12),
            "features tried",
            [
                by("plan", "free", totals((2800, 1200, 200, 20), goals=ANY, in_progress=12)),
                by("plan", "paid", totals((320, 298, 122, 25), goals=ANY)),
            ],
        ),
        order="any",
    )
)
OPEN = alone(
    funnel(
        totals((4812, 3127, 776, 470), in_progress=96, known={"entered_here": (4812, 1234, 123, 0)}), "from anywhere"
    )
)
STOPPED = {
    "too_late": (0, 300, 81, 20),
    "interrupted": (0, 1204, 310, 45),
    "excluded": (0, 0, 12, 22),
    "in_progress": (0, 60, 30, 6),
}
STRICT = alone(
    replace(
        funnel(totals((4812, 1893, 653, 412), in_progress=96, known=STOPPED), "orders"),
        order="strict",
        count="user_id, order_id",
        left_out=1_234,
    )
)
PAIRS = (
    ("mobile", "organic search", (1388, 541, 141, 84)),
    ("mobile", "newsletter", (1000, 300, 100, 50)),
    ("desktop", "organic search", (904, 501, 218, 141)),
    ("desktop", "(not set)", (12, 4, 1, 0)),
    ("(other)", "(other)", (1508, 547, 193, 137)),
)
BROKEN_DOWN = alone(
    funnel(
        totals((4812, 1893, 653, 412)),
        segments=(
            *(Segment({"device": one, "channel": other}, "entry", totals(n)) for one, other, n in PAIRS),
            *(replace(segment, value="last") for segment in CHANNELS),
            by("price_variant", "A", totals((327, 327, 327, 210)), "step:checkout"),
            by("price_variant", "B", totals((326, 326, 326, 202)), "step:checkout"),
            by("price_variant", "(did not reach)", totals((4159, 1240, 0, 0)), "step:checkout"),
            by("browser", "Firefox", totals((2500, 900, 300, 200)), "all_steps"),
            by("browser", "Chrome", totals((2400, 880, 290, 190)), "all_steps"),
        ),
    )
)


def days(n: int) -> tuple[PeriodOfEntry, ...]:
    """The last days of October 2026; weekends are slow but sell, and six days are not over."""
    found = []
    for ago in range(n - 1, -1, -1):
        day = date(2026, 10, 31) - timedelta(days=ago)
        entered, share = (100 + ago * 37 % 23, 18) if day.weekday() > 4 else (170 + ago * 29 % 31, 15)
        bought = max(share + ago * 13 % 7 - 4 * max(6 - ago, 0), 0)
        counted = totals((entered, 80, 40, bought), in_progress=max(6 - ago, 0) * 5)
        found.append(PeriodOfEntry(day.isoformat(), counted))
    return tuple(found)


def worth(counted: Totals, value: str, currency: str | None) -> Totals:
    """The same with a value of the last step, and a tenth of it of the first."""
    first, *between, last = counted.steps
    tenth = replace(first, value=Decimal(value) / 10, currency=currency)
    return replace(counted, steps=(tenth, *between, replace(last, value=Decimal(value), currency=currency)))


MONEY = with_levers(
    Report(
        EVENTS,
        tuple(replace(goal, currency="EUR") for goal in SCORECARD if goal.goal != "newsletter"),
        (replace(SHOP.funnels[0], totals=worth(SHOP.funnels[0].totals, "38211.45", "EUR")),),
    )
)
"""Money, and what if a step rose."""
TREND, LONG_TREND = (alone(replace(SHOP.funnels[0], segments=(), trend=days(n))) for n in (14, 92))


KINDS = {
    "shop": SHOP,
    "long": LONG,
    "nobody": NOBODY,
    "no_funnels": NO_FUNNELS,
    "without_users": WITHOUT_USERS,
    "coupon": COUPON,
    "any_order": ANY_ORDER,
    "open": OPEN,
    "strict": STRICT,
    "broken_down": BROKEN_DOWN,
    "trend": TREND,
    "money": MONEY,
}


def hostile(name: str) -> Report:
    """A report in which everything that comes from a file bears the name."""
    named = totals(
        (100, 40, 10),
        goals=(name, "plain", name),
        in_progress=5,
        known={"entered_here": (100, 1, 0), "excluded": (0, 2, 3)},
    )
    named = worth(named, "12.5", name)
    segments = [
        by(name, name, named),
        by(name, "plain", totals((90, 80, 70), goals=(name, "plain", name))),
        Segment({name: name, f"{name}2": name}, f"step:{name}", named),
    ]
    best = BestSegment({name: name}, 40, 100, 3, Gain(0.4, 12.0, 1.0, 20.0, Decimal("1.25")))
    lever = Lever(3, name, 0.25, Gain(0.275, 1.0, 0.5, 1.5, Decimal("1.25")), best)
    levers = (lever, replace(lever, step=2, best=replace(best, by={f"{name}2": name})))
    return Report(
        replace(EVENTS, warnings=(ReportWarning("odd", name, (name,)),), rejected={name: 5}),
        tuple(replace(goal, goal=name, currency=name) for goal in SCORECARD),
        (
            replace(
                funnel(named, name, segments),
                count=name,
                left_out=2,
                trend=(PeriodOfEntry(name, named),) * 3,
                levers=levers,
            ),
        ),
    )

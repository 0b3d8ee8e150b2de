"""Made-up reports for the renderers: plausible, large, empty and hostile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from microfunnel.results import (
    PERCENTILES,
    EventsResult,
    FunnelResult,
    GoalResult,
    Rate,
    Report,
    ReportWarning,
    Segment,
    Step,
    Times,
    Totals,
)

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
) -> Totals:
    """Steps that so many units reached, the units in progress all waiting for the last step."""
    steps = []
    since_first = 0.0
    for place, (goal, n) in enumerate(zip(goals, reached, strict=True)):
        wait = waits[(place - 1) % len(waits)]
        since_first += wait if place else 0
        steps.append(
            Step(
                step=place + 1,
                goal=goal,
                reached=n,
                previous=reached[place - 1] if place else None,
                entered=reached[0],
                in_progress=(in_progress or 0) if place == len(reached) - 1 else 0,
                times_from_previous=times(n, wait) if place else None,
                times_from_first=times(n, since_first) if place else None,
            )
        )
    matured = None if in_progress is None else Rate(reached[-1], reached[0] - in_progress)
    return Totals(tuple(steps), matured, in_progress)


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


DEVICES = (
    Segment({"device": "mobile"}, totals((2388, 841, 241, 134), in_progress=61)),
    Segment({"device": "desktop"}, totals((2101, 927, 376, 258), in_progress=30)),
    Segment({"device": "tablet"}, totals((315, 121, 35, 19), in_progress=5)),
    Segment({"device": "(not set)"}, totals((8, 4, 1, 1))),
)
CHANNELS = (
    Segment({"channel": "organic search"}, totals((2020, 842, 301, 192), in_progress=40)),
    Segment({"channel": "newsletter"}, totals((1304, 540, 187, 121), in_progress=22)),
    Segment({"channel": "(other)"}, totals((1488, 511, 165, 99), in_progress=34)),
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
                Segment({"utm_campaign": "a" * 200}, totals((1_234_567_000, 987_654_321, 1_000, 1), goals=LONG_GOALS)),
                Segment({"utm_campaign": "(other)"}, totals((890, 0, 0, 0), goals=LONG_GOALS)),
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


def hostile(name: str) -> Report:
    """A report in which everything that comes from a file bears the name."""
    named = totals((100, 40, 10), goals=(name, "plain", name), in_progress=5)
    segments = [
        Segment({name: name}, named),
        Segment({name: "plain"}, totals((90, 80, 70), goals=(name, "plain", name))),
    ]
    return Report(
        replace(EVENTS, warnings=(ReportWarning("odd", name, (name,)),), rejected={name: 5}),
        tuple(replace(goal, goal=name) for goal in SCORECARD),
        (replace(funnel(named, name, segments), count=name),),
    )

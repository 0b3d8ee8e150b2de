"""What sample_data/README.md claims, counted anew in plain Python: each number there must be checked here."""

import csv
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

FOLDER = Path(__file__).parents[1] / "sample_data"
INCIDENT = (12, 15)
WINDOW_DAYS = 7
LAST_DAYS = 25
NUMBER = r"(\d[\d,]*(?:\.\d+)?)"

Row = dict[str, str]
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Claim:
    """A sentence of the README with {} for each number, and what the numbers must be."""

    text: str
    numbers: Callable[[], Numbers]

    @property
    def pattern(self) -> str:
        return re.escape(self.text).replace(r"\{\}", NUMBER).replace(r"\ ", " ")


@cache
def readme() -> str:
    """The README with line breaks and runs of spaces as one space each."""
    return " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())


@cache
def events() -> list[Row]:
    with (FOLDER / "events.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def users() -> list[list[Row]]:
    """The events of each user, in order."""
    return grouped(events(), "user_id")


def grouped(rows: Iterable[Row], column: str) -> list[list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return list(groups.values())


def time(row: Row) -> datetime:
    return datetime.fromisoformat(row["timestamp"])


def day(row: Row) -> int:
    return time(row).day


def has(rows: Iterable[Row], event: str) -> bool:
    return any(row["event"] == event for row in rows)


def bought(groups: list[list[Row]]) -> Numbers:
    """How many, how many of them bought, and the percentage."""
    buyers = sum(has(group, "purchase") for group in groups)
    return len(groups), buyers, round(100 * buyers / len(groups), 1)


def totals() -> Numbers:
    return len(events()), len(users()), len(grouped(events(), "session_id"))


def longest_pause_in_minutes() -> float:
    pauses = (
        time(after) - time(before) for visit in grouped(events(), "session_id") for before, after in pairwise(visit)
    )
    return max(pauses) / timedelta(minutes=1)


def orders() -> Numbers:
    revenues = [Decimal(row["revenue"]) for row in events() if row["event"] == "purchase"]
    return len(revenues), float(sum(revenues))


def first_seen_on(device: str) -> Numbers:
    """The users by the device of their first product view."""
    views = ((user, next((row for row in user if row["event"] == "product_view"), None)) for user in users())
    return bought([user for user, view in views if view is not None and view["device"] == device])


def mobile_payments(*, incident: bool) -> Numbers:
    """Checkouts, payment errors and purchases on mobile, in the days of the incident or all others."""
    first, last = INCIDENT
    rows = [row for row in events() if row["device"] == "mobile" and (first <= day(row) <= last) == incident]
    return tuple(
        sum(row["event"] == event for row in rows) for event in ("checkout_start", "payment_error", "purchase")
    )


def variant(name: str) -> Numbers:
    return bought([user for user in users() if user[0]["variant"] == name and has(user, "checkout_start")])


def channel(name: str) -> Numbers:
    return bought([visit for visit in grouped(events(), "session_id") if visit[0]["channel"] == name])


def late_orders() -> Numbers:
    """Orders more than a window after the user last put something into the cart."""
    late = 0
    for user in users():
        for number, row in enumerate(user):
            if row["event"] == "purchase":
                filled = max(time(earlier) for earlier in user[:number] if earlier["event"] == "add_to_cart")
                late += time(row) - filled > timedelta(days=WINDOW_DAYS)
    return late, WINDOW_DAYS


def interested(*wanted: str) -> Numbers:
    return bought([user for user in users() if any(has(user, event) for event in wanted)])


def not_interested(*wanted: str) -> Numbers:
    return bought([user for user in users() if not any(has(user, event) for event in wanted)])


def still_open() -> Numbers:
    """Users who last filled a cart in the last days, and have not bought since."""
    count = 0
    for user in users():
        filled = [number for number, row in enumerate(user) if row["event"] == "add_to_cart"]
        if filled and day(user[filled[-1]]) >= LAST_DAYS:
            count += not has(user[filled[-1] :], "purchase")
    return count, LAST_DAYS


def without(column: str) -> Numbers:
    return (sum(not row[column] for row in events()),)


CLAIMS = [
    Claim("{} events of {} users in {} sessions", totals),
    Claim("all of October {}", lambda: (2026,)),
    Claim("no pause within a session is over {} minutes", lambda: (30,) if longest_pause_in_minutes() <= 30 else ()),
    Claim("{} orders for {} in all", orders),
    Claim("{} events have no device", lambda: without("device")),
    *(
        Claim(f"| {name} | {{}} | {{}} | {{}} % |", partial(first_seen_on, name))
        for name in ("desktop", "tablet", "mobile")
    ),
    Claim("from {} to {} October", lambda: INCIDENT),
    Claim(
        "Of {} checkouts on mobile in these days {} met a payment error and {} became an order",
        lambda: mobile_payments(incident=True),
    ),
    Claim("on all other days it was {} checkouts, {} errors, {} orders", lambda: mobile_payments(incident=False)),
    Claim("| A | {} | {} | {} % |", lambda: variant("A")),
    Claim("| B | {} | {} | {} % |", lambda: variant("B")),
    *(
        Claim(f"| {name} | {{}} | {{}} | {{}} % |", partial(channel, name))
        for name in ("email", "direct", "search", "social", "ads")
    ),
    Claim("{} orders come more than {} days after", late_orders),
    Claim(
        "Of {} users who signed up for the newsletter or filled a wish list {} bought ({} %)",
        lambda: interested("newsletter_signup", "wishlist_add"),
    ),
    Claim("of the {} others {} ({} %)", lambda: not_interested("newsletter_signup", "wishlist_add")),
    Claim("{} users last filled a cart on {} October or later", still_open),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.text)
def test_claim_is_true(claim: Claim) -> None:
    found = re.findall(claim.pattern, readme())
    assert len(found) == 1, "the README must say this once"
    groups = found[0] if isinstance(found[0], tuple) else (found[0],)
    assert tuple(float(group.replace(",", "")) for group in groups) == claim.numbers()


def test_no_number_goes_unchecked() -> None:
    rest = readme()
    for claim in CLAIMS:
        rest = re.sub(claim.pattern, "", rest)
    assert re.findall(r"\S*\d\S*", rest.replace("ISO 8601", "")) == []


def test_who_sees_the_best_and_the_worst() -> None:
    assert first_seen_on("desktop")[2] > 1.5 * first_seen_on("mobile")[2]
    assert variant("B")[2] > variant("A")[2] + 10
    assert channel("email")[2] > max(channel(name)[2] for name in ("direct", "search", "social", "ads"))


def test_ndjson_holds_the_same_events() -> None:
    lines = (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()
    assert [as_in_csv(json.loads(line)) for line in lines] == events()


def test_parquet_holds_the_same_events() -> None:
    frame = pl.read_parquet(FOLDER / "events.parquet")
    assert frame.schema["timestamp"] == pl.Datetime("ms", "UTC")
    assert frame.schema["revenue"] == pl.Decimal(10, 2)
    assert [as_in_csv(row) for row in frame.iter_rows(named=True)] == events()


def as_in_csv(row: dict[str, object]) -> Row:
    """A row of another file as the CSV file spells it."""

    def text(column: str) -> str:
        value = row.get(column)
        if isinstance(value, datetime):
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return "" if value is None else f"{value:.2f}" if isinstance(value, float | Decimal) else str(value)

    return {column: text(column) for column in events()[0]}


def test_the_script_makes_the_same_files_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "make_sample.py", tmp_path], check=True)
    for name in ("events.csv", "events.ndjson"):
        # Read as text, because git on Windows may have changed the line ends.
        assert (tmp_path / name).read_text(encoding="utf-8") == (FOLDER / name).read_text(encoding="utf-8"), name
    assert pl.read_parquet(tmp_path / "events.parquet").equals(pl.read_parquet(FOLDER / "events.parquet"))

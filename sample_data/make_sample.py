"""Makes the sample: October 2026 of a small shop that never was, as CSV, Parquet and NDJSON.

Run it as `make sample`, or with a folder to write to: `python sample_data/make_sample.py FOLDER`. The same seed makes
the same bytes on every machine: all chance comes from `Random.random`, the one method that Python promises to keep.
"""

import csv
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import polars as pl

SEED = 2026
USERS = 3_700
START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)

# The planted story. Each number is a probability or a factor on one.
DEVICES = {"mobile": 0.52, "desktop": 0.38, "tablet": 0.10}
DEVICE_UNKNOWN = 0.03
FIRST_CHANNELS = {"search": 0.33, "ads": 0.25, "direct": 0.16, "social": 0.15, "email": 0.11}
LATER_CHANNELS = {"direct": 0.40, "email": 0.25, "search": 0.22, "ads": 0.08, "social": 0.05}
ADD_TO_CART = {"desktop": 0.36, "tablet": 0.31, "mobile": 0.24}
CHECKOUT = {"desktop": 0.62, "tablet": 0.52, "mobile": 0.40}
CHANNEL_FACTOR = {"email": 1.8, "search": 1.05, "direct": 1.0, "social": 0.8, "ads": 0.7}
PAYS = {"A": 0.55, "B": 0.74}
PAYMENT_ERROR = 0.02
INCIDENT_ERROR = 0.9
INCIDENT = (datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 10, 16, tzinfo=UTC))
COMES_BACK_FOR_THE_CART = 0.5
COMES_BACK_AT_LEISURE = 0.4

PRICES = {
    "/p/mug": 1_490,
    "/p/cap": 1_990,
    "/p/socks": 890,
    "/p/bottle": 2_450,
    "/p/scarf": 3_495,
    "/p/bag": 5_990,
    "/p/lamp": 7_900,
    "/p/boots": 12_950,
}
PAGES = ("/", "/new", "/sale", "/bags", "/home", "/about")


@dataclass(frozen=True)
class Event:
    """One row; the fields are the columns of the files."""

    user_id: str
    timestamp: datetime
    event: str
    session_id: str
    page: str
    device: str | None
    channel: str
    variant: str
    order_id: str | None
    revenue: Decimal | None


COLUMNS = tuple(column.name for column in fields(Event))


class Chance:
    """Everything random, from `Random.random` alone."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def one_of(self, choices: Sequence[str]) -> str:
        return choices[int(self.random() * len(choices))]

    def weighted(self, weights: Mapping[str, float]) -> str:
        left = self.random() * sum(weights.values())
        for choice, weight in weights.items():
            left -= weight
            if left < 0:
                return choice
        return next(iter(weights))

    def between(self, low: float, high: float) -> float:
        return low + self.random() * (high - low)

    def wait(self, mean: float, most: float) -> timedelta:
        """A pause in seconds, mostly short: at least 2, at most `most`, in whole milliseconds."""
        seconds = min(most, 2 - math.log(1 - self.random()) * mean)
        return timedelta(milliseconds=round(seconds * 1_000))


@dataclass
class Visitor:
    """What the story knows of a user."""

    user_id: str
    variant: str
    device: str
    interest: float
    cart: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """One session while it happens: a clock, and the rows so far."""

    visitor: Visitor
    session_id: str
    device: str
    channel: str
    now: datetime
    device_known: bool
    rows: list[Event] = field(default_factory=list)

    @property
    def warmth(self) -> float:
        """How much likelier than most this visit is to end in a cart."""
        return CHANNEL_FACTOR[self.channel] * (0.4 + 1.2 * self.visitor.interest)


class Shop:
    """Visits of visitors; orders and sessions are numbered as they come."""

    def __init__(self, seed: int) -> None:
        self.chance = Chance(seed)
        self.sessions = 0
        self.orders = 0

    def user(self, number: int) -> Iterator[Event]:
        """All events of one user, from the first visit on."""
        visitor = Visitor(
            user_id=f"u{number:04}",
            variant="B" if self.chance.happens(0.5) else "A",
            device=self.chance.weighted(DEVICES),
            interest=self.chance.random(),
        )
        begin: datetime | None = self.daytime(self.chance.between(0, 31))
        channels = FIRST_CHANNELS
        while begin is not None and begin < END:
            rows, cart_left = self.visit(visitor, begin, self.chance.weighted(channels))
            yield from rows
            begin = self.next_visit(rows[-1].timestamp, cart_left=cart_left)
            channels = LATER_CHANNELS

    def daytime(self, day: float) -> datetime:
        """A moment of a day of the month, 0 being the first; the shop sleeps for some hours."""
        hour = self.chance.between(6, 22.5)
        return START + timedelta(days=int(day), milliseconds=round(hour * 3_600_000))

    def next_visit(self, last: datetime, *, cart_left: bool) -> datetime | None:
        """When the user comes back, if ever: some return to a cart within days, some after more than a week."""
        if not self.chance.happens(COMES_BACK_FOR_THE_CART if cart_left else COMES_BACK_AT_LEISURE):
            return None
        late = self.chance.happens(0.4 if cart_left else 0.2)
        day = (last - START).days + int(self.chance.between(8, 15) if late else self.chance.between(1, 6))
        return self.daytime(day)

    def visit(self, visitor: Visitor, begin: datetime, channel: str) -> tuple[list[Event], bool]:
        """The events of one session, and whether it leaves a cart behind."""
        self.sessions += 1
        device = visitor.device if self.chance.happens(0.9) else self.chance.weighted(DEVICES)
        known = not self.chance.happens(DEVICE_UNKNOWN)
        visit = Visit(visitor, f"s{self.sessions}", device, channel, begin, known)
        if visitor.cart:
            self.resume(visit)
        else:
            self.browse(visit)
            self.show_interest(visit)
        return visit.rows, bool(visitor.cart)

    def log(self, visit: Visit, event: str, page: str, order_id: str | None = None, cents: int | None = None) -> None:
        """One event, and time passes until the next one."""
        visit.rows.append(
            Event(
                user_id=visit.visitor.user_id,
                timestamp=visit.now,
                event=event,
                session_id=visit.session_id,
                page=page,
                device=visit.device if visit.device_known else None,
                channel=visit.channel,
                variant=visit.visitor.variant,
                order_id=order_id,
                revenue=None if cents is None else Decimal(cents) / 100,
            ),
        )
        visit.now += self.chance.wait(mean=55, most=900)

    def browse(self, visit: Visit) -> None:
        """Pages, products, and perhaps a cart and a checkout."""
        self.log(visit, "page_view", self.chance.one_of(PAGES))
        while self.chance.happens(0.36):
            self.log(visit, "page_view", self.chance.one_of(PAGES))
        if self.chance.happens(0.14):
            self.log(visit, "search", "/search")
        if not self.chance.happens(0.7):
            return
        product = self.chance.one_of(tuple(PRICES))
        self.log(visit, "product_view", product)
        while self.chance.happens(0.4):
            product = self.chance.one_of(tuple(PRICES))
            self.log(visit, "product_view", product)
        if self.chance.happens(0.15):
            self.log(visit, "review_read", product)
        if self.chance.happens(ADD_TO_CART[visit.device] * visit.warmth):
            self.log(visit, "add_to_cart", product)
            visit.visitor.cart.append(product)
            while self.chance.happens(0.25):
                self.log(visit, "add_to_cart", extra := self.chance.one_of(tuple(PRICES)))
                visit.visitor.cart.append(extra)
            if self.chance.happens(CHECKOUT[visit.device]):
                self.check_out(visit)

    def resume(self, visit: Visit) -> None:
        """Back for the cart that waits; whoever comes back without buying has given it up."""
        self.log(visit, "page_view", "/cart")
        if self.chance.happens(0.8):
            self.check_out(visit)
        visit.visitor.cart.clear()

    def check_out(self, visit: Visit) -> None:
        """The checkout, where the variants differ and the payment may fail."""
        self.log(visit, "checkout_start", "/checkout")
        if not self.chance.happens(PAYS[visit.visitor.variant]):
            return
        incident = visit.device == "mobile" and INCIDENT[0] <= visit.now < INCIDENT[1]
        if self.chance.happens(INCIDENT_ERROR if incident else PAYMENT_ERROR):
            self.log(visit, "payment_error", "/checkout")
            return
        self.orders += 1
        cents = sum(PRICES[product] for product in visit.visitor.cart)
        self.log(visit, "purchase", "/thanks", f"o{self.orders}", cents)
        visit.visitor.cart.clear()

    def show_interest(self, visit: Visit) -> None:
        """The secondary goals: people who like the shop do these, and they buy, too."""
        liking = visit.visitor.interest**2
        if self.chance.happens(0.02 + 0.15 * liking):
            self.log(visit, "newsletter_signup", "/newsletter")
        if self.chance.happens(0.02 + 0.2 * liking):
            self.log(visit, "wishlist_add", self.chance.one_of(tuple(PRICES)))
        if self.chance.happens(0.03):
            self.log(visit, "share", self.chance.one_of(tuple(PRICES)))


def make_events(seed: int = SEED, users: int = USERS) -> list[Event]:
    """All events of the month in the order of time, as an export would have them."""
    shop = Shop(seed)
    rows = [row for number in range(1, users + 1) for row in shop.user(number)]
    return sorted((row for row in rows if row.timestamp < END), key=lambda row: (row.timestamp, row.user_id))


def as_text(event: Event) -> dict[str, str | None]:
    """The row as CSV has it: times in UTC to the millisecond, money with two decimals."""
    time = event.timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    revenue = None if event.revenue is None else f"{event.revenue:.2f}"
    return asdict(event) | {"timestamp": time, "revenue": revenue}


def write(rows: list[Event], folder: Path) -> None:
    """The same events three times: `events.csv`, `events.ndjson`, `events.parquet`."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [as_text(row) for row in rows]
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(texts)
    with (folder / "events.ndjson").open("w", encoding="utf-8", newline="") as file:
        for text in texts:
            # As an exporter would: no key where there is no value, and money as a number.
            present = {key: float(value) if key == "revenue" else value for key, value in text.items() if value}
            file.write(json.dumps(present, separators=(",", ":")) + "\n")
    types: dict[str, pl.DataType] = {name: pl.String() for name in COLUMNS}
    types |= {"timestamp": pl.Datetime("ms", "UTC"), "revenue": pl.Decimal(10, 2)}
    pl.DataFrame([asdict(row) for row in rows], schema=types).write_parquet(
        folder / "events.parquet", compression="zstd"
    )


if __name__ == "__main__":
    write(make_events(), Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

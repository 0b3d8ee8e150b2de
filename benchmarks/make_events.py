"""Makes the events of the benchmark: 30 days of a shop, one file a day, sorted by time.

    python benchmarks/make_events.py 20M FOLDER [--format csv] [--whale]

There are N events of N/20 users with a long-tailed activity: some come every day, most once or twice. Everybody comes
in sessions of five events or so within half an hour. About a sixth of the events are steps of the funnel. All times
differ, so no engine has to decide what came first. The same N makes the same events, and a folder that is finished
stays as it is.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from logs import number

SEED = 7
DAYS = 30
FIRST_DAY = 1_767_225_600_000_000  # 1 January 2026
MICROSECONDS = 86_400_000_000
HALF_AN_HOUR = 1_800_000_000
LATEST_BEGIN = MICROSECONDS - 2 * HALF_AN_HOUR
EVENTS_OF_A_USER = 20
EVENTS_OF_A_SESSION = 5
PARETO = 1.2
WHALE = 0.3

FUNNEL = {"product_view": 0.100, "add_to_cart": 0.040, "checkout_start": 0.018, "purchase": 0.009}
BESIDE = {"page_view": 0.380, "scroll": 0.120, "search": 0.100, "click": 0.100, "login": 0.030, "logout": 0.020}
RARE = {"wishlist": 0.020, "share": 0.020, "video": 0.020, "review": 0.013, "newsletter": 0.010}
EVENTS = FUNNEL | BESIDE | RARE
DEVICES = {"mobile": 0.5, "desktop": 0.4, "tablet": 0.1}
COUNTRIES = {"de": 0.3, "us": 0.25, "fr": 0.15, "gb": 0.15, "pl": 0.1, "it": 0.05}
URLS = [f"https://shop.example/p/{page}" for page in range(2_000)]

Numbers = np.ndarray[Any, np.dtype[Any]]


def user_ids(users: int) -> pl.Series:
    """One id for each user, all different, of 10 to 16 characters."""
    nth = np.arange(users, dtype=np.uint64)
    least = np.uint64(10) ** (nth % np.uint64(7) + np.uint64(8))
    scattered = nth * np.uint64(618_033_989) % (least * np.uint64(9))
    return pl.select(pl.format("u{}", pl.Series(least + scattered))).to_series()


def activity(users: int) -> Numbers:
    """The share of all sessions that the users up to each one have."""
    weights = np.random.default_rng(SEED).pareto(PARETO, users) + 1
    shares: Numbers = np.cumsum(weights) / weights.sum()
    return shares


def visitors(day: int, sessions: int, shares: Numbers, chance: np.random.Generator, whale: float) -> Numbers:
    """The user of each session of a day. Each user has its day to come on; other sessions go by activity."""
    regular = np.arange(day, len(shares), DAYS)
    drawn = np.searchsorted(shares, chance.random(sessions - len(regular)))
    is_whale = chance.random(len(drawn)) < whale * sessions / len(drawn)
    return np.concatenate([regular, np.where(is_whale, 0, drawn)])


def pick(values: dict[str, float], count: int, chance: np.random.Generator) -> pl.Series:
    """So many of the values, by their probabilities."""
    drawn = np.searchsorted(np.cumsum(list(values.values())), chance.random(count))
    return pl.Series(list(values)).gather(np.minimum(drawn, len(values) - 1))


def day_of_events(day: int, count: int, ids: pl.Series, shares: Numbers, whale: float) -> pl.DataFrame:
    """The events of a day, in order of time."""
    chance = np.random.default_rng([SEED, day])
    sessions = count // EVENTS_OF_A_SESSION
    users = visitors(day, sessions, shares, chance, whale)
    begins = chance.integers(0, LATEST_BEGIN, sessions)

    session = np.concatenate([np.arange(sessions), chance.integers(0, sessions, count - sessions)])
    times = begins[session] + chance.integers(0, HALF_AN_HOUR, count)
    order = np.argsort(times)
    nth = np.arange(count)
    times = np.maximum.accumulate(times[order] - nth) + nth  # at least a microsecond apart
    session = session[order]

    event = pick(EVENTS, count, chance)
    price = pl.Series(chance.integers(500, 10_000, count)) / 100
    return pl.DataFrame(
        {
            "user_id": ids.gather(users[session]),
            "timestamp": pl.Series(times + FIRST_DAY + day * MICROSECONDS).cast(pl.Datetime("us")),
            "event_name": event,
            "url": pl.Series(URLS).gather(chance.integers(0, len(URLS), count)),
            "device": pick(DEVICES, sessions, chance).gather(session),
            "country": pick(COUNTRIES, sessions, chance).gather(session),
            "session_id": pl.Series(session + (day + 1) * 10**8).cast(pl.String),
            "value": price.zip_with(event.is_in(list(FUNNEL)), pl.Series([None], dtype=pl.Float64)),
        }
    )


def make_events(events: int, folder: Path, kind: str = "parquet", *, whale: bool = False) -> Path:
    """The folder with the files of all days, made where there is none yet."""
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    ids = user_ids(events // EVENTS_OF_A_USER)
    shares = activity(len(ids))
    for day in range(DAYS):
        count = events * (day + 1) // DAYS - events * day // DAYS
        frame = day_of_events(day, count, ids, shares, WHALE if whale else 0)
        path = unfinished / f"day-{day + 1:02}.{kind}"
        frame.write_parquet(path) if kind == "parquet" else frame.write_csv(path)
    unfinished.rename(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the events of the benchmark.")
    parser.add_argument("events", type=number, help="how many, such as 500K or 20M")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--format", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--whale", action="store_true", help="give three tenths of the events to one user")
    chosen = parser.parse_args()
    make_events(chosen.events, chosen.folder, chosen.format, whale=chosen.whale)


if __name__ == "__main__":
    main()

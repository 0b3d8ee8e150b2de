"""Events of one instant: how many steps in a row they can serve, in whichever order carries the attempt farthest.

An event serves one step at most, so some steps can be served at one instant where each of them gets an event of its
own. What an instant can do depends only on its signature: how many of its events fit which steps. There are few
signatures whatever the size of the log, so each is solved once, exactly, and looked up everywhere else.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import polars as pl

ROW = "row"
FITS = "fits"
INSTANT = "instant"
SIGNATURE = "signature"


def reach_column(first: int) -> str:
    """The column that holds the last step which a row's instant can serve in a row from step `first` on."""
    return f"reach_{first}"


def fits_expr(steps: Iterable[str]) -> pl.Expr:
    """Which of the steps (Boolean columns) a row fits, as text such as `0110`."""
    return pl.concat_str(pl.when(step).then(pl.lit("1")).otherwise(pl.lit("0")) for step in steps).alias(FITS)


def signatures(events: pl.DataFrame, steps: int) -> pl.DataFrame:
    """One row for each `instant` with its `signature`: what its events fit, in order, such as `010 010 110`."""
    # More events of a kind than there are steps are of no use.
    useful = events.filter(pl.int_range(pl.len()).over(INSTANT, FITS) < steps)
    return useful.group_by(INSTANT).agg(pl.col(FITS).sort().str.join(" ").alias(SIGNATURE))


def tied_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that share their instant with another row of the unit."""
    return rows.filter((pl.col(INSTANT) != pl.col(ROW)) | (pl.col(INSTANT) == pl.col(INSTANT).shift()))


def add_reach(rows: pl.DataFrame, steps: Sequence[str], barriers: Collection[int]) -> pl.DataFrame:
    """The rows with `reach_0` .. (UInt16, numbers of steps) for each step but the last; as they are without ties.

    `rows` holds `row`, a Boolean column for each step and `instant` (the number of the last row of the same unit and
    time). For the first step the row itself serves it, for the others any events of the instant do. A barrier is a
    step that may not happen at the instant of the step before.
    """
    last = len(steps) - 1
    tied = tied_rows(rows) if len(barriers) < last else rows.clear()
    if tied.is_empty():
        return rows
    fits = tied.select(ROW, INSTANT, fits_expr(steps))
    kinds = fits.join(signatures(fits, len(steps)), on=INSTANT)
    solved = _solve(kinds.select(FITS, SIGNATURE).unique(), last, barriers)
    reach = kinds.join(solved, on=[FITS, SIGNATURE]).drop(FITS, SIGNATURE, INSTANT)
    return rows.join(reach, on=ROW, how="left", maintain_order="left").with_columns(
        pl.col(reach_column(first)).fill_null(first) for first in range(last)
    )


def _solve(kinds: pl.DataFrame, last: int, barriers: Collection[int]) -> pl.DataFrame:
    """For each kind of row (which steps it fits, and its instant's signature) the reach from each step."""
    ends = [min((step - 1 for step in barriers if step > first), default=last) for first in range(last)]
    solved: dict[str, list[int]] = {reach_column(first): [] for first in range(last)}
    for own, signature in kinds.select(FITS, SIGNATURE).iter_rows():
        events = signature.split(" ")
        others = list((Counter(events) - Counter([own])).elements())
        solved[reach_column(0)].append(served(others, range(1, ends[0] + 1)))
        for first in range(1, last):
            solved[reach_column(first)].append(first - 1 + served(events, range(first, ends[first] + 1)))
    return kinds.with_columns(pl.Series(name, values, dtype=pl.UInt16) for name, values in solved.items())


def served(events: Sequence[str], steps: Iterable[int]) -> int:
    """How many of the steps, in their order and none left out, get an event of their own."""
    server: dict[int, int] = {}
    for number, step in enumerate(steps):
        if not _serve(step, events, server, set()):
            return number
    return len(server)


def _serve(step: int, events: Sequence[str], server: dict[int, int], tried: set[int]) -> bool:
    """Whether `step` can get an event too, others moving over (an augmenting path of bipartite matching)."""
    for event, fits in enumerate(events):
        if fits[step] == "0" or event in tried:
            continue
        tried.add(event)
        if event not in server or _serve(server[event], events, server, tried):
            server[event] = step
            return True
    return False

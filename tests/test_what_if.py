"""What if a step rose: the numbers computed anew from a JSON report, and how often the intervals hold the truth."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
import reports
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from microfunnel.insights.what_if import with_levers
from microfunnel.rendering import FORMATS, Screen
from microfunnel.results import FunnelResult, Report

SCREEN = Screen(None, colour=False, unicode=True)


def levers_of(report: Report) -> list[dict[str, Any]]:
    found = json.loads(FORMATS["json"](with_levers(report), SCREEN))["funnels"][0]["what_if"]
    assert isinstance(found, list)
    return found


def shop() -> Report:
    return reports.alone(reports.SHOP.funnels[0])


def product(one: float, ends: Sequence[float], other: float, others: Sequence[float]) -> tuple[float, float]:
    """MOVER, from the two intervals."""
    low = one * other - sqrt((other * (one - ends[0])) ** 2 + (one * (other - others[0])) ** 2)
    return low, one * other + sqrt((other * (ends[1] - one)) ** 2 + (one * (others[1] - other)) ** 2)


def test_a_tenth_more_of_a_rate_is_a_tenth_more_conversions() -> None:
    counts = [4812, 1893, 653, 412]
    for lever in levers_of(shop()):
        before, reached = counts[lever["step"] - 2], counts[lever["step"] - 1]
        gain = lever["by_a_tenth"]
        assert lever["rate"] == pytest.approx(reached / before)
        assert gain["rate"] == pytest.approx(1.1 * reached / before)
        more = before * Fraction(reached, before) / 10 * Fraction(counts[-1], reached)
        assert gain["more_conversions"] == pytest.approx(float(more))
        ends = proportion_confint(counts[-1], before, method="wilson")
        found = gain["more_conversions_low"], gain["more_conversions_high"]
        assert found == pytest.approx([before * end / 10 for end in ends])


def test_no_rate_rises_above_one() -> None:
    report = reports.alone(reports.funnel(reports.totals((200, 190, 50), goals=("a", "b", "c"))))
    (lever,) = [each for each in levers_of(report) if each["step"] == 2]
    gain = lever["by_a_tenth"]
    assert (gain["rate"], gain["more_conversions"]) == (1.0, pytest.approx(10 * 50 / 190))
    missing, onward = (proportion_confint(n, of, method="wilson") for n, of in ((10, 200), (50, 190)))
    low, high = product(10 / 200, missing, 50 / 190, onward)
    assert [gain["more_conversions_low"], gain["more_conversions_high"]] == pytest.approx([200 * low, 200 * high])
    exact = levers_of(reports.alone(reports.funnel(reports.totals((11, 10, 5), goals=("a", "b", "c")))))
    assert max(each["by_a_tenth"]["rate"] for each in exact) <= 1


def test_the_best_segment_of_a_step_and_what_it_brings() -> None:
    """Checkout to purchase, from the segments of SHOP: 241 to 134, 376 to 258, 35 to 19 and three channels."""
    (lever,) = [each for each in levers_of(shop()) if each["step"] == 4]
    best = lever["to_best_segment"]
    assert (best["by"], best["reached"], best["previous"], best["compared"]) == ({"device": "desktop"}, 258, 376, 5)
    gain = best["gain"]
    assert gain["rate"] == 258 / 376
    assert gain["more_conversions"] == pytest.approx(653 * (258 / 376 - 412 / 653))
    alpha = 1 - 0.95 ** (1 / 5)
    low, high = confint_proportions_2indep(258, 376, 412 - 258, 653 - 376, method="newcomb", alpha=alpha)
    found = gain["more_conversions_low"], gain["more_conversions_high"]
    assert found == pytest.approx([(653 - 376) * low, (653 - 376) * high], rel=1e-6)
    assert best["beyond_chance"] is (found[0] > 0)


def test_steps_after_it_keep_their_rates() -> None:
    (lever,) = [each for each in levers_of(shop()) if each["step"] == 2]
    best = lever["to_best_segment"]
    assert (best["by"], best["compared"]) == ({"device": "desktop"}, 5)
    gain, onward = best["gain"], 412 / 1893
    assert gain["more_conversions"] == pytest.approx(4812 * (927 / 2101 - 1893 / 4812) * onward)
    alpha = 1 - 0.95 ** (1 / 5)
    rest = 1893 - 927, 4812 - 2101
    ends = confint_proportions_2indep(927, 2101, *rest, method="newcomb", alpha=alpha)
    others = proportion_confint(412, 1893, method="wilson", alpha=alpha)
    low, high = product(927 / 2101 - rest[0] / rest[1], ends, onward, others)
    found = gain["more_conversions_low"], gain["more_conversions_high"]
    assert found == pytest.approx([rest[1] * low, rest[1] * high], rel=1e-6)


def test_the_biggest_lever_comes_first_and_what_may_be_chance_last() -> None:
    found = levers_of(shop())
    sure = [each["to_best_segment"] is not None and each["to_best_segment"]["beyond_chance"] for each in found]
    assert sure == sorted(sure, reverse=True)
    for group in (True, False):
        gains = [
            each["to_best_segment"]["gain"]["more_conversions"] if each["to_best_segment"] else 0
            for each, is_sure in zip(found, sure, strict=True)
            if is_sure is group
        ]
        assert gains == sorted(gains, reverse=True)


def test_money_is_conversions_at_the_mean_of_the_converted() -> None:
    funnel = reports.SHOP.funnels[0]
    last = replace(funnel.totals.steps[-1], value=reports.SCORECARD[-1].value, currency="EUR")
    valued = replace(funnel, totals=replace(funnel.totals, steps=(*funnel.totals.steps[:-1], last)))
    for lever in levers_of(reports.alone(valued)):
        for gain in (lever["by_a_tenth"], (lever["to_best_segment"] or {"gain": lever["by_a_tenth"]})["gain"]):
            for end in ("", "_low", "_high"):
                assert gain[f"more_value{end}"] == pytest.approx(gain[f"more_conversions{end}"] * 38211.45 / 412)


def segment(value: str, reached: Sequence[int], read: str = "entry") -> Any:
    return reports.by("device", value, reports.totals(reached, goals=("a", "b")), read)


@pytest.mark.parametrize(
    "segments",
    [
        [segment("small", (29, 29)), segment("large", (271, 71))],
        [segment("(other)", (100, 90)), segment("x", (200, 10))],
        [segment("(not set)", (100, 90)), segment("x", (200, 10))],
        [segment("later", (100, 90), "last"), segment("x", (200, 10), "last")],
        [segment("all", (300, 100))],
    ],
    ids=["small", "other", "not set", "value of a later event", "alone"],
)
def test_what_is_no_better_segment(segments: list[Any]) -> None:
    (lever,) = levers_of(reports.alone(reports.funnel(reports.totals((300, 100), goals=("a", "b")), segments=segments)))
    assert lever["to_best_segment"] is None


def test_of_many_segments_one_beyond_chance_is_the_best() -> None:
    """30 units may have the highest rate, but only the large segment is better beyond chance."""
    segments = [segment("few", (30, 16)), segment("many", (2000, 1000)), segment("rest", (2000, 600))]
    totals = reports.totals((4030, 1616), goals=("a", "b"))
    (lever,) = levers_of(reports.alone(reports.funnel(totals, segments=segments)))
    assert lever["to_best_segment"]["by"] == {"device": "many"}


@pytest.mark.parametrize("report", [reports.ANY_ORDER, reports.OPEN, reports.NOBODY])
def test_where_no_rate_can_be_held_there_is_no_lever(report: Report) -> None:
    assert levers_of(report) == []
    assert "What if a step rose: " in FORMATS["table"](with_levers(report), SCREEN)


def test_nobody_who_does_not_ask_gets_any() -> None:
    assert json.loads(FORMATS["json"](shop(), SCREEN))["funnels"][0]["what_if"] is None


# --- how often the interval holds the truth ---------------------------------------------------------------------------

RUNS = 150
Truth = Mapping[str, tuple[int, float]]


def simulated(truth: Truth, onward: float, chance: random.Random) -> FunnelResult:
    """A funnel in which the units of each segment take step b with their own rate, and all step c with the same."""
    drawn = {}
    for name, (units, rate) in truth.items():
        reached = sum(chance.random() < rate for _ in range(units))
        drawn[name] = (units, reached, sum(chance.random() < onward for _ in range(reached)))
    goals = ("a", "b", "c")
    segments = [reports.by("device", name, reports.totals(counts, goals=goals)) for name, counts in drawn.items()]
    whole = tuple(sum(counts) for counts in zip(*drawn.values(), strict=True))
    return reports.funnel(reports.totals(whole, goals=goals), segments=segments)


@pytest.mark.parametrize(
    ("truth", "onward"),
    [
        ({"x": (200, 0.3), "y": (200, 0.3)}, 0.5),
        ({"x": (150, 0.5), "y": (300, 0.3)}, 0.3),
        ({"x": (60, 0.2), "y": (90, 0.25), "z": (120, 0.3), "w": (80, 0.3)}, 0.6),
        (dict.fromkeys("rstuvwxyz", (100, 0.4)), 0.5),
    ],
    ids=["alike", "one better", "several", "nine alike"],
)
def test_the_interval_holds_the_truth_of_whichever_segment_is_the_best(truth: Truth, onward: float) -> None:
    chance = random.Random(20261001)
    held = asked = 0
    whole = sum(units for units, _ in truth.values())
    mean = sum(units * rate for units, rate in truth.values()) / whole
    for _ in range(RUNS):
        (funnel,) = with_levers(reports.alone(simulated(truth, onward, chance))).funnels
        lever = next((each for each in funnel.levers or () if each.step == 2), None)
        if lever is None or lever.best is None:
            continue
        asked += 1
        real = whole * (truth[lever.best.by["device"]][1] - mean) * onward
        held += lever.best.gain.low <= real <= lever.best.gain.high
    # No less than 95 %, but for what chance does to so many runs.
    assert held / asked >= 0.95 - norm.ppf(0.999) * sqrt(0.95 * 0.05 / asked)

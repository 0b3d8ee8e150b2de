"""What goals and steps are worth: exact sums against plain Python, currencies, and what is at risk."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from bridge import report_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import START, TICK, examples

from microfunnel.counting.money import CODES, SIGNS, amount_expr, currency_expr
from microfunnel.errors import InputError
from microfunnel.goals import Goal
from microfunnel.results import Report

GOALS: dict[str, Any] = {
    "see": {"kind": "milestone", "match": {"event": "see"}},
    "buy": {"kind": "macro", "match": {"event": "buy"}, "value": {"column": "price", "currency": "currency"}},
    "lead": {"kind": "secondary", "match": {"event": "lead"}, "value": {"column": "price"}},
}
FUNNELS = {"f": {"steps": ["see", "buy"], "window": "none"}}


def read(text: str | None, currency: str | None = None) -> tuple[Decimal | None, str | None]:
    """What the program makes of an amount, and of its currency."""
    goal = Goal.model_validate(GOALS["buy"])
    frame = pl.DataFrame(
        {"field:price": [text], "field:currency": [currency]},
        schema_overrides=dict.fromkeys(["field:price", "field:currency"], pl.String),
    )
    amount, found = frame.select(amount_expr(goal).alias("amount"), currency_expr(goal).alias("currency")).row(0)
    return None if amount is None else Decimal(amount) / 1_000_000, found


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12.50", "12.5", None),
        (" -3 ", "-3", None),
        ("12.50 EUR", "12.5", "EUR"),
        ("EUR 12.50", "12.5", "EUR"),
        ("USD12", "12", "USD"),
        ("€12.50", "12.5", "EUR"),
        ("12.50\u00a0€", "12.5", "EUR"),
        ("-12.50 £", "-12.5", "GBP"),
        ("$ 10", "10", "$"),
        ("¥1000", "1000", "¥"),
    ],
)
def test_amounts_are_read_with_their_currency(text: str, amount: str, currency: str | None) -> None:
    assert read(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        "1,50 €",
        "1.000,00 EUR",
        "1,000 USD",
        "1 000 EUR",
        "12 pcs",
        "12 PCS",
        "12 eur",
        "€",
        "EUR",
        "EUR 5 EUR",
        "5 EUR USD",
        "5 € $",
        "1e3 EUR",
        "NaN",
        "",
        " ",
        None,
    ],
)
def test_what_could_mean_two_things_is_not_read(text: str | None) -> None:
    assert read(text) == (None, None)


def test_the_currency_beside_the_amount_counts_before_that_of_the_column() -> None:
    assert read("5", " eur ") == (Decimal(5), "EUR")
    assert read("5", "€") == (Decimal(5), "EUR")
    assert read("5 USD", "EUR") == (Decimal(5), "USD")
    assert read("5", "") == read("5", "  ") == read("5", None) == (Decimal(5), None)


TEXTS = st.one_of(
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from([*SIGNS, "$", "EUR", "USD", "XYZ", "eur", "", " ", "-", "1,5", "1.5", "12", "x"]),
    st.text(alphabet="0123456789.,-+ EURS$€x\u00a0", max_size=10),
)


@examples(300)
@given(st.lists(TEXTS, min_size=1, max_size=3).map("".join))
def test_reading_an_amount_is_what_plain_python_says(text: str) -> None:
    """Numbers as they are; else one number with a sign or a code of a currency on one side, and nothing more."""
    amount, currency = read(text)
    stripped = text.strip()
    number = r"[+-]?\d+(?:\.\d+)?"
    if re.fullmatch(number, stripped, re.ASCII):
        assert (amount, currency) == (Decimal(stripped), None)
        return
    space = "[ \u00a0\u2009\u202f]*"
    name = rf"(?P<name>[$¥]|{'|'.join([*SIGNS, *CODES.split()])})"
    found = re.fullmatch(f"{name}{space}(?P<n>{number})", stripped) or re.fullmatch(
        f"(?P<n>{number}){space}{name}", stripped
    )
    if found:
        assert (amount, currency) == (Decimal(found["n"]), SIGNS.get(found["name"], found["name"]))
    elif not re.fullmatch(r"[+-]?(\d+\.|\.\d+)", stripped):
        assert (amount, currency) == (None, None)


# --- currencies -------------------------------------------------------------------------------------------------------


def report(*rows: tuple[str, str, str, str | None]) -> Report:
    """The report of events of one user, a second after each other: event, price, currency."""
    return report_of(
        [
            {"user": user, "time": START + place * 2 * TICK, "event": event, "price": price, "currency": currency}
            for place, (user, event, price, currency) in enumerate(rows)
        ],
        {"version": 1, "goals": GOALS, "funnels": FUNNELS},
    )


def test_one_currency_is_shown_wherever_its_amounts_are() -> None:
    found = report(
        ("u", "see", "", None), ("u", "buy", "5", "eur"), ("v", "buy", "2.50 €", None), ("v", "buy", "0", "USD")
    )
    (funnel,) = found.funnels
    assert [(goal.value, goal.currency) for goal in found.goals] == [(None, None), (Decimal("7.5"), "EUR"), (0, None)]
    assert [(step.value, step.currency) for step in funnel.totals.steps] == [(None, None), (5, "EUR")]
    assert funnel.totals.currency == "EUR"


@pytest.mark.parametrize(
    ("rows", "currencies"),
    [
        ([("u", "buy", "5", "EUR"), ("v", "buy", "5", "USD"), ("v", "buy", "5", "EUR")], "2 `EUR`, 1 `USD`"),
        ([("u", "buy", "5", "EUR"), ("v", "buy", "5", None)], "1 without one, 1 `EUR`"),
        ([("u", "buy", "$5", None), ("v", "buy", "5 USD", None)], "1 `$`, 1 `USD`"),
    ],
)
def test_different_currencies_are_an_error_and_no_sum(
    rows: list[tuple[str, str, str, str | None]], currencies: str
) -> None:
    with pytest.raises(InputError) as error:
        report(*rows)
    assert error.value.problems == (
        f"the values of `buy` (`price` and `currency`) are of different currencies, which do not add up: {currencies}",
    )
    assert error.value.hint
    assert "where" in error.value.hint


def test_each_goal_has_currencies_of_its_own() -> None:
    found = report(("u", "buy", "5", "EUR"), ("u", "lead", "3 USD", "EUR"))
    assert [goal.currency for goal in found.goals] == [None, "EUR", "USD"]


def test_many_currencies_are_counted_and_a_few_named() -> None:
    with pytest.raises(InputError, match=r"1 `C0`, 1 `C1`, 1 `C2`, 1 `C3`, 1 `C4`, 5 other currencies$"):
        report(*(("u", "buy", "1", f"C{place}") for place in range(10)))


# --- the steps of a funnel --------------------------------------------------------------------------------------------


def test_value_at_risk_is_the_lost_at_the_mean_of_the_converted() -> None:
    rows = [(f"u{n}", "see", "", None) for n in range(10)]
    found = report(*rows, ("u0", "buy", "0.1", None), ("u1", "buy", "0.2", None), ("u1", "buy", "99", None)).funnels[0]
    totals = found.totals
    assert (totals.value, totals.value_per_converted, totals.value_at_risk) == tuple(
        map(Decimal, ("0.3", "0.15", "1.2"))
    )
    assert [totals.at_risk(step) for step in totals.steps] == [None, Decimal("1.2")]
    assert [step.value_per_unit for step in totals.steps] == [None, Decimal("0.15")]


def test_without_a_conversion_nothing_is_known_to_be_at_risk() -> None:
    totals = report(("u", "see", "", None)).funnels[0].totals
    assert (totals.value, totals.value_per_converted, totals.value_at_risk) == (0, None, None)


def counted(steps: list[Any], events: Mapping[int, list[tuple[str, str]]], **options: Any) -> list[Decimal | None]:
    """The value of each step of one user's events (name and price) by their second."""
    rows = [
        {"user": "u", "time": START + second * 2 * TICK, "event": event, "price": price, "currency": None}
        for second, those in events.items()
        for event, price in those
    ]
    goals = GOALS | {"tip": {"kind": "secondary", "match": {"event": "buy"}, "value": 2}}
    funnel = {"steps": steps, "window": "none", **options}
    (found,) = report_of(rows, {"version": 1, "goals": goals, "funnels": {"f": funnel}}).funnels
    return [step.value for step in found.totals.steps]


def test_a_step_is_worth_the_event_with_which_the_journey_took_it() -> None:
    log = {0: [("see", "")], 1: [("buy", "5")], 2: [("buy", "7")]}
    assert counted(["see", "buy"], log) == [None, 5]
    assert counted(["see", "buy", "buy"], log) == [None, 5, 7]
    assert counted(["see", {"goal": "lead", "optional": True}, "buy"], log) == [None, 0, 5]
    assert counted(["see", "buy"], log, order="any") == [None, None]


@pytest.mark.parametrize("prices", [["7", "5", "x"], ["x", "5", "7"], ["5", "x", "7"]])
def test_of_several_events_of_the_instant_the_smallest_amount_counts(prices: list[str]) -> None:
    assert counted(["see", "buy"], {0: [("see", "")], 1: [("buy", price) for price in prices]}) == [None, 5]


def test_a_step_of_several_goals_has_a_value_where_one_of_them_does() -> None:
    log = {0: [("see", "")], 1: [("buy", "5")]}
    assert counted(["see", {"any": ["see", "buy"], "name": "either"}], log) == [None, 5]
    assert counted(["see", {"any": ["lead", "buy"], "name": "either"}], log) == [None, None]
    assert counted(["see", {"match": {"event": "buy"}, "name": "own"}], log) == [None, None]
    assert counted(["see", "tip"], log) == [None, 2]

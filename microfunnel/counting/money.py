"""What a completion of a goal is worth, in integers that add up exactly, and in which currency."""

from decimal import Decimal

import polars as pl

from microfunnel.events import field_column
from microfunnel.goals import Goal

MICROS = 1_000_000
"""Money is added in millionths of its unit, as integers."""
SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "₪": "ILS",
    "₫": "VND",
    "₱": "PHP",
    "฿": "THB",
    "₦": "NGN",
    "₩": "KRW",
    "₸": "KZT",
    "₾": "GEL",
    "₼": "AZN",
    "₡": "CRC",
    "₲": "PYG",
    "₵": "GHS",
    "₮": "MNT",
}
"""Signs of one currency; `$` and `¥` are signs of several, and stand for themselves."""
CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""The currencies in use, by ISO 4217 (funds, metals and test codes left out)."""
CURRENCIES = ["$", "¥", *SIGNS, *CODES.split()]
SPACES = " \u00a0\u2009\u202f"
_CURRENCY = f"(?:[A-Z]{{3}}|[$¥{''.join(SIGNS)}])"
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
MARKED = f"^(?:{_CURRENCY}[{SPACES}]*{_NUMBER}|{_NUMBER}[{SPACES}]*{_CURRENCY})$"
"""One number in plain notation, its currency before or after it. A comma might mean two things, so it is not read."""


def amount_expr(goal: Goal) -> pl.Expr:
    """The value of a completion (Int128, millionths); null where its column holds no number, 0 without a value."""
    if goal.value_column is not None:
        text = pl.col(field_column(goal.value_column))
        return text.map_batches(_amounts, return_dtype=pl.Int128, is_elementwise=True)
    return pl.lit(int(goal.value * MICROS) if isinstance(goal.value, Decimal) else 0, dtype=pl.Int128)


def currency_expr(goal: Goal) -> pl.Expr:
    """The currency of a completion's value (String): what stands beside the amount, or in the column of currencies.

    Null where neither names one.
    """
    if goal.value_column is None:
        return pl.lit(None, dtype=pl.String)
    text = pl.col(field_column(goal.value_column))
    beside = text.map_batches(_currencies, return_dtype=pl.String, is_elementwise=True)
    if goal.currency_column is None:
        return beside
    named = pl.col(field_column(goal.currency_column)).str.strip_chars().str.to_uppercase()
    return beside.fill_null(pl.when(named != "").then(named.replace(SIGNS)))


def _amounts(text: pl.Series) -> pl.Series:
    text = text.str.strip_chars()
    amount = _decimals(text)
    # Hardly any log has other texts; looking for currencies takes longer than reading numbers.
    if amount.null_count() > text.null_count():
        amount = amount.fill_null(_decimals(_marked(text, amount)["amount"]))
    return (amount * MICROS).cast(pl.Int128)


def _currencies(text: pl.Series) -> pl.Series:
    text = text.str.strip_chars()
    amount = _decimals(text)
    if amount.null_count() == text.null_count():
        return pl.repeat(None, len(text), dtype=pl.String, eager=True)
    return _marked(text, amount)["currency"].replace(SIGNS)


def _decimals(text: pl.Series) -> pl.Series:
    return text.cast(pl.Decimal(38, 6), strict=False)


def _marked(text: pl.Series, amount: pl.Series) -> pl.DataFrame:
    """The `amount` and `currency` (String) of the texts that are no plain number but hold one with its currency."""
    other = pl.when(pl.lit(amount).is_null()).then(pl.lit(text))
    # Patterns that capture would take ten times as long.
    marked = pl.when(other.str.contains(MARKED)).then(other)
    currency = marked.str.strip_chars(f"+-.0123456789{SPACES}")
    found = pl.select(marked.str.strip_chars("".join(CURRENCIES) + SPACES).alias("amount"), currency.alias("currency"))
    return found.select(pl.when(pl.col("currency").is_in(CURRENCIES)).then(pl.all()))

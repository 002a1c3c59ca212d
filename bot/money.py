"""Amounts as people read them: cents to "$1,234.56", and back nowhere: amounts are written in rules only."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from bot.model import Metric


def dollars(cents: int) -> str:
    """Whole cents as dollars, always with two decimals and thousands separators: 123456 → "$1,234.56"."""
    sign = "−" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}${whole:,}.{rest:02d}"


def number(value: Fraction | Decimal | int, places: int = 1) -> str:
    """A plain number with thousands separators, at most `places` decimals, none where it is whole."""
    rounded = _rounded(value, places)
    text = f"{abs(rounded):,.{places}f}"
    return ("−" if rounded < 0 else "") + (text.rstrip("0").rstrip(".") if "." in text else text)


def amount(metric: Metric, value: Fraction | Decimal | int) -> str:
    """A value of this metric with its unit: "$53.20", "1,240.5 minutes", "1 call", "$0.064 a minute"."""
    match metric:
        case Metric.COST:
            return _cents(value, 2)
        case Metric.MINUTES:
            return _counted(number(value), "minute")
        case Metric.CALLS:
            return _counted(number(value), "call")
        case Metric.COST_PER_CALL:
            return f"{_cents(value, 4)} a call"
        case Metric.COST_PER_MINUTE:
            return f"{_cents(value, 4)} a minute"
        case Metric.MINUTES_PER_CALL:
            return f"{_counted(number(value, 2), 'minute')} a call"


def percent_of(value: Fraction | Decimal | int, whole: Fraction | Decimal | int) -> int:
    """How many percent of `whole`, rounded down, so that 79.9% never reads as 80%."""
    return (Fraction(value) * 100 // Fraction(whole)) if whole else 0


def count(how_many: int, what: str) -> str:
    """ "1 message", "2 messages"."""
    return _counted(number(how_many), what)


def _counted(count: str, unit: str) -> str:
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def _cents(value: Fraction | Decimal | int, places: int) -> str:
    """Cents as dollars with two decimals, up to `places` where a part of a cent matters."""
    in_dollars = _rounded(Fraction(value) / 100, places)
    text = f"{abs(in_dollars):,.{places}f}"
    while places > 2 and text.endswith("0"):
        text, places = text[:-1], places - 1
    return f"{'−' if in_dollars < 0 else ''}${text}"


def _rounded(value: Fraction | Decimal | int, places: int) -> Decimal:
    exact = Fraction(value)
    scaled = Decimal(exact.numerator * 10**places) / Decimal(exact.denominator)
    return scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP).scaleb(-places)


def amount_of(metric: Metric, value: Fraction | Decimal | int, whole: Fraction | Decimal | int) -> str:
    """A value beside its threshold, the unit said once: "$53.20 of $50.00", "120 of 100 minutes"."""
    if metric is Metric.COST:
        return f"{_cents(value, 2)} of {_cents(whole, 2)}"
    first, _, _ = amount(metric, value).partition(" ")
    return f"{first} of {amount(metric, whole)}"

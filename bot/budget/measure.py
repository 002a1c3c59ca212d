"""A metric's value for some usage, exact in its unit: US cents, minutes, calls, or a fraction of two of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from bot.model import Metric, Totals

Value = int | Decimal | Fraction


def measure(metric: Metric, totals: Totals) -> Value | None:
    """The metric's value for these totals; None for a ratio of nothing: its divisor is zero, or was taken back."""
    match metric:
        case Metric.COST:
            return totals.cents
        case Metric.MINUTES:
            return totals.minutes
        case Metric.CALLS:
            return totals.calls
        case Metric.COST_PER_CALL:
            return _ratio(totals.cents, totals.calls)
        case Metric.COST_PER_MINUTE:
            return _ratio(totals.cents, totals.minutes)
        case Metric.MINUTES_PER_CALL:
            return _ratio(totals.minutes, totals.calls)


def comparable(amount: Decimal, value: Value) -> Value:
    """The amount in a form that compares exactly with the value, and fast."""
    return Fraction(amount) if isinstance(value, Fraction) else amount


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole > 0 else None

"""What is usual for a day: the median of the same weekday in the weeks before, which one odd day does not move."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from fractions import Fraction

from bot.budget.measure import Value, measure
from bot.budget.sums import Sums
from bot.model import Metric, Span
from bot.money import number

WEEKS = 8  # looked back on
FEWEST = 3  # same weekdays with figures; with fewer, nothing is called usual


def usual(metric: Metric, day: date, sums: Sums) -> Value | None:
    """The metric's usual value on such a weekday, in its unit; None where history is too short.

    Days before the account's first use are no history: a week counts from the first day with any usage on.
    """
    first = sums.first_use
    days = [day - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
    values = [
        Fraction(value)
        for each in days
        if first and each >= first
        if (totals := sums.total(Span(each, each + timedelta(days=1))))
        if (value := measure(metric, totals)) is not None
    ]
    return statistics.median(values) if len(values) >= FEWEST else None


def times_usual(value: Value, expected: Value, day: date) -> str:
    """ "2.1× a usual Sunday": how many times the usual, rounded down as percents are."""
    return f"{number(Fraction(tenths_of(Fraction(value), Fraction(expected)), 10))}× a usual {day:%A}"


def tenths_of(value: Fraction, expected: Fraction) -> int:
    """How many tenths of what is usual, rounded down."""
    return value * 10 // expected if expected else 0

"""Why some days cost other than usual: more calls, longer calls, or a dearer minute. Exact, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import cycle, islice
from math import floor

from bot.budget.sums import Sums
from bot.budget.usual import usual
from bot.model import Metric, Span, Totals


@dataclass(frozen=True, slots=True)
class Cause:
    """Why cost differs from the usual, in whole US cents: `calls`, `length` and `price` sum to `change` exactly.

    `calls` is what more or fewer calls account for, `length` what longer or shorter ones do, and `price` what the price
    of a minute does. `more_calls` is the change of calls against the usual: 82/100 is 82% more, −1/2 half as many.
    """

    change: int
    calls: int
    length: int
    price: int
    more_calls: Fraction


def usual_totals(span: Span, sums: Sums) -> Totals | None:
    """What is usual for these days together; None where any of them has too little history.

    Each is measured by the weeks before the span's first day of its weekday, so the span is never its own history.
    """
    week = [_usual_day(day, sums) for day in span.each_day()[:7]]
    known = [each for each in week if each is not None]
    if len(known) < len(week):
        return None
    return sum(islice(cycle(known), span.days), start=Totals())


def cause(totals: Totals, usual: Totals) -> Cause | None:
    """What the change of calls, of minutes a call and of cents a minute account for, since cost is their product.

    One after the other: calls at the usual length and price, then the length of these calls at the usual price, then
    the price of these minutes. None where either side has no calls or no minutes, and so no length or no price.
    """
    if not all(each.calls > 0 and each.minutes > 0 for each in (totals, usual)):
        return None
    minutes, usual_minutes = Fraction(totals.minutes), Fraction(usual.minutes)
    more_calls = Fraction(totals.calls - usual.calls, usual.calls)
    usual_price = usual.cents / usual_minutes
    calls, length, price = _whole_cents(
        more_calls * usual.cents,
        (minutes - (1 + more_calls) * usual_minutes) * usual_price,
        totals.cents - minutes * usual_price,
    )
    return Cause(totals.cents - usual.cents, calls, length, price, more_calls)


def _usual_day(day: date, sums: Sums) -> Totals | None:
    """The usual cents, minutes and calls of one day. Where a median falls between two, cents and calls, which are
    whole, are rounded half up; minutes keep their half."""
    cents, minutes, calls = (usual(metric, day, sums) for metric in (Metric.COST, Metric.MINUTES, Metric.CALLS))
    if cents is None or minutes is None or calls is None:
        return None
    return Totals(_half_up(Fraction(cents)), _decimal(Fraction(minutes)), _half_up(Fraction(calls)))


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


def _whole_cents(*parts: Fraction) -> list[int]:
    """The parts, whose sum is whole, in whole cents with the same sum: the largest remainders are rounded up."""
    whole = [floor(part) for part in parts]
    short = int(sum(parts)) - sum(whole)
    by_remainder = sorted(range(len(parts)), key=lambda place: whole[place] - parts[place])
    for place in by_remainder[:short]:
        whole[place] += 1
    return whole

"""Amounts as people read them: cents to "$1,234.56", and back nowhere: amounts are written in rules only.

What stands together adds up to the eye: a figure beside its threshold and a percent has as many decimals as it takes
for that percent to follow from what is printed. A minus is U+2212.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

from bot.model import Metric

Number = Fraction | Decimal | int

_DECIMALS: Final = {
    Metric.COST: 2,
    Metric.MINUTES: 1,
    Metric.CALLS: 1,
    Metric.COST_PER_CALL: 4,
    Metric.COST_PER_MINUTE: 4,
    Metric.MINUTES_PER_CALL: 2,
}
"""Of dollars, minutes or calls: how many are shown at most, where they tell enough."""
_MORE: Final = 3  # decimals beyond them, before two figures are rounded down to tell the truth
_FINEST: Final = 12


def dollars(cents: int) -> str:
    """Whole cents as dollars, always with two decimals and thousands separators: 123456 → "$1,234.56"."""
    return amount(Metric.COST, cents)


def number(value: Number, places: int = 1) -> str:
    """A plain number with thousands separators, at most `places` decimals, none where it is whole."""
    return _text(_nearest(Fraction(value), places), places)


def percent(value: int) -> str:
    """ "84%", "1,250%", "−10%"."""
    return f"{number(value)}%"


def amount(metric: Metric, value: Number) -> str:
    """A value of this metric with its unit: "$53.20", "1,240.5 minutes", "1 call", "$0.064 a minute"."""
    places = _DECIMALS[metric]
    return _with_unit(metric, _figure(metric, _nearest(_in_unit(metric, value), places), places))


def set_amount(metric: Metric, value: Decimal) -> str:
    """The same of an amount that somebody has set, with every decimal it has but parts of a cent of cost."""
    places = _decimals_of(metric, value)
    return _with_unit(metric, _figure(metric, _nearest(_in_unit(metric, value), places), places))


def amount_of(metric: Metric, value: Number, whole: Number) -> str:
    """A value beside its threshold, the unit said once: "$53.20 of $50.00", "120 of 100 minutes"."""
    figure, beside = together(metric, value, whole, percent_of)
    return f"{figure} of {_with_unit(metric, beside)}"


def compared(
    metric: Metric, value: Number, other: Number, tells: Callable[[Fraction, Fraction], object]
) -> tuple[str, str]:
    """Two amounts with their units, in as many decimals as `together`."""
    figure, beside = together(metric, value, other, tells)
    return _with_unit(metric, figure), _with_unit(metric, beside)


def together(
    metric: Metric, value: Number, other: Number, tells: Callable[[Fraction, Fraction], object]
) -> tuple[str, str]:
    """Two figures without units, with the fewest decimals at which `tells` says of what is shown what it says of the
    figures themselves; `other` keeps every decimal that somebody has set.

    Where some decimals more are not enough, both are rounded down: 4/3 is twice 2/3, and 1.33 is not twice 0.67.
    """
    exact = _in_unit(metric, value), _in_unit(metric, other)
    fewest = _decimals_of(metric, other)
    for rounded, most in ((_nearest, fewest + _MORE), (_below, _FINEST)):
        for places in range(fewest, most + 1):
            one, two = (rounded(each, places) for each in exact)
            if tells(Fraction(one, 10**places), Fraction(two, 10**places)) == tells(*exact):
                return _figure(metric, one, places), _figure(metric, two, places)
    one, two = (_nearest(each, _FINEST) for each in exact)
    return _figure(metric, one, _FINEST), _figure(metric, two, _FINEST)


def percent_of(value: Number, whole: Number) -> int:
    """How many percent of `whole`, rounded down, so that 79.9% never reads as 80%."""
    return (Fraction(value) * 100 // Fraction(whole)) if whole else 0


def count(how_many: int, what: str) -> str:
    """ "1 message", "2 messages"."""
    return _counted(number(how_many), what)


def _counted(count: str, unit: str) -> str:
    return f"{count} {unit}" if count.lstrip("−") == "1" else f"{count} {unit}s"


def _with_unit(metric: Metric, figure: str) -> str:
    match metric:
        case Metric.COST:
            return figure
        case Metric.MINUTES:
            return _counted(figure, "minute")
        case Metric.CALLS:
            return _counted(figure, "call")
        case Metric.COST_PER_CALL:
            return f"{figure} a call"
        case Metric.COST_PER_MINUTE:
            return f"{figure} a minute"
        case Metric.MINUTES_PER_CALL:
            return f"{_counted(figure, 'minute')} a call"


def _figure(metric: Metric, scaled: int, places: int) -> str:
    """So many 10ths, 100ths … as written: dollars with two decimals and more where they matter, else what matters."""
    return _text(scaled, places, fewest=2, sign="$") if metric.is_money else _text(scaled, places)


def _text(scaled: int, places: int, fewest: int = 0, sign: str = "") -> str:
    whole, rest = divmod(abs(scaled), 10**places)
    decimals = f"{rest:0{places}d}".rstrip("0").ljust(fewest, "0") if places else ""
    return f"{'−' if scaled < 0 else ''}{sign}{whole:,}{f'.{decimals}' if decimals else ''}"


def _in_unit(metric: Metric, value: Number) -> Fraction:
    """In dollars, minutes or calls."""
    return Fraction(value) / (100 if metric.is_money else 1)


def _decimals_of(metric: Metric, value: Number) -> int:
    """How many decimals an amount that was set has, in dollars, minutes or calls; at least those that are shown."""
    if metric is Metric.COST or not isinstance(value, Decimal):
        return _DECIMALS[metric]
    exponent = int(value.normalize().as_tuple().exponent)
    own = (2 if metric.is_money else 0) - exponent
    return min(max(own, _DECIMALS[metric]), _FINEST)


def _nearest(value: Fraction, places: int) -> int:
    """In 10ths, 100ths …, halves away from zero."""
    nearest: int = floor(abs(value) * 10**places + Fraction(1, 2))
    return -nearest if value < 0 else nearest


def _below(value: Fraction, places: int) -> int:
    """In 10ths, 100ths …, rounded down."""
    below: int = floor(value * 10**places)
    return below

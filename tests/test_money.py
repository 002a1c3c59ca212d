"""Amounts as people read them."""

from __future__ import annotations

import operator
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Metric
from bot.money import amount, amount_of, compared, dollars, number, percent, percent_of, set_amount


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "$0.00"),
        (1, "$0.01"),
        (99, "$0.99"),
        (100, "$1.00"),
        (5320, "$53.20"),
        (123456, "$1,234.56"),
        (10**11, "$1,000,000,000.00"),
        (-5, "−$0.05"),
        (-123456, "−$1,234.56"),
    ],
)
def test_cents_are_dollars_with_two_decimals_and_separators(cents: int, text: str) -> None:
    assert dollars(cents) == text
    assert amount(Metric.COST, cents) == text


@given(cents=st.integers(-(10**15), 10**15))
def test_no_cent_is_lost_in_writing(cents: int) -> None:
    written = dollars(cents)
    assert int(re.sub(r"[$,.]", "", written).replace("−", "-")) == cents
    assert re.fullmatch(r"−?\$\d{1,3}(,\d{3})*\.\d\d", written)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (Metric.MINUTES, Decimal("1240.5"), "1,240.5 minutes"),
        (Metric.MINUTES, Decimal("1240.04"), "1,240 minutes"),
        (Metric.MINUTES, Decimal("1.0"), "1 minute"),
        (Metric.MINUTES, Decimal("-0.01"), "0 minutes"),
        (Metric.CALLS, 0, "0 calls"),
        (Metric.CALLS, 1, "1 call"),
        (Metric.CALLS, -1, "−1 call"),
        (Metric.CALLS, -12, "−12 calls"),
        (Metric.CALLS, 1200, "1,200 calls"),
        (Metric.COST_PER_CALL, Fraction(25), "$0.25 a call"),
        (Metric.COST_PER_CALL, Fraction(1, 3), "$0.0033 a call"),
        (Metric.COST_PER_MINUTE, Fraction(64, 10), "$0.064 a minute"),
        (Metric.COST_PER_MINUTE, Fraction(6), "$0.06 a minute"),
        (Metric.MINUTES_PER_CALL, Fraction(17, 3), "5.67 minutes a call"),
        (Metric.MINUTES_PER_CALL, Fraction(1), "1 minute a call"),
    ],
)
def test_every_value_bears_its_unit(metric: Metric, value: Fraction | Decimal | int, text: str) -> None:
    assert amount(metric, value) == text


@pytest.mark.parametrize(
    ("metric", "value", "whole", "text"),
    [
        (Metric.COST, 5320, Decimal(5000), "$53.20 of $50.00"),
        (Metric.COST, 125050, Decimal(100000), "$1,250.50 of $1,000.00"),
        (Metric.MINUTES, Decimal("120.25"), Decimal(100), "120.3 of 100 minutes"),
        (Metric.CALLS, 1, Decimal(1), "1 of 1 call"),
        (Metric.COST_PER_MINUTE, Fraction(13, 2), Decimal(6), "$0.065 of $0.06 a minute"),
        (Metric.COST_PER_MINUTE, Fraction(5320, 887), Decimal(5), "$0.05998 of $0.05 a minute"),  # 119%
        (Metric.COST_PER_MINUTE, Fraction(13, 2), Decimal("6.543"), "$0.065 of $0.06543 a minute"),
        (Metric.MINUTES, Decimal("79.96"), Decimal(100), "79.96 of 100 minutes"),  # 79%
        (Metric.MINUTES, Decimal("0.3"), Decimal("0.25"), "0.3 of 0.25 minutes"),
        (Metric.COST, -500, Decimal(5000), "−$5.00 of $50.00"),
        (Metric.MINUTES_PER_CALL, Fraction(13, 2), Decimal(6), "6.5 of 6 minutes a call"),
    ],
)
def test_beside_its_threshold_the_unit_is_said_once(
    metric: Metric, value: Fraction | Decimal | int, whole: Decimal, text: str
) -> None:
    assert amount_of(metric, value, whole) == text


AMOUNTS = st.integers(1, 10**12).map(Decimal) | st.integers(1, 10**9).map(lambda value: Decimal(value).scaleb(-6))
VALUES = st.fractions(-(10**9), 10**9) | st.integers(-(10**13), 10**13).map(Fraction)


def shown(text: str) -> Fraction:
    """The first figure of a text, as a reader takes it."""
    return Fraction(re.findall(r"[−\d][\d,.]*", text.replace("$", ""))[0].replace(",", "").replace("−", "-"))


@given(metric=st.sampled_from(Metric), value=VALUES, whole=AMOUNTS, near=st.booleans())
def test_a_percent_is_what_the_figures_beside_it_come_to(
    metric: Metric, value: Fraction, whole: Decimal, near: bool
) -> None:
    if near:  # a hair's breadth from a whole percent
        value = Fraction(whole) * (percent_of(value, 10**7) or 100) / 100 + Fraction(value.denominator % 3 - 1, 10**9)
    if metric is Metric.COST:
        value, whole = Fraction(round(value)), Decimal(max(1, round(whole)))
    first, _, second = amount_of(metric, value, whole).partition(" of ")
    assert percent_of(shown(first), shown(second)) == percent_of(value, whole)
    assert metric is Metric.COST or shown(second) * (100 if metric.is_money else 1) == Fraction(whole)


@given(metric=st.sampled_from(Metric), value=VALUES, other=VALUES)
def test_two_amounts_that_differ_are_not_written_alike(metric: Metric, value: Fraction, other: Fraction) -> None:
    first, second = compared(metric, value, other, operator.eq)
    assert (first == second) is (value == other) or abs(value - other) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (Metric.COST, Decimal(7500), "$75.00"),
        (Metric.COST, Decimal("1666.8333"), "$16.67"),
        (Metric.COST_PER_MINUTE, Decimal("6.543"), "$0.06543 a minute"),
        (Metric.MINUTES, Decimal("0.25"), "0.25 minutes"),
        (Metric.CALLS, Decimal(1), "1 call"),
    ],
)
def test_an_amount_that_was_set_is_shown_as_it_was_set(metric: Metric, value: Decimal, text: str) -> None:
    assert set_amount(metric, value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(84, "84%"), (1250, "1,250%"), (0, "0%"), (-10, "−10%"), (-1250, "−1,250%")]
)
def test_a_percent_has_separators_and_the_same_minus_as_amounts(value: int, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "whole", "percent"),
    [
        pytest.param(3995, 5000, 79, id="79.9% does not read as 80%"),
        pytest.param(4000, 5000, 80, id="80% does"),
        pytest.param(4999, 5000, 99, id="a cent below is not 100%"),
        pytest.param(5000, 5000, 100, id="at the threshold is 100%"),
        pytest.param(10**15 - 1, 10**15, 99, id="also where a float would round up"),
        pytest.param(Fraction(2, 3), 1, 66, id="a ratio"),
        pytest.param(Decimal("0.7999"), Decimal(1), 79, id="minutes"),
        pytest.param(5, 0, 0, id="of nothing"),
    ],
)
def test_percent_is_rounded_down(value: Fraction | int, whole: int, percent: int) -> None:
    assert percent_of(value, whole) == percent


@given(value=st.integers(0, 10**12), whole=st.integers(1, 10**12))
def test_a_percent_is_never_more_than_the_truth(value: int, whole: int) -> None:
    percent = percent_of(value, whole)
    assert percent * whole <= value * 100 < (percent + 1) * whole


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Decimal("0.05"), 1, "0.1"),
        (Decimal("0.04"), 1, "0"),
        (1234567, 1, "1,234,567"),
        (Decimal("-2.5"), 1, "−2.5"),
        (Fraction(10), 0, "10"),
        (Decimal("99.96"), 1, "100"),
    ],
)
def test_a_plain_number_has_separators_and_no_idle_zeros(
    value: Fraction | Decimal | int, places: int, text: str
) -> None:
    assert number(value, places) == text

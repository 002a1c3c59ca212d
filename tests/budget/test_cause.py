"""Why days cost other than usual: what is usual for them, and how a change splits into calls, length and price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.cause import Cause, cause, usual_totals
from bot.budget.sums import Sums
from bot.model import Reading, Span, Totals
from tests.samples.figures import SUNDAY, reading

USUAL = Totals(5000, Decimal(1000), 200)  # 5 minutes a call, 5 cents a minute


def totals(cents: int, minutes: str, calls: int) -> Totals:
    return Totals(cents, Decimal(minutes), calls)


@pytest.mark.parametrize(
    ("now", "usual", "expected"),
    [
        pytest.param(USUAL, USUAL, Cause(0, 0, 0, 0, Fraction(0)), id="as usual, nothing has a cause"),
        pytest.param(
            totals(9100, "1820", 364), USUAL, Cause(4100, 4100, 0, 0, Fraction(82, 100)), id="more calls of one length"
        ),
        pytest.param(
            totals(2500, "500", 100), USUAL, Cause(-2500, -2500, 0, 0, Fraction(-1, 2)), id="half as many calls"
        ),
        pytest.param(totals(7500, "1500", 200), USUAL, Cause(2500, 0, 2500, 0, Fraction(0)), id="longer calls"),
        pytest.param(totals(4000, "800", 200), USUAL, Cause(-1000, 0, -1000, 0, Fraction(0)), id="shorter calls"),
        pytest.param(totals(6000, "1000", 200), USUAL, Cause(1000, 0, 0, 1000, Fraction(0)), id="dearer minutes"),
        pytest.param(totals(0, "1000", 200), USUAL, Cause(-5000, 0, 0, -5000, Fraction(0)), id="minutes for nothing"),
        pytest.param(
            totals(18000, "3000", 400),
            USUAL,
            Cause(13000, 5000, 5000, 3000, Fraction(1)),
            id="each is measured at what came before it: 200 calls more, 2.5 minutes more for 400, a cent for 3,000",
        ),
        pytest.param(
            totals(5000, "1000", 400), USUAL, Cause(0, 5000, -5000, 0, Fraction(1)), id="parts that cancel each other"
        ),
        pytest.param(
            totals(5500, "1000", 200), totals(0, "1000", 200), Cause(5500, 0, 0, 5500, Fraction(0)), id="usually free"
        ),
        pytest.param(
            totals(101, "4", 4),
            totals(100, "3", 3),
            Cause(1, 33, 0, -32, Fraction(1, 3)),
            id="thirds of a cent: 33⅓ and −32⅓, the larger remainder is rounded up",
        ),
        pytest.param(
            totals(1, "1", 4),
            totals(1, "2", 3),
            Cause(0, 0, -1, 1, Fraction(1, 3)),
            id="⅓, −⅚ and ½ of a cent: the largest remainder, ½, is rounded up",
        ),
        pytest.param(
            totals(8, "5", 4),
            totals(5, "3", 3),
            Cause(3, 2, 2, -1, Fraction(1, 3)),
            id="1⅔, 1⅔ and −⅓: of equal remainders, calls and length come first",
        ),
    ],
)
def test_a_change_splits_into_calls_length_and_price(now: Totals, usual: Totals, expected: Cause) -> None:
    assert cause(now, usual) == expected


@pytest.mark.parametrize(
    ("now", "usual"),
    [
        pytest.param(totals(100, "10", 0), USUAL, id="no calls"),
        pytest.param(totals(100, "0", 10), USUAL, id="no minutes"),
        pytest.param(USUAL, totals(100, "10", 0), id="usually no calls"),
        pytest.param(USUAL, totals(100, "0", 10), id="usually no minutes"),
        pytest.param(Totals(), Totals(), id="nothing at all"),
        pytest.param(totals(100, "10", -5), USUAL, id="calls taken back"),
        pytest.param(USUAL, totals(100, "-10", 5), id="usually minutes taken back"),
    ],
)
def test_without_calls_or_minutes_no_cause_is_named(now: Totals, usual: Totals) -> None:
    assert cause(now, usual) is None


ANY_TOTALS = st.builds(
    Totals,
    cents=st.integers(-(10**12), 10**12),
    minutes=st.decimals(-(10**12), 10**12, allow_nan=False, places=6),
    calls=st.integers(-(10**12), 10**12),
)
SMALL_TOTALS = st.builds(Totals, st.integers(0, 9), st.integers(1, 9).map(Decimal), st.integers(1, 9))


@given(st.one_of(ANY_TOTALS, SMALL_TOTALS), st.one_of(ANY_TOTALS, SMALL_TOTALS))
def test_the_parts_sum_to_the_change_to_the_cent_for_any_figures(now: Totals, usual: Totals) -> None:
    found = cause(now, usual)
    assert (found is not None) == all(each.calls > 0 and each.minutes > 0 for each in (now, usual))
    if found:
        assert found.change == now.cents - usual.cents
        assert found.calls + found.length + found.price == found.change


@given(SMALL_TOTALS, SMALL_TOTALS)
def test_each_part_is_less_than_a_cent_from_the_exact_one(now: Totals, usual: Totals) -> None:
    found = cause(now, usual)
    assert found
    usual_price = Fraction(usual.cents) / Fraction(usual.minutes)
    usual_length = Fraction(usual.minutes) / usual.calls
    price, length = Fraction(now.cents) / Fraction(now.minutes), Fraction(now.minutes) / now.calls
    assert abs(found.calls - (now.calls - usual.calls) * usual_length * usual_price) < 1
    assert abs(found.length - now.calls * (length - usual_length) * usual_price) < 1
    assert abs(found.price - now.calls * length * (price - usual_price)) < 1


@given(st.one_of(ANY_TOTALS, SMALL_TOTALS))
def test_equal_figures_have_no_cause(same: Totals) -> None:
    assert cause(same, same) in (None, Cause(0, 0, 0, 0, Fraction(0)))


# What is usual for some days


def weeks(*sundays: Totals) -> Reading:
    """The Sundays before this one, the last one first; every day between is without usage."""
    return reading({SUNDAY - timedelta(weeks=back): each for back, each in enumerate(sundays, start=1)})


THIS_SUNDAY = Span(SUNDAY, SUNDAY + timedelta(days=1))
LOW, MIDDLE, HIGH = totals(1000, "100", 20), totals(2000, "300.5", 30), totals(9000, "900", 90)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([HIGH, LOW, MIDDLE], MIDDLE, id="the one in the middle"),
        pytest.param([LOW, LOW, LOW, HIGH], LOW, id="one odd Sunday moves nothing"),
        pytest.param(
            [totals(1000, "900", 50), totals(2000, "100", 70), totals(3000, "500", 10)],
            totals(2000, "500", 50),
            id="each figure has its own median",
        ),
        pytest.param(
            [totals(10, "1", 4), totals(10, "1.000001", 4), totals(11, "1.000002", 5), totals(12, "2", 9)],
            totals(11, "1.0000015", 5),
            id="half a cent and half a call are rounded up, minutes keep their half",
        ),
        pytest.param([LOW] * 8 + [HIGH] * 2, LOW, id="eight weeks are looked back on"),
        pytest.param([LOW] * 3 + [MIDDLE, MIDDLE] + [HIGH] * 4, MIDDLE, id="the ninth week does not count"),
        pytest.param([LOW, MIDDLE], None, id="two Sundays are too little history"),
        pytest.param([], None, id="no usage is no history"),
    ],
)
def test_the_usual_of_a_day_is_the_median_of_the_weeks_before(history: list[Totals], expected: Totals | None) -> None:
    assert usual_totals(THIS_SUNDAY, Sums(weeks(*history))) == expected


def steady(days: int) -> Reading:
    """Used on this Sunday and so many days before it. The weekday tells how much: 100 cents, 10 minutes and 1 call on a
    Monday, twice as much on a Tuesday, up to seven times as much on a Sunday."""
    used = [SUNDAY - timedelta(days=back) for back in range(days + 1)]
    by_day = {day: day.weekday() + 1 for day in used}
    return reading({day: Totals(100 * each, Decimal(10 * each), each) for day, each in by_day.items()})


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param(1, totals(700, "70", 7), id="a day"),
        pytest.param(2, totals(1300, "130", 13), id="a Saturday and a Sunday"),
        pytest.param(7, totals(2800, "280", 28), id="a week"),
        pytest.param(9, totals(4100, "410", 41), id="a week and two days"),
        pytest.param(31, totals(13000, "1300", 130), id="a month"),
    ],
)
def test_the_usual_of_several_days_is_the_sum_of_theirs(days: int, expected: Totals) -> None:
    span = Span(SUNDAY - timedelta(days=days - 1), SUNDAY + timedelta(days=1))
    assert usual_totals(span, Sums(steady(69))) == expected


@pytest.mark.parametrize("days", [1, 7, 8, 20])
def test_days_of_the_span_and_after_it_are_no_history(days: int) -> None:
    """The span ends a week before the reading does."""
    span = Span(SUNDAY - timedelta(days=days + 6), SUNDAY - timedelta(days=6))
    calm = steady(69)
    wild = {day: HIGH if day >= span.start else each for day, each in calm.days.items()}
    assert usual_totals(span, Sums(reading(wild))) == usual_totals(span, Sums(calm))


def test_one_day_with_too_little_history_leaves_the_whole_span_without_a_usual() -> None:
    """First used on a Sunday three weeks before: Sundays have three weeks of history, and Saturdays two."""
    sums = Sums(steady(21))
    assert usual_totals(THIS_SUNDAY, sums) == totals(700, "70", 7)
    assert usual_totals(Span(SUNDAY - timedelta(days=1), SUNDAY + timedelta(days=1)), sums) is None


def test_days_that_cartesia_sent_nothing_for_are_no_history() -> None:
    sent = {SUNDAY - timedelta(weeks=back): LOW for back in (1, 4, 6)}
    assert usual_totals(THIS_SUNDAY, Sums(reading(sent, zeros=False))) == LOW
    del sent[SUNDAY - timedelta(weeks=4)]
    assert usual_totals(THIS_SUNDAY, Sums(reading(sent, zeros=False))) is None

"""Where an open window is heading."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.forecast import Curve, Forecast, forecast
from bot.budget.sums import Sums
from bot.model import Metric, Period, Reading, Totals
from bot.windows import midnight, window_of
from tests.budget.profiles import SHORT, better, curves_of, table
from tests.samples.figures import MOMENTS, days_before, rule

TUESDAY = date(2026, 11, 17)
MONTH_END = date(2026, 11, 30)  # a Monday
LEAP_DAY = date(2028, 2, 29)  # a Tuesday

DayOf = Callable[[date], int]
"""How many cents a day has in all."""


def totals(cents: int) -> Totals:
    return Totals(cents, Decimal(cents) / 10, cents // 20)


def at_work(hour: float) -> float:
    """The share of a day reached by an hour: from 8:00 to 18:00, evenly."""
    return min(max((hour - 8) / 10, 0.0), 1.0)


def evenly(hour: float) -> float:
    return hour / 24


def always(_: date) -> int:
    return 4800


def curve(day: date, cents: int, course: Callable[[float], float] = at_work, hours: range = range(24)) -> Curve:
    """Read every hour, as the bot keeps it: where the figure changed."""
    reads = [(midnight(day) + timedelta(hours=hour), round(cents * course(hour))) for hour in hours]
    before = [None, *(figure for _, figure in reads)]
    return [(at, totals(figure)) for (at, figure), known in zip(reads, before, strict=False) if figure != known]


def at(day: date, hour: float) -> datetime:
    return midnight(day) + timedelta(hours=hour)


def told(
    now: datetime,
    so_far: int,
    threshold: int = 4800,
    *,
    period: Period = Period.DAY,
    metric: Metric = Metric.COST,
    finals: DayOf = always,
    days: int = 69,
    course: Callable[[float], float] = at_work,
    curves: Mapping[date, Curve] | None = None,
) -> Forecast | None:
    """The forecast for an account with so many days before today."""
    today = now.astimezone(UTC).date()
    past = days_before(today, days + 1).each_day()[:-1]
    reading = Reading(
        days_before(today, 70), {**{day: totals(finals(day)) for day in past}, today: totals(so_far)}, now
    )
    known = {day: curve(day, finals(day), course) for day in past} if curves is None else curves
    budget = rule(threshold=threshold, period=period, metric=metric)
    return forecast(budget, window_of(period, today), Sums(reading), known)


def sure(found: Forecast | None) -> Forecast:
    assert found is not None
    return found


# When there is none


def test_a_ratio_has_no_forecast() -> None:
    assert told(at(TUESDAY, 12), 1920, metric=Metric.COST_PER_CALL) is None


@pytest.mark.parametrize("period", Period)
def test_a_window_that_is_over_has_no_forecast(period: Period) -> None:
    window = window_of(period, TUESDAY)
    days = dict.fromkeys(days_before(window.end, 70).each_day(), totals(4800))
    known = {day: curve(day, 4800) for day in days}
    assert (
        forecast(
            rule(period=period), window, Sums(Reading(days_before(window.end, 70), days, midnight(window.end))), known
        )
        is None
    )


def test_a_window_that_has_not_begun_has_no_forecast() -> None:
    reading = Reading(days_before(TUESDAY, 70), {TUESDAY: totals(100)}, at(TUESDAY, 12))
    tomorrow = window_of(Period.DAY, TUESDAY + timedelta(days=1))
    assert forecast(rule(), tomorrow, Sums(reading), {}) is None


def test_a_day_that_cartesia_sent_no_bucket_for_yet_has_no_forecast() -> None:
    past = days_before(TUESDAY, 70).each_day()[:-1]
    reading = Reading(days_before(TUESDAY, 70), {day: totals(4800) for day in past}, at(TUESDAY, 0.02))
    known = {day: curve(day, 4800) for day in past}
    assert forecast(rule(), window_of(Period.DAY, TUESDAY), Sums(reading), known) is None


@pytest.mark.parametrize("period", Period)
def test_an_account_used_for_the_first_time_today_has_no_forecast(period: Period) -> None:
    assert told(at(TUESDAY, 12), 1920, period=period, days=0) is None
    assert told(at(TUESDAY, 12), 0, period=period, finals=lambda _: 0) is None


def test_a_day_needs_three_earlier_days_of_its_kind() -> None:
    # the days before the Tuesday: Monday, Sunday, Saturday, Friday, Thursday
    assert told(at(TUESDAY, 12), 1920, days=4) is None
    assert told(at(TUESDAY, 12), 1920, days=5) is not None


def test_a_day_needs_earlier_days_that_were_read_during_those_days() -> None:
    assert told(at(TUESDAY, 12), 1920, curves={}) is None


def test_a_week_needs_three_days_like_each_day_that_is_left() -> None:
    assert told(at(TUESDAY, 12), 6720, period=Period.WEEK, days=8) is None
    assert told(at(TUESDAY, 12), 6720, period=Period.WEEK, days=10) is not None


def test_days_before_the_first_use_are_no_history() -> None:
    new = told(at(TUESDAY, 12), 1920, finals=lambda day: 4800 if day >= TUESDAY - timedelta(days=22) else 0)
    assert sure(new).low == 4800


# A day


def test_where_every_day_repeats_the_forecast_is_the_same_figure_again() -> None:
    assert told(at(TUESDAY, 13), 2400) == Forecast(
        Fraction(4800), Fraction(4800), Fraction(4800), likely=True, crosses_at=at(TUESDAY, 18)
    )


@pytest.mark.parametrize(
    ("metric", "threshold", "value"), [(Metric.MINUTES, 480, 480), (Metric.CALLS, 240, 240), (Metric.COST, 4800, 4800)]
)
def test_each_sum_is_told_in_its_own_unit(metric: Metric, threshold: int, value: int) -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold, metric=metric))
    assert (int(found.value), found.likely) == (value, True)


def test_the_time_of_crossing_is_about_when_such_days_reached_that_figure() -> None:
    found = sure(told(at(TUESDAY, 10), 960, threshold=3840))
    assert found.crosses_at is not None
    assert abs(found.crosses_at - at(TUESDAY, 16)) <= timedelta(minutes=2)


def test_a_threshold_out_of_reach_is_not_likely() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold=4801))
    assert (found.likely, found.crosses_at) == (False, None)


def test_once_crossed_the_crossing_has_no_time() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold=2400))
    assert (int(found.value), found.likely, found.crosses_at) == (4800, True, None)


def test_a_day_at_twice_the_pace_heads_far_higher() -> None:
    found = sure(told(at(TUESDAY, 13), 4800, threshold=6000))
    assert 7200 < found.value < 9600
    assert found.likely


def test_a_small_early_surplus_does_not_multiply_the_day() -> None:
    found = sure(told(at(TUESDAY, 8.1), 480))
    assert 4800 < found.value < 9600


def test_a_calm_evening_stays_calm() -> None:
    """Where a plain run-rate would see a third more."""
    found = sure(told(at(TUESDAY, 18), 4700, threshold=4750))
    assert (int(found.value), found.likely) == (4700, False)


@pytest.mark.parametrize("hour", [0, 1 / 60])
def test_at_midnight_the_day_is_as_its_weekday_usually_is(hour: float) -> None:
    found = sure(told(at(TUESDAY, hour), 0))
    assert (int(found.value), found.crosses_at) == (4800, at(TUESDAY, 18))


def test_in_the_last_minute_the_crossing_is_not_after_midnight() -> None:
    found = sure(told(at(TUESDAY, 24 - 1 / 120), 4797, course=evenly, threshold=4798))
    assert found.crosses_at == at(TUESDAY, 24)


def test_another_time_zone_on_the_reading_changes_nothing() -> None:
    west = timezone(timedelta(hours=-9))
    assert told(at(TUESDAY, 3).astimezone(west), 0) == told(at(TUESDAY, 3), 0)


def test_weekdays_are_compared_with_the_same_weekday() -> None:
    found = sure(told(at(TUESDAY, 0), 0, finals=lambda day: 9000 if day.weekday() == 1 else 1000))
    assert found.value == 9000


def test_a_young_account_compares_workdays_with_workdays() -> None:
    found = sure(told(at(TUESDAY, 0), 0, days=8, finals=lambda day: 100 if day.weekday() >= 5 else 4800))
    assert found.value == 4800


def test_one_odd_day_among_the_earlier_ones_moves_nothing() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, finals=lambda day: 90000 if day == date(2026, 10, 27) else 4800))
    assert found.value == 4800


def test_days_that_differ_make_a_wide_interval() -> None:
    found = sure(told(at(TUESDAY, 0), 0, finals=lambda day: 4800 + 100 * ((day.toordinal() // 7) % 8)))
    assert found.low < found.value < found.high


def test_an_account_that_has_grown_is_seen_at_its_recent_level() -> None:
    grown = TUESDAY - timedelta(days=7)
    found = sure(told(at(TUESDAY, 0), 0, finals=lambda day: 7200 if day >= grown else 4800))
    assert found.value == 7200


def test_a_level_counts_at_most_twice() -> None:
    grown = TUESDAY - timedelta(days=7)
    found = sure(told(at(TUESDAY, 0), 0, finals=lambda day: 48000 if day >= grown else 4800))
    assert found.value == 9600


def test_earlier_days_without_any_use_add_nothing() -> None:
    found = sure(told(at(TUESDAY, 13), 7, finals=lambda day: 4800 if day == TUESDAY - timedelta(days=60) else 0))
    assert found.low == found.value == found.high == 7


# What is known of earlier days


def tuesdays(cents: int, hours: range) -> dict[date, Curve]:
    return {day: curve(day, cents, hours=hours) for week in range(1, 4) if (day := TUESDAY - timedelta(weeks=week))}


def test_a_night_without_calls_is_no_gap() -> None:
    """Only changes are kept: nothing from midnight to the first call at 8:00."""
    found = sure(told(at(TUESDAY, 7), 0, curves=tuesdays(4800, range(24))))
    assert found.value == 4800


def test_a_day_on_which_the_bot_was_blind_around_this_time_tells_nothing() -> None:
    assert told(at(TUESDAY, 13), 2400, curves=tuesdays(4800, range(15, 24))) is None
    assert told(at(TUESDAY, 17), 4320, curves=tuesdays(4800, range(15, 24))) is not None


def test_a_bot_that_stopped_reading_in_the_afternoon_knows_the_morning() -> None:
    assert told(at(TUESDAY, 10), 960, curves=tuesdays(4800, range(1, 13))) is not None
    assert told(at(TUESDAY, 14), 2880, curves=tuesdays(4800, range(1, 13))) is None


def test_a_day_that_was_corrected_downwards_later_stands_at_its_final_figure() -> None:
    found = sure(told(at(TUESDAY, 20), 4800, finals=always, curves=tuesdays(9600, range(24))))
    assert found.low == found.value == found.high == 4800


def test_rows_as_the_bot_keeps_them_make_the_same_forecast_read_at_odd_times_and_with_gaps() -> None:
    minutes = [7, 95, 430, 505, 521, 610, 640, 700, 760, 775, 833, 900, 955, 1010, 1079, 1200]
    rows = [
        (day, midnight(day) + timedelta(minutes=minute), totals(round(4800 * at_work(minute / 60))))
        for week in range(8, 0, -1)
        if (day := TUESDAY - timedelta(weeks=week))
        for minute in minutes
    ]
    late = [(day, midnight(day) + timedelta(hours=25), totals(4800)) for day in {row[0] for row in rows}]
    found = sure(told(at(TUESDAY, 13), 2400, curves=curves_of([*rows, *late])))
    assert abs(found.value - 4800) < 50


# Weeks and months


def test_a_week_adds_the_days_that_are_left() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold=4800 * 6, period=Period.WEEK))
    assert found.value == 4800 * 7
    assert (found.likely, found.crosses_at) == (True, midnight(TUESDAY + timedelta(days=5)))


def test_a_month_adds_the_days_that_are_left() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold=4800 * 30, period=Period.MONTH))
    assert (int(found.value), found.crosses_at) == (4800 * 30, midnight(date(2026, 12, 1)))


def test_a_month_may_cross_its_budget_this_evening() -> None:
    found = sure(told(at(TUESDAY, 13), 2400, threshold=4800 * 17, period=Period.MONTH))
    assert found.crosses_at == at(TUESDAY, 18)


def test_on_the_last_day_of_a_month_only_the_evening_is_left() -> None:
    found = sure(told(at(MONTH_END, 13), 2400, threshold=4800 * 30, period=Period.MONTH))
    assert (int(found.value), found.crosses_at) == (4800 * 30, at(MONTH_END, 18))


def test_a_leap_february_has_its_29th_day() -> None:
    before = LEAP_DAY - timedelta(days=1)
    assert sure(told(at(before, 13), 2400, period=Period.MONTH)).value == 4800 * 29
    assert sure(told(at(LEAP_DAY, 13), 2400, period=Period.MONTH)).value == 4800 * 29
    assert sure(told(at(LEAP_DAY, 13), 2400)).value == 4800


def test_a_month_knows_its_calm_weekends() -> None:
    found = told(at(TUESDAY, 0), 0, period=Period.MONTH, finals=lambda day: 100 if day.weekday() >= 5 else 4800)
    assert sure(found).value == 4800 * 21 + 100 * 9


def test_without_earlier_curves_the_rest_of_today_is_even() -> None:
    found = sure(told(at(TUESDAY, 12), 2400, threshold=4800 * 17, period=Period.MONTH, curves={}))
    assert (int(found.value), found.crosses_at) == (4800 * 30, at(TUESDAY, 24))
    found = sure(told(at(TUESDAY, 12), 2400, threshold=4800 * 16 + 3600, period=Period.MONTH, curves={}))
    assert found.crosses_at == at(TUESDAY, 18)


def test_a_level_that_moves_from_week_to_week_widens_the_month() -> None:
    steady = sure(told(at(TUESDAY, 0), 0, period=Period.MONTH))
    moving = sure(
        told(at(TUESDAY, 0), 0, period=Period.MONTH, finals=lambda day: 4000 + 300 * (day.toordinal() // 7 % 3))
    )
    assert steady.high == steady.low
    assert moving.high - moving.low > 4800


# Always


@given(
    moment=MOMENTS,
    period=st.sampled_from(Period),
    figures=st.lists(st.integers(0, 10**6), min_size=71, max_size=71),
    days=st.integers(0, 69),
    so_far=st.integers(0, 10**6),
    threshold=st.integers(1, 10**7),
    shares=st.lists(st.floats(0, 2), max_size=12),
)
def test_a_forecast_is_never_below_what_is_used_nor_outside_its_own_interval(
    moment: datetime,
    period: Period,
    figures: list[int],
    days: int,
    so_far: int,
    threshold: int,
    shares: list[float],
) -> None:
    def finals(day: date) -> int:
        return figures[day.toordinal() % 71]

    def read(day: date) -> Curve:
        """At any times, and not even rising."""
        return [(at(day, 2.3 * place), totals(round(finals(day) * share))) for place, share in enumerate(shares)]

    curves = {day: read(day) for day in days_before(moment.date(), 70).each_day()}
    found = told(moment, so_far, threshold, period=period, finals=finals, days=days, curves=curves)
    if found is None:
        return
    window = window_of(period, moment.date())
    past = [day for day in days_before(moment.date(), days + 1).each_day()[:-1] if day >= window.start]
    used = so_far + sum(finals(day) for day in past)
    assert used <= found.low <= found.value <= found.high
    if found.crosses_at is not None:
        assert found.likely
        assert used < threshold <= found.value
        assert moment <= found.crosses_at <= midnight(window.end)
    assert found.likely or used < threshold


def test_a_month_is_told_in_few_milliseconds_from_readings_of_every_minute() -> None:
    days = days_before(TUESDAY, 70).each_day()
    dense = {
        day: [(midnight(day) + timedelta(minutes=minute), totals(minute * 3)) for minute in range(1440)] for day in days
    }
    began = time.thread_time()
    for _ in range(10):
        told(at(TUESDAY, 13), 2340, threshold=4800 * 30, period=Period.MONTH, finals=lambda _: 4317, curves=dense)
    assert (time.thread_time() - began) / 10 < 0.05


# Measured


def test_it_warns_earlier_than_a_run_rate_and_falsely_less_often() -> None:
    """On two of the eight profiles; `python -m tests.budget.profiles` measures all, and exits with 1 if not so."""
    name, scores = table(seeds=[1], profiles=SHORT)[-1]
    assert name == "all"
    assert scores.crossing > 150
    assert scores.staying > 225
    assert better(scores), scores

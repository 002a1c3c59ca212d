"""Days, weeks that start on Monday, and months, all on the UTC calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Period, Span
from bot.windows import LATE_DAYS, Window, a_year_after, checked_span, midnight, utc_day, window_of, windows_within
from tests.samples.figures import MOMENTS, span

DATES = st.dates(date(1970, 1, 1), date(2200, 1, 1))
PERIODS = st.sampled_from(Period)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-01T00:00:00+00:00", "2026-03-01"),
        ("2026-03-01T23:59:59.999999+00:00", "2026-03-01"),
        ("2026-03-01T00:59:59+01:00", "2026-02-28"),
        ("2026-12-31T19:00:00-05:00", "2027-01-01"),
    ],
)
def test_the_day_is_the_utc_day_whatever_the_zone(moment: str, day: str) -> None:
    assert utc_day(datetime.fromisoformat(moment)) == date.fromisoformat(day)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        utc_day(datetime(2026, 3, 1))  # noqa: DTZ001 the point of the test


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        pytest.param(Period.DAY, "2024-02-29", "2024-02-29", "2024-02-29", id="a leap day"),
        pytest.param(Period.WEEK, "2026-11-22", "2026-11-16", "2026-11-22", id="a Sunday ends its week"),
        pytest.param(Period.WEEK, "2026-11-23", "2026-11-23", "2026-11-29", id="a Monday begins one"),
        pytest.param(Period.WEEK, "2027-01-01", "2026-12-28", "2027-01-03", id="a week across the year's end"),
        pytest.param(Period.MONTH, "2026-02-28", "2026-02-01", "2026-02-28", id="February"),
        pytest.param(Period.MONTH, "2024-02-01", "2024-02-01", "2024-02-29", id="February of a leap year"),
        pytest.param(Period.MONTH, "2026-12-31", "2026-12-01", "2026-12-31", id="December"),
    ],
)
def test_a_window_is_the_calendars(period: Period, day: str, first: str, last: str) -> None:
    assert window_of(period, date.fromisoformat(day)).span == span(first, last)


@given(period=PERIODS, day=DATES)
def test_every_day_lies_in_exactly_one_window(period: Period, day: date) -> None:
    window = window_of(period, day)
    assert window.start <= day < window.end
    assert window_of(period, window.start) == window_of(period, window.span.last) == window
    assert window.previous().end == window.start


@given(period=PERIODS, first=DATES, days=st.integers(1, 400))
def test_windows_within_a_span_cover_it_without_gap_or_overlap(period: Period, first: date, days: int) -> None:
    over = Span(first, first + timedelta(days=days))
    windows = list(windows_within(period, over))
    assert windows[0].start <= over.start
    assert windows[-1].end >= over.end
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))
    assert {window_of(period, day) for day in over.each_day()} == set(windows)


@pytest.mark.parametrize(
    ("day", "later"),
    [
        ("2025-03-01", "2026-03-01"),
        ("2024-02-29", "2025-02-28"),
        ("2023-02-28", "2024-02-28"),
        ("2023-12-31", "2024-12-31"),
    ],
)
def test_a_year_after(day: str, later: str) -> None:
    assert a_year_after(date.fromisoformat(day)) == date.fromisoformat(later)


@given(moment=MOMENTS.map(lambda moment: moment.astimezone(timezone(timedelta(hours=9)))))
def test_a_check_reads_every_window_that_may_still_change_whole_and_through_today(moment: datetime) -> None:
    today = utc_day(moment)
    read = checked_span(moment)
    assert read.last == today
    assert 70 <= read.days <= 366
    for period in Period:
        assert read.start <= window_of(period, today - timedelta(days=LATE_DAYS)).start


def test_windows_are_in_the_order_of_their_days() -> None:
    assert Window(date(2026, 1, 1), Period.MONTH) < Window(date(2026, 1, 2), Period.DAY)


def test_midnight_is_utc() -> None:
    assert midnight(date(2026, 3, 1)) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("days", [0, -1])
def test_a_span_has_at_least_a_day(days: int) -> None:
    with pytest.raises(ValueError, match="at least one day"):
        Span(date(2026, 3, 1), date(2026, 3, 1) + timedelta(days=days))

"""The UTC calendar: days, weeks that start on Monday, months. `now` is always an argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.model import Period, Span

LATE_DAYS = 3  # closed windows are read and judged again for so long, since past days may change
HISTORY_DAYS = 70  # what charts, usual days and forecasts look back on


def utc_day(now: datetime) -> date:
    """The UTC day that `now`, which must bear a time zone, falls on."""
    if now.tzinfo is None:
        raise ValueError("now must bear a time zone")
    return now.astimezone(UTC).date()


def midnight(day: date) -> datetime:
    """The moment the UTC day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """One day, week or month on the UTC calendar."""

    start: date
    period: Period

    @property
    def end(self) -> date:
        """The first day after it."""
        match self.period:
            case Period.DAY:
                return self.start + timedelta(days=1)
            case Period.WEEK:
                return self.start + timedelta(days=7)
            case Period.MONTH:
                return first_of_month(self.start + timedelta(days=31))

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def previous(self) -> Window:
        return window_of(self.period, self.start - timedelta(days=1))


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def window_of(period: Period, day: date) -> Window:
    """The window of this period that the day lies in."""
    match period:
        case Period.DAY:
            return Window(day, period)
        case Period.WEEK:
            return Window(day - timedelta(days=day.weekday()), period)
        case Period.MONTH:
            return Window(first_of_month(day), period)


def windows_within(period: Period, span: Span) -> Iterator[Window]:
    """Every window of this period that shares a day with the span, oldest first."""
    window = window_of(period, span.start)
    while window.start < span.end:
        yield window
        window = window_of(period, window.end)


def a_year_after(day: date) -> date:
    """The same date a year later; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def checked_span(now: datetime) -> Span:
    """The days one check reads: its history, and every window that may still change from its first day on."""
    today = utc_day(now)
    oldest = today - timedelta(days=LATE_DAYS)
    start = min(today - timedelta(days=HISTORY_DAYS), *(window_of(period, oldest).start for period in Period))
    return Span(start, today + timedelta(days=1))

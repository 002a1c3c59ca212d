"""Which days a period means, as it is typed: "last week", "7d", "2026-03-01..2026-03-15 by day". Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from bot.commands.request import Help, Summary
from bot.commands.typed.user_input import Words, fold_of, shown, typed_of
from bot.model import Period, Span
from bot.windows import Window, a_year_after, window_of

PERIODS: Final = {
    "today": "since midnight UTC",
    "yesterday": "the UTC day before",
    "week": "since Monday",
    "last week": "Monday to Sunday before",
    "month": "since the 1st",
    "last month": "the calendar month before",
    "7d": "the last seven days with today; any number, also as `last 7 days`",
    "2026-03-05": "one day",
    "2026-03": "one month",
    "2026-03-01..2026-03-15": "from one day to another",
}
"""What can be typed, and which days that means; those with digits are examples."""


def parse_period(words: Words, today: date) -> Summary | Help:
    """A period with an optional `by day|week|month`; Help for one that can be read but not answered. Raises
    NotAPeriodError."""
    period, by = _split_by(words)
    if by is not None and fold_of(by) not in tuple(Period):
        return Help(f"`by` takes day, week or month{f', not “{shown(by)}”' if by else ''}.")
    try:
        span = _span(fold_of(period) or "month", today)
    except _MisunderstoodError as error:
        return Help(str(error))
    if span is None:
        raise NotAPeriodError(period)
    return Summary(span, Period(fold_of(by)) if by else None)


class NotAPeriodError(Exception):
    """These `words` name no period."""

    def __init__(self, words: Words) -> None:
        super().__init__(typed_of(words))
        self.words = words


class _MisunderstoodError(Exception):
    """A period that can be read but not answered."""


def _split_by(words: Words) -> tuple[Words, Words | None]:
    """What stands before the last `by`, and what comes after it."""
    places = [place for place, word in enumerate(words) if word.folded == "by"]
    return (words[: places[-1]], words[places[-1] + 1 :]) if places else (words, None)


def _span(period: str, today: date) -> Span | None:
    tomorrow = today + timedelta(days=1)
    named = _named(period, today)
    if named:
        return Span(named.start, min(named.end, tomorrow))
    if match := re.fullmatch(r"(?:last )?(\d{1,9}) ?(?:d|days?)", period):
        return _last_days(int(match[1]), tomorrow)
    if match := _FROM_TO.fullmatch(period):
        return _range(_dates(match[1]), _dates(match[2]), today)
    dates = _dates(period)
    return _range(dates, dates, today) if dates else None


def _named(period: str, today: date) -> Span | None:
    period = period.removeprefix("this ")
    if period in ("today", "day"):
        return window_of(Period.DAY, today).span
    if period in ("yesterday", "last day"):
        return window_of(Period.DAY, today).previous().span
    for unit in (Period.WEEK, Period.MONTH):
        window: Window = window_of(unit, today)
        if period == unit:
            return window.span
        if period == f"last {unit}":
            return window.previous().span
    return None


def _last_days(count: int, tomorrow: date) -> Span:
    if count < 1:
        raise _MisunderstoodError("That is no day at all: ask for 1d or more.")
    if count > 366:
        raise _MisunderstoodError("Cartesia answers for at most a year at once: ask for 365d or less.")
    return _at_most_a_year(tomorrow - timedelta(days=count), tomorrow)


_DATE = "[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?"
_FROM_TO = re.compile(rf"({_DATE})(?: ?(?:[.]{{2,3}}|-) ?| to )({_DATE})")
"""Three dots and a dash as well: phones make one sign of two dots and more, and a dash is how a range is printed."""


def _dates(text: str) -> Span | None:
    """One day or one month, as written; None where it is neither."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
            return window_of(Period.MONTH, date.fromisoformat(f"{text}-01")).span
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            day = date.fromisoformat(text)
            return Span(day, day + timedelta(days=1))
    except (ValueError, OverflowError):
        raise _MisunderstoodError(f"There is no {text} on the calendar.") from None
    return None


def _range(first: Span | None, last: Span | None, today: date) -> Span | None:
    if first is None or last is None:
        return None
    if first.start > today:
        raise _MisunderstoodError(f"{first.start} is still to come: today is {today} (UTC).")
    if last.last < first.start:
        raise _MisunderstoodError(f"{last.last} lies before {first.start}: write the earlier day first.")
    return _at_most_a_year(first.start, min(last.end, today + timedelta(days=1)))


def _at_most_a_year(start: date, end: date) -> Span:
    if end > a_year_after(start):
        raise _MisunderstoodError(
            f"{start} to {end - timedelta(days=1)} is more than a year: ask for at most a year at once."
        )
    return Span(start, end)

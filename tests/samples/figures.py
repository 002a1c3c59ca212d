"""Figures to test with: short ways to write days, readings and rules. Nothing here reads a clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bot.budget.evaluate import Inputs
from bot.budget.sums import Sums
from bot.model import Reading, Span, Totals
from bot.rules.models import ThresholdRule

SUNDAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


MOMENTS = st.integers(1_685_577_600, 1_861_920_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""Any second from June 2023 to the end of 2028, with a leap day within."""


def span(first: str, last: str) -> Span:
    """The days from `first` to `last`, both included."""
    return Span(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))


def days_before(day: date, count: int) -> Span:
    """So many days, `day` the last of them."""
    return Span(day - timedelta(days=count - 1), day + timedelta(days=1))


def reading(
    days: Mapping[date, Totals], read_at: datetime = NOON, over: Span | None = None, zeros: bool = True
) -> Reading:
    """A reading of these days within the 70 before it; the others are zero, or absent."""
    over = over or days_before(read_at.date(), 70)
    others = dict.fromkeys(over.each_day(), Totals()) if zeros else {}
    return Reading(over, {**others, **days}, read_at)


def inputs(read: Reading) -> Inputs:
    """What is looked at where there is no curve and no declared event."""
    return Inputs(Sums(read))


def cents(amount: int, day: date = SUNDAY) -> Reading:
    """A reading where this was spent on one day."""
    return reading({day: Totals(amount, Decimal(amount) / 6, amount // 25)})


def rule(
    name: str = "Daily spend", threshold: int = 5000, alert_at: tuple[int, ...] = (80, 100), **more: Any
) -> ThresholdRule:
    """A budget of cents, minutes or calls."""
    levels = tuple(Decimal(percent) for percent in alert_at)
    return ThresholdRule(name=name, threshold=Decimal(threshold), alert_at=levels, **more)


def tuesday_after(now: datetime) -> datetime:
    """17:30 UTC on the next Tuesday: most of a workday's money is spent, and no level is reached.

    Never in the past, since Slack's history is searched by the database's own clock.
    """
    days = (1 - now.weekday()) % 7 or 7
    return datetime.combine(now.date() + timedelta(days=days), time(17, 30), tzinfo=UTC)

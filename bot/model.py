"""The frozen values that travel through the program. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did in Slack: a member's id, and the trigger that no other act has.

    A click also says when, in seconds since 1970 by Slack's clock; it orders the clicks of everybody.
    """

    by: str
    trigger_id: str
    ts: float | None = None


class Metric(StrEnum):
    """What a rule measures. Ratios divide two sums over the same window."""

    COST = "cost"
    MINUTES = "minutes"
    CALLS = "calls"
    COST_PER_CALL = "cost_per_call"
    COST_PER_MINUTE = "cost_per_minute"
    MINUTES_PER_CALL = "minutes_per_call"

    @property
    def is_money(self) -> bool:
        """True where the unit is cents."""
        return self in (Metric.COST, Metric.COST_PER_CALL, Metric.COST_PER_MINUTE)

    @property
    def is_ratio(self) -> bool:
        return self in (Metric.COST_PER_CALL, Metric.COST_PER_MINUTE, Metric.MINUTES_PER_CALL)


class Period(StrEnum):
    """How long one window of a rule is, on the UTC calendar; weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Totals:
    """Usage summed over some days: whole US cents, minutes of agent runtime, calls started."""

    cents: int = 0
    minutes: Decimal = Decimal(0)
    calls: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.cents + other.cents, self.minutes + other.minutes, self.calls + other.calls)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole UTC days from `start` up to, not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a span needs at least one day: {self.start} to {self.end}")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day within."""
        return self.end - timedelta(days=1)

    def each_day(self) -> list[date]:
        return [self.start + timedelta(days=offset) for offset in range(self.days)]

    def covers(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request read, and when. A day that Cartesia sent no bucket for is absent, never zero."""

    span: Span
    days: Mapping[date, Totals]
    read_at: datetime

    def missing(self, span: Span) -> list[date]:
        """The days of the span that Cartesia sent no bucket for."""
        return [day for day in span.each_day() if day not in self.days]


@dataclass(frozen=True, slots=True)
class Message:
    """What Slack is to show: blocks, and `text` that carries the whole message by itself (notifications, readers)."""

    text: str
    blocks: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """Since when usage can't be read, why (a sentence), and whether somebody must act before it can be read again."""

    since: datetime
    why: str
    hopeless: bool

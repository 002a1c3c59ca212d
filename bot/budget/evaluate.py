"""Standings: each rule's value and level in each window for which there is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.budget.sums import Sums
from bot.model import Metric, Period, Span, Totals
from bot.rules.models import Level, Rule, ThresholdRule
from bot.windows import LATE_DAYS, Window, midnight, utc_day, windows_within

Value = int | Decimal | Fraction


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule in one window. `value` is in the metric's unit (cents, minutes, calls), None where it can't be told yet;
    `level` is the highest one reached; `closed` says that the window's last day is over."""

    rule: ThresholdRule
    window: Window
    totals: Totals
    value: Value | None
    level: Level | None
    closed: bool


def measure(metric: Metric, totals: Totals) -> Value | None:
    """The metric's value for these totals; None for a ratio whose divisor is zero."""
    match metric:
        case Metric.COST:
            return totals.cents
        case Metric.MINUTES:
            return totals.minutes
        case Metric.CALLS:
            return totals.calls
        case Metric.COST_PER_CALL:
            return _ratio(totals.cents, totals.calls)
        case Metric.COST_PER_MINUTE:
            return _ratio(totals.cents, totals.minutes)
        case Metric.MINUTES_PER_CALL:
            return _ratio(totals.minutes, totals.calls)


def evaluate(rules: Iterable[Rule], sums: Sums, since: Mapping[str, datetime], now: datetime) -> list[Standing]:
    """Every threshold rule's standing in its open window and in those that closed within the last 3 days.

    A window that had closed before the rule watched (`since`, by the rule's name) is history and is left out.
    """
    today = utc_day(now)
    judged = {period: _judged(period, today, sums) for period in Period}
    return [
        _standing(rule, each)
        for rule in rules
        if isinstance(rule, ThresholdRule)
        for each in judged[rule.period]
        if each.ends > since.get(rule.name, now)
    ]


def windows_judged(now: datetime) -> Iterator[Window]:
    """Every window that `evaluate` may give a standing for."""
    for period in Period:
        yield from _windows(period, utc_day(now))


def _windows(period: Period, today: date) -> Iterator[Window]:
    return windows_within(period, Span(today - timedelta(days=LATE_DAYS), today + timedelta(days=1)))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is the same for every rule in one window, worked out once."""

    window: Window
    ends: datetime
    closed: bool
    totals: Totals
    values: Mapping[Metric, Value | None]


def _judged(period: Period, today: date, sums: Sums) -> list[_Judged]:
    return [
        _Judged(
            window,
            ends=midnight(window.end),
            closed=window.end <= today,
            totals=totals,
            values={metric: measure(metric, totals) for metric in Metric},
        )
        for window in _windows(period, today)
        if (totals := sums.total(window.span))
    ]


def _standing(rule: ThresholdRule, judged: _Judged) -> Standing:
    value = judged.values[rule.metric]
    if rule.at_least_calls and judged.totals.calls < rule.at_least_calls:
        value = None
    return Standing(rule, judged.window, judged.totals, value, reached(rule, value), judged.closed)


def reached(rule: ThresholdRule, value: Value | None) -> Level | None:
    """The highest level at or below the value: at the threshold counts as over."""
    if value is None:
        return None
    return next((level for level in reversed(rule.levels) if value >= _comparable(level.amount, value)), None)


def _comparable(amount: Decimal, value: Value) -> Value:
    return Fraction(amount) if isinstance(value, Fraction) else amount


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None

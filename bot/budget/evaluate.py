"""Standings: each rule's value and level in each window for which there is data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.budget.forecast import Curve, Forecast, forecast
from bot.budget.measure import Value, measure
from bot.budget.sums import Sums
from bot.budget.usual import usual
from bot.model import Metric, Period, Span, Totals
from bot.rules.models import HUNDRED_PERCENT, AboveUsualRule, BelowRule, Expected, Level, Rule, ThresholdRule
from bot.windows import LATE_DAYS, Window, midnight, utc_day, windows_within


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule in one window. `value` is in the metric's unit (cents, minutes, calls), None where it can't be told yet;
    `level` is the highest one reached; `closed` says that the window was over when usage was read; `usual` is what the
    value is compared with, where the rule compares; `forecast` is where the window is heading, where the rule asks.
    `expected` is the declared event that raises the threshold, and `undeclared` the level without it. `removed` says
    that the rule no longer exists."""

    rule: Rule
    window: Window
    totals: Totals
    value: Value | None
    level: Level | None
    closed: bool
    usual: Value | None = None
    forecast: Forecast | None = None
    expected: Expected | None = None
    undeclared: Level | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is looked at: the sums of one reading, the curves of earlier days, and the declared events."""

    sums: Sums
    curves: Mapping[date, Curve] = field(default_factory=dict)
    expected_in: Callable[[str, Window], Expected | None] = lambda _name, _window: None


def evaluate(rules: Iterable[Rule], inputs: Inputs, since: Mapping[str, datetime], now: datetime) -> list[Standing]:
    """Every rule's standing in its open window and in those that closed within the last 3 days.

    A window that had closed before the rule watched (`since`, by the rule's name) is history and is left out. No rule
    watches only from a moment that is still to come: the clock was ahead when that was noted.
    """
    today = utc_day(now)
    judged = {period: _all_judged(_windows(period, today), inputs.sums) for period in Period}
    return [
        _standing(rule, each, inputs)
        for rule in rules
        for each in judged[rule.period]
        if each.ends > min(since.get(rule.name, now), now)
    ]


def standing_in(rule: Rule, window: Window, inputs: Inputs) -> Standing | None:
    """One rule's standing in one window, however old; None where there is no figure of it."""
    judged = _all_judged([window], inputs.sums)
    return _standing(rule, judged[0], inputs) if judged else None


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


def _all_judged(windows: Iterable[Window], sums: Sums) -> list[_Judged]:
    return [
        _Judged(
            window,
            ends=midnight(window.end),
            closed=midnight(window.end) <= sums.reading.read_at,
            totals=totals,
            values={metric: measure(metric, totals) for metric in Metric},
        )
        for window in windows
        if (totals := sums.total(window.span))
    ]


def _standing(rule: Rule, judged: _Judged, inputs: Inputs) -> Standing:
    match rule:
        case ThresholdRule():
            return _against_a_threshold(rule, judged, inputs)
        case AboveUsualRule():
            return _against_the_usual(rule, judged, inputs.sums)
        case BelowRule():
            return _against_a_minimum(rule, judged, inputs.sums)


def _against_a_threshold(rule: ThresholdRule, judged: _Judged, inputs: Inputs) -> Standing:
    value = judged.values[rule.metric]
    if rule.at_least_calls and judged.totals.calls < rule.at_least_calls:
        value = None
    expected = inputs.expected_in(rule.name, judged.window)
    raised = replace(rule, threshold=expected.threshold) if expected else rule
    foreseen = rule.forecast and value is not None and not judged.closed
    return Standing(
        raised,
        judged.window,
        judged.totals,
        value,
        reached(raised, value),
        judged.closed,
        forecast=forecast(raised, judged.window, inputs.sums, inputs.curves) if foreseen else None,
        expected=expected,
        undeclared=reached(rule, value) if expected else None,
    )


def _against_the_usual(rule: AboveUsualRule, judged: _Judged, sums: Sums) -> Standing:
    """Unusual from so many times the usual up, and not worth a word below `at_least`."""
    value, level = judged.values[rule.metric], None
    expected = usual(rule.metric, judged.window.start, sums)
    if expected is None or (expected <= 0 and rule.at_least is None):
        value = None
    elif value is not None and value >= unusual_from(rule, expected):
        level = Level(HUNDRED_PERCENT, rule.above_usual)
    return Standing(rule, judged.window, judged.totals, value, level, judged.closed, expected)


def unusual_from(rule: AboveUsualRule, expected: Value) -> Fraction:
    """The value from which a day is unusual, in the metric's unit."""
    return max(Fraction(expected) * Fraction(rule.above_usual), Fraction(rule.at_least or 0))


def _against_a_minimum(rule: BelowRule, judged: _Judged, sums: Sums) -> Standing:
    """Too little, judged by a reading made at the time in `by` or later."""
    value = judged.values[rule.metric]
    due = datetime.combine(judged.window.start, rule.by, tzinfo=UTC)
    too_little = value is not None and value < _comparable(rule.below, value) and sums.reading.read_at >= due
    level = Level(HUNDRED_PERCENT, rule.below) if too_little else None
    return Standing(rule, judged.window, judged.totals, value, level, judged.closed)


def reached(rule: ThresholdRule, value: Value | None) -> Level | None:
    """The highest level, or step beyond the last one, at or below the value: at the threshold counts as over."""
    if value is None:
        return None
    level = next((level for level in reversed(rule.levels) if value >= _comparable(level.amount, value)), None)
    if level is None or rule.then_every is None or level is not rule.levels[-1]:
        return level
    steps = (Fraction(value) - Fraction(level.amount)) // Fraction(rule.then_every)
    amount = level.amount + steps * rule.then_every
    return Level(amount * 100 / rule.threshold, amount) if steps else level


def _comparable(amount: Decimal, value: Value) -> Value:
    return Fraction(amount) if isinstance(value, Fraction) else amount

"""Standings: each rule's value and level in each window for which there is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from bot.budget import kinds
from bot.budget.measure import measure
from bot.budget.standing import Inputs, Judged, Standing
from bot.budget.sums import Sums
from bot.model import Metric, Period, Span
from bot.rules.models import Rule
from bot.windows import LATE_DAYS, Window, midnight, utc_day, windows_within

__all__ = ["Inputs", "Standing", "evaluate", "standing_in", "windows_judged"]


def evaluate(rules: Iterable[Rule], inputs: Inputs, since: Mapping[str, datetime], now: datetime) -> list[Standing]:
    """Every rule's standing in its open window and in those that closed within the last 3 days.

    A window that had closed before the rule watched (`since`, by the rule's name) is history and is left out. No rule
    watches only from a moment that is still to come: the clock was ahead when that was noted.
    """
    today = utc_day(now)
    judged = {period: _all_judged(_windows(period, today), inputs.sums) for period in Period}
    return [
        kinds.of(rule).standing(rule, each, inputs)
        for rule in rules
        for each in judged[rule.period]
        if each.ends > min(since.get(rule.name, now), now)
    ]


def standing_in(rule: Rule, window: Window, inputs: Inputs) -> Standing | None:
    """One rule's standing in one window, however old; None where there is no figure of it."""
    judged = _all_judged([window], inputs.sums)
    return kinds.of(rule).standing(rule, judged[0], inputs) if judged else None


def windows_judged(now: datetime) -> Iterator[Window]:
    """Every window that `evaluate` may give a standing for."""
    for period in Period:
        yield from _windows(period, utc_day(now))


def _windows(period: Period, today: date) -> Iterator[Window]:
    return windows_within(period, Span(today - timedelta(days=LATE_DAYS), today + timedelta(days=1)))


def _all_judged(windows: Iterable[Window], sums: Sums) -> list[Judged]:
    return [
        Judged(
            window,
            ends=midnight(window.end),
            closed=midnight(window.end) <= sums.reading.read_at,
            totals=totals,
            values={metric: measure(metric, totals) for metric in Metric},
        )
        for window in windows
        if (totals := sums.total(window.span))
    ]

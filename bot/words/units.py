"""Words for figures, times and windows. Pure."""

from __future__ import annotations

from datetime import datetime

from bot.model import Metric, Period, Span, Totals
from bot.money import amount, dollars
from bot.windows import Window

AXIS = {
    Metric.COST: "Cost (USD)",
    Metric.MINUTES: "Minutes",
    Metric.CALLS: "Calls",
    Metric.COST_PER_CALL: "USD a call",
    Metric.COST_PER_MINUTE: "USD a minute",
    Metric.MINUTES_PER_CALL: "Minutes a call",
}
"""What a chart's axis is called."""

TYPED_UNITS = {
    Metric.COST: "dollars, such as $75",
    Metric.MINUTES: "minutes",
    Metric.CALLS: "calls",
    Metric.COST_PER_CALL: "dollars a call, such as $0.25",
    Metric.COST_PER_MINUTE: "dollars a minute, such as $0.08",
    Metric.MINUTES_PER_CALL: "minutes a call",
}
"""What a person types, to complete "Amount in …"."""


def totals_words(totals: Totals) -> str:
    """ "$53.20 · 887 minutes · 212 calls"."""
    minutes = amount(Metric.MINUTES, totals.minutes)
    return f"{dollars(totals.cents)} · {minutes} · {amount(Metric.CALLS, totals.calls)}"


def span_words(span: Span) -> str:
    """The first and last day, as people write them."""
    if span.days == 1:
        return f"{span.start:%A} {span.start}"
    return f"{span.start} to {span.last}"


def window_words(window: Window) -> str:
    """ "Monday 2026-11-23 (UTC)", "week of 2026-11-23 (UTC)", "November 2026 (UTC)"."""
    match window.period:
        case Period.DAY:
            return f"{window.start:%A} {window.start} (UTC)"
        case Period.WEEK:
            return f"week of {window.start} (UTC)"
        case Period.MONTH:
            return f"{window.start:%B %Y} (UTC)"


def utc_clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def utc_moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def day_label(window: Window) -> str:
    return f"{window.start:%b %Y}" if window.period is Period.MONTH else f"{window.start:%b %d}"


def signed_dollars(cents: int) -> str:
    """ "+$22.40", "−$0.40"."""
    return dollars(cents) if cents < 0 else f"+{dollars(cents)}"

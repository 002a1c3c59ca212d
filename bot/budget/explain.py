"""The facts of one decision, worked out once: what its message, its reply and its copies say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from bot.budget import kinds
from bot.budget.cause import Cause, cause, usual_totals
from bot.budget.decide import Decision, Reason
from bot.budget.evaluate import Inputs, Standing
from bot.budget.forecast import Curve, Forecast
from bot.budget.measure import Value, measure
from bot.budget.sums import Sums
from bot.budget.usual import usual
from bot.model import Metric, Period, Reading, Span
from bot.windows import Window, utc_day

RECENT = 14  # windows at most


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be said of a decision. Values are in the metric's unit (cents, minutes, calls).

    `outlook` is where an open window is heading, also where its rule does not ask to be warned of it; `usual` is what
    the value is worth comparing with, `cause` why it costs other than usual; `recent` are the last windows that have a
    value, the oldest first, and `bound` what they are held against, by its name. `was` is the value last said, where it
    is corrected; `late` says that the window was over before this news arrived, and `snoozed_until` which amount
    somebody wanted to hear of next, such as "$75.00", where this is that news.
    """

    decision: Decision
    read_at: datetime
    outlook: Forecast | None
    usual: Value | None
    cause: Cause | None
    recent: tuple[tuple[Window, Value], ...]
    bound_name: str
    bound: Value
    was: Value | None
    late: bool
    snoozed_until: str


def explain(decision: Decision, reading: Reading, curves: Mapping[date, Curve]) -> Facts:
    """The facts of a decision by the reading that it was made from; `curves` are of earlier days."""
    standing, sums = decision.standing, Sums(reading)
    bound_name, bound = kinds.of(standing.rule).bound(standing.rule, standing)
    return Facts(
        decision,
        reading.read_at,
        outlook=_outlook(standing, sums, curves),
        usual=_worth_comparing(standing, sums),
        cause=_cause(standing, sums),
        recent=_recent(standing, sums),
        bound_name=bound_name,
        bound=bound,
        was=_was(decision),
        late=decision.reason.is_news and standing.closed,
        snoozed_until=_snoozed_until(decision),
    )


def _outlook(standing: Standing, sums: Sums, curves: Mapping[date, Curve]) -> Forecast | None:
    rule = standing.rule
    if standing.closed or standing.removed:
        return None
    return standing.forecast or kinds.of(rule).outlook(rule, standing.window, Inputs(sums, curves))


def _worth_comparing(standing: Standing, sums: Sums) -> Value | None:
    """The usual of a day of sums; an `above_usual` has it in its standing."""
    rule, window = standing.rule, standing.window
    if window.period is not Period.DAY or kinds.of(rule).figures_tell_usual or rule.metric.is_ratio:
        return None
    expected = usual(rule.metric, window.start, sums)
    if expected is None or expected <= 0 or standing.value is None or standing.value < expected:
        return None  # a day that is not over says nothing by being smaller than whole ones
    return expected


def _cause(standing: Standing, sums: Sums) -> Cause | None:
    """Of cost only, and only upwards while the window is open: a day that is not over has fewer calls than a whole
    one."""
    if standing.rule.metric is not Metric.COST or standing.removed:
        return None
    window, tomorrow = standing.window, utc_day(sums.reading.read_at) + timedelta(days=1)
    expected = usual_totals(Span(window.start, min(window.end, tomorrow)), sums)
    found = cause(standing.totals, expected) if expected else None
    if found is None or found.change == 0 or (found.change < 0 and not standing.closed):
        return None
    return found


def _recent(standing: Standing, sums: Sums) -> tuple[tuple[Window, Value], ...]:
    window, start = standing.window, sums.reading.span.start
    found: list[tuple[Window, Value]] = []
    while len(found) < RECENT and (totals := sums.total(window.span)) and window.start >= start:
        value = measure(standing.rule.metric, totals)
        if value is not None:
            found.append((window, value))
        window = window.previous()
    return tuple(found[::-1])


def _was(decision: Decision) -> Value | None:
    corrected = decision.reason is Reason.CORRECTED and decision.before and decision.standing.value is not None
    return Fraction(decision.before.value) if corrected and decision.before else None


def _snoozed_until(decision: Decision) -> str:
    quiet = decision.before.snooze if decision.before else None
    if decision.reason is not Reason.RAISED or quiet is None or quiet.amount is None:
        return ""
    return "" if quiet.holds(decision.standing, quiet.at) else quiet.words

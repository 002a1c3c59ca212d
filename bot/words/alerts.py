"""What an incident's messages say. Pure."""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from fractions import Fraction

from bot.budget import kinds
from bot.budget.cause import Cause
from bot.budget.decide import Decision, Reason
from bot.budget.evaluate import Standing
from bot.budget.explain import Facts
from bot.budget.forecast import Forecast
from bot.budget.incident import LevelKey, Severity
from bot.budget.usual import times_usual
from bot.model import Metric, Period
from bot.money import amount, compared, percent
from bot.rules.models import HUNDRED_PERCENT, Rule
from bot.windows import midnight, utc_day
from bot.words.units import signed_dollars, utc_clock, window_words

_HALF_HOUR = timedelta(minutes=30)


def first_line(facts: Facts) -> str:
    """The marker and the headline."""
    decision = facts.decision
    told = decision.before.told if decision.before else frozenset()
    return f"{_marker(decision, told)} {headline(decision.standing)}"


def facts_line(facts: Facts) -> str:
    """The window, what a reader must know beside the figure, where it heads, and against usual."""
    found = [window_words(facts.decision.standing.window), *_why_now(facts), *_course(facts), *_beside_usual(facts)]
    known = " · ".join(found)
    return known[0].upper() + known[1:]


def headline(standing: Standing) -> str:
    """The first line: "Daily spend: $42.00 of $50.00 (84%)"."""
    rule, kind = standing.rule, kinds.of(standing.rule)
    figures = kind.no_figures if standing.value is None else kind.figures(rule, standing, standing.value)
    return f"{rule.name}: {figures}"


def cause_line(found: Cause) -> str:
    """ "+$28.10 against usual: 82% more calls +$22.40, longer calls +$6.10, price −$0.40"."""
    parts = [
        (found.calls, _more_calls(found.more_calls, found.calls)),
        (found.length, "longer calls" if found.length > 0 else "shorter calls"),
        (found.price, "price"),
    ]
    split = ", ".join(f"{words} {signed_dollars(cents)}" for cents, words in parts if cents)
    return f"{signed_dollars(found.change)} against usual: {split}"


def watched(rule: Rule) -> tuple[str, str]:
    """What a rule watches, and its levels."""
    return kinds.of(rule).watched(rule)


def level_marker(standing: Standing) -> str:
    """🔴 over, 🟡 near."""
    return "🔴" if standing.level and standing.level.percent >= HUNDRED_PERCENT else "🟡"


def course(standing: Standing, outlook: Forecast) -> str:
    """ "on course for $78.00 by midnight UTC ($70.00 to $86.00)": whole units, as it is no finer, and never less than
    there is already."""
    metric, stands = standing.rule.metric, standing.value or 0
    value, low, high = (
        amount(metric, max(_whole_units(metric, each), stands)) for each in (outlook.value, outlook.low, outlook.high)
    )
    return f"on course for {value} by {_end(standing)} ({low.partition(' ')[0]} to {high})"


def please_acknowledge(channel: str) -> str:
    """For the channel that a breach is escalated to; `channel` is where the incident's own message stands."""
    return f"Nobody acknowledged this in {channel}; please do it there, at its message."


def chart_title(facts: Facts) -> str:
    """ "Days and the threshold"."""
    bound = "threshold" if facts.bound_name == "Threshold" else f"{facts.bound_name.lower()} amount"
    return f"{facts.decision.standing.rule.period.capitalize()}s and the {bound}"


# Parts of the lines


def _marker(decision: Decision, told: frozenset[LevelKey]) -> str:
    """One a message: ⚪ corrected, ✅ closed, 🔴 over, 🟡 coming."""
    standing = decision.standing
    if decision.reason is Reason.CORRECTED:
        return "⚪"
    if decision.reason is Reason.CLOSED:
        return "✅"
    if standing.level:
        return level_marker(standing)
    foreseen = any(key.kind is Severity.COMING for key in told)
    return "🟡" if foreseen or decision.reason.is_news else "⚪"


def _why_now(facts: Facts) -> list[str]:
    """What a reader must know of this message beside the figure."""
    standing, reason = facts.decision.standing, facts.decision.reason
    period, metric = standing.window.period, standing.rule.metric
    words = []
    if facts.was is not None and standing.value is not None:
        was, now = compared(metric, facts.was, Fraction(standing.value), operator.eq)
        words.append(f"corrected: was {was}, now {now}")
    elif reason is Reason.CLOSED:
        words.append(_closing(standing))
    elif facts.late:
        words.append(f"late: the {period} was over before the figure arrived")
    elif facts.snoozed_until:
        words.append(f"it reached {facts.snoozed_until}, until which it was snoozed")
    elif reason is Reason.REMINDER:
        words.append("reminder: nobody has acknowledged this yet")
    elif reason is Reason.ESCALATED and standing.rule.escalate:
        words.append(f"nobody acknowledged it; {standing.rule.escalate.channel} is told as well")
    if standing.expected:
        side = "above" if standing.level and standing.level.percent >= HUNDRED_PERCENT else "within"
        words.append(f"{side} the declared event: {standing.expected.why}")
    return words


def _closing(standing: Standing) -> str:
    if standing.removed:
        return "closed: no rule watches this any more"
    if not standing.closed:
        return f"closed: {kinds.of(standing.rule).ends_early}"
    return f"closed: the {standing.window.period} is over, and this is its figure"


def _course(facts: Facts) -> list[str]:
    """ "on course for $78.00 by midnight UTC ($70.00 to $86.00)"."""
    outlook, standing = facts.outlook, facts.decision.standing
    if outlook is None:
        return []
    if facts.decision.reason is Reason.FORECAST and outlook.crosses_at:
        about = _about(outlook.crosses_at, standing.window.period, facts.read_at)
        return [course(standing, outlook), f"likely to cross the threshold {about}"]
    return [course(standing, outlook)]


def _whole_units(metric: Metric, value: Fraction) -> int:
    """Whole minutes or calls, and whole dollars from $10 up."""
    unit = 100 if metric is Metric.COST and value >= 1000 else 1
    return round(value / unit) * unit


def _end(standing: Standing) -> str:
    if standing.window.period is Period.DAY:
        return "midnight UTC"
    return f"the end of {standing.window.end - timedelta(days=1):%A %Y-%m-%d} UTC"


def _about(moment: datetime, period: Period, now: datetime) -> str:
    """To the half hour of a day, to the day of a longer window: a forecast is no finer. Never a time that is past."""
    if period is not Period.DAY:
        return f"around {moment:%A %Y-%m-%d} (UTC)"
    day = midnight(utc_day(moment))
    halves = round((moment - day) / _HALF_HOUR)
    if day + halves * _HALF_HOUR <= now:
        return "within the next half hour"
    return "at about midnight UTC" if halves == 48 else f"at about {utc_clock(day + halves * _HALF_HOUR)}"


def _beside_usual(facts: Facts) -> list[str]:
    """ "2.1× a usual Sunday"; an `above_usual` says it in its first line."""
    standing = facts.decision.standing
    if facts.usual is None or standing.value is None:
        return []
    return [times_usual(standing.value, facts.usual, standing.window.start)]


def _more_calls(relative: Fraction | None, cents: int) -> str:
    words = "more calls" if cents > 0 else "fewer calls"
    moved = abs(relative) * 100 // 1 if relative is not None else 0
    return f"{percent(moved)} {words}" if moved else words

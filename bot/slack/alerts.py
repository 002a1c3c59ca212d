"""An incident's message, the replies in its thread, its buttons and the modal behind one of them. Pure.

The *base message* is what the figures say; below it come what people did about it, and the buttons. It is stored
with the incident, so a click can show a new state on any message, however old, without a new reading.
Limits are Slack's: a chart at most 20 points, labels at most 20 characters
(https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from bot.budget import kinds
from bot.budget.cause import Cause
from bot.budget.decide import Decision, Reason, calls_people
from bot.budget.evaluate import Standing
from bot.budget.explain import Facts
from bot.budget.forecast import Forecast
from bot.budget.incident import Incident, LevelKey, Severity, Snooze
from bot.budget.usual import times_usual
from bot.model import Message, Metric, Period
from bot.money import amount, compared, percent
from bot.rules.models import HUNDRED_PERCENT, Rule
from bot.slack.parts import (
    Block,
    beside,
    context,
    day_label,
    escape,
    of_blocks,
    plot,
    section,
    signed_dollars,
    slack_moment,
    slack_time,
    spoken,
    utc_clock,
    utc_moment,
    window_words,
)
from bot.windows import midnight, utc_day

ACKNOWLEDGE, SNOOZE, UNDO, SHOW_USAGE = "acknowledge", "snooze", "undo", "show_usage"
SNOOZE_AMOUNT = "snooze_amount"  # the modal, its input and the input's action
SNOOZES = {
    "hour": "For 1 hour",
    "tomorrow": "Until tomorrow (UTC)",
    "level": "Until the next level",
    "amount": "Until an amount…",
}
_HALF_HOUR = timedelta(minutes=30)


# The first line


def headline(standing: Standing) -> str:
    """The first line: "Daily spend: $42.00 of $50.00 (84%)"."""
    rule, kind = standing.rule, kinds.of(standing.rule)
    figures = kind.no_figures if standing.value is None else kind.figures(rule, standing, standing.value)
    return f"{rule.name}: {figures}"


def watched(rule: Rule) -> tuple[str, str]:
    """What a rule watches, and its levels."""
    return kinds.of(rule).watched(rule)


def level_marker(standing: Standing) -> str:
    """🔴 over, 🟡 near."""
    return "🔴" if standing.level and standing.level.percent >= HUNDRED_PERCENT else "🟡"


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


# The incident's message


def base_message(facts: Facts) -> Message:
    """The incident's message as the figures have it, without buttons."""
    decision, standing = facts.decision, facts.decision.standing
    lines = _opening(facts)
    blocks: list[Block] = [section(lines[0][1]), context("\n".join(shown for _, shown in lines[1:]))]
    blocks += _chart(facts)
    text = [spoken for spoken, _ in lines]
    called = "" if decision.reason in (Reason.CLOSED, Reason.CORRECTED) else _mentions(standing)
    runbook = escape(standing.rule.runbook or "")
    if called or runbook:
        text += [part for part in (called, f"What to do: {runbook}" if runbook else "") if part]
        link = f"What to do: <{runbook}>" if runbook else ""
        blocks.append(section(" · ".join(part for part in (called, link) if part)))
    return of_blocks("\n".join(text), blocks)


def in_state(base_message: Message, incident: Incident, alert: int) -> Message:
    """The base message with what people did about it, and buttons for what they can do. `alert` is the incident's
    number."""
    shown = " · ".join([f"Alert {alert}", *_dealt_with(incident)])
    said = spoken(shown)
    buttons: Block = {"type": "actions", "elements": _buttons(incident, str(alert))}
    return of_blocks(f"{beside(said, base_message.text)}\n{said}", [*base_message.blocks[:48], context(shown), buttons])


def _dealt_with(incident: Incident) -> list[str]:
    """Who acknowledged and who snoozed."""
    found = []
    if done := incident.acknowledged:
        found.append(f"acknowledged by <@{done.by}>, {slack_moment(done.at)}")
    if quiet := incident.snooze:
        found.append(f"snoozed by <@{quiet.by}> until {until_words(quiet)}")
    return found


def until_words(snooze: Snooze) -> str:
    """Until when, in the reader's zone wherever it is told in Slack; as plain text, in UTC."""
    return slack_moment(snooze.until) if snooze.until else snooze.words


def _buttons(incident: Incident, alert: str) -> list[Block]:
    offered: list[Block] = []
    if not incident.closed and not incident.acknowledged:
        offered.append({**_button(ACKNOWLEDGE, "Acknowledge", alert), "style": "primary"})
    if not incident.closed and not incident.snooze:
        options = [
            {"text": {"type": "plain_text", "text": words}, "value": f"{name}:{alert}"}
            for name, words in SNOOZES.items()
        ]
        placeholder = {"type": "plain_text", "text": "Snooze"}
        offered.append({"type": "static_select", "action_id": SNOOZE, "placeholder": placeholder, "options": options})
    if not incident.closed and (incident.acknowledged or incident.snooze):
        offered.append(_button(UNDO, "Undo", alert))
    return [*offered, _button(SHOW_USAGE, "Show usage", alert)]


def _button(action_id: str, text: str, value: str) -> dict[str, object]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, "value": value}


# Replies


def reply(facts: Facts) -> Message:
    """What the incident's thread hears of a decision, and with news the channel too."""
    decision, lines = facts.decision, _opening(facts)
    called = _mentions(decision.standing) if decision.reason.is_news or decision.reason in _CALLING else ""
    text = [spoken for spoken, _ in lines] + ([called] if called else [])
    blocks: list[Block] = [section(lines[0][1]), context("\n".join(shown for _, shown in lines[1:]))]
    return of_blocks("\n".join(text), [*blocks, *([section(called)] if called else [])])


_CALLING = frozenset({Reason.REMINDER, Reason.ESCALATED})


def escalation(facts: Facts, channel: str) -> Message:
    """The same for the channel it is escalated to. `channel` is where the incident's own message stands."""
    rule = facts.decision.standing.rule
    notice = f"Nobody acknowledged this in {escape(channel)}; please do it there, at its message."
    silent = replace(facts.decision, reason=Reason.SAID)
    shown = base_message(replace(facts, decision=silent))  # the notice says it all about the escalation
    if rule.escalate is None:
        raise ValueError(f"{rule.name!r} has no escalation")
    return of_blocks(f"{beside(notice, shown.text)}\n{notice}", [*shown.blocks[:49], context(notice)])


def acknowledged(by: str) -> Message:
    return _said(f"Acknowledged by <@{by}>: no more reminders, and nobody else is called.")


def snoozed(snooze: Snooze) -> Message:
    """Somebody wants quiet."""
    return _said(f"Snoozed by <@{snooze.by}> until {until_words(snooze)}.")


def undone(by: str) -> Message:
    return _said(f"Undone by <@{by}>: neither acknowledged nor snoozed any more.")


def _said(text: str) -> Message:
    return of_blocks(spoken(text), [section(text)])


# The modal that asks for an amount


def amount_modal(alert: int, rule: Rule, stands: Fraction) -> dict[str, object]:
    """Asks until which amount to keep quiet; `stands` is the figure now, in the metric's unit."""
    now = f"It stands at {amount(rule.metric, stands)} now."
    return {
        "type": "modal",
        "callback_id": SNOOZE_AMOUNT,
        "private_metadata": str(alert),
        "title": {"type": "plain_text", "text": "Snooze until an amount"},
        "submit": {"type": "plain_text", "text": "Snooze"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            section(f"Nothing more is said of *{escape(rule.name)}* until it reaches this amount."),
            {
                "type": "input",
                "block_id": SNOOZE_AMOUNT,
                "label": {"type": "plain_text", "text": f"Amount in {_UNITS_TYPED[rule.metric]}"},
                "hint": {"type": "plain_text", "text": now},
                "element": {"type": "plain_text_input", "action_id": SNOOZE_AMOUNT, "max_length": 40},
            },
        ],
    }


_UNITS_TYPED = {
    Metric.COST: "dollars, such as $75",
    Metric.MINUTES: "minutes",
    Metric.CALLS: "calls",
    Metric.COST_PER_CALL: "dollars a call, such as $0.25",
    Metric.COST_PER_MINUTE: "dollars a minute, such as $0.08",
    Metric.MINUTES_PER_CALL: "minutes a call",
}


# Lines


def _opening(facts: Facts) -> list[tuple[str, str]]:
    """The first line, the window and where it heads, then the cause: as plain text, and as Slack shows times."""
    decision, standing = facts.decision, facts.decision.standing
    told = decision.before.told if decision.before else frozenset()
    first = escape(f"{_marker(decision, told)} {headline(standing)}")
    found = [window_words(standing.window), *_why_now(facts), *_course(facts), *_beside_usual(facts)]
    at, shown_at = _read_at(standing, facts.read_at)
    known = " · ".join(found)
    known = known[0].upper() + known[1:]
    lines = [(first, first), (f"{known} · read {at}", f"{known} · read {shown_at}")]
    if facts.cause:
        split = _cause_words(facts.cause)
        lines.append((split, split))
    return lines


def _read_at(standing: Standing, read_at: datetime) -> tuple[str, str]:
    today = standing.window.period is Period.DAY and standing.window.start == utc_day(read_at)
    return (utc_clock(read_at), slack_time(read_at)) if today else (utc_moment(read_at), slack_moment(read_at))


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
        words.append(f"nobody acknowledged it; {escape(standing.rule.escalate.channel)} is told as well")
    if standing.expected:
        side = "above" if standing.level and standing.level.percent >= HUNDRED_PERCENT else "within"
        words.append(escape(f"{side} the declared event: {standing.expected.why}"))
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


def course(standing: Standing, outlook: Forecast) -> str:
    """ "on course for $78.00 by midnight UTC ($70.00 to $86.00)": whole units, as it is no finer, and never less than
    there is already."""
    metric, stands = standing.rule.metric, standing.value or 0
    value, low, high = (
        amount(metric, max(_whole_units(metric, each), stands)) for each in (outlook.value, outlook.low, outlook.high)
    )
    return f"on course for {value} by {_end(standing)} ({low.partition(' ')[0]} to {high})"


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


def _cause_words(found: Cause) -> str:
    """ "+$28.10 against usual: 82% more calls +$22.40, longer calls +$6.10, price −$0.40"."""
    parts = [
        (found.calls, _more_calls(found.more_calls, found.calls)),
        (found.length, "longer calls" if found.length > 0 else "shorter calls"),
        (found.price, "price"),
    ]
    split = ", ".join(f"{words} {signed_dollars(cents)}" for cents, words in parts if cents)
    return f"{signed_dollars(found.change)} against usual: {split}"


def _more_calls(relative: Fraction | None, cents: int) -> str:
    words = "more calls" if cents > 0 else "fewer calls"
    moved = abs(relative) * 100 // 1 if relative is not None else 0
    return f"{percent(moved)} {words}" if moved else words


def _mentions(standing: Standing) -> str:
    if not calls_people(standing):
        return ""
    return " ".join(_mention(name) for name in standing.rule.mention)


def _mention(name: str) -> str:
    """As Slack writes a mention: "@here" → "<!here>", "U012" → "<@U012>", "S012" → "<!subteam^S012>"."""
    if name.startswith("@"):
        return f"<!{name.removeprefix('@')}>"
    return f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>"


# The chart


def _chart(facts: Facts) -> list[Block]:
    """The recent windows and the rule's bound, oldest first; nothing where there is only one window to draw."""
    if len(facts.recent) < 2:
        return []
    rule = facts.decision.standing.rule
    points = [(day_label(window), plot(rule.metric, value)) for window, value in facts.recent]
    return [_line_chart(rule, points, facts.bound_name, plot(rule.metric, facts.bound))]


def _line_chart(rule: Rule, points: Sequence[tuple[str, float]], bound: str, limit: float) -> Block:
    title = f"{rule.period.capitalize()}s and the {'threshold' if bound == 'Threshold' else bound.lower() + ' amount'}"
    return {
        "type": "data_visualization",
        "title": title,
        "chart": {
            "type": "line",
            "series": [
                {"name": _UNITS[rule.metric], "data": [{"label": label, "value": value} for label, value in points]},
                {"name": bound, "data": [{"label": label, "value": limit} for label, _ in points]},
            ],
            "axis_config": {
                "categories": [label for label, _ in points],
                "x_label": f"{rule.period.capitalize()} (UTC)",
                "y_label": _UNITS[rule.metric],
            },
        },
    }


_UNITS = {
    Metric.COST: "Cost (USD)",
    Metric.MINUTES: "Minutes",
    Metric.CALLS: "Calls",
    Metric.COST_PER_CALL: "USD a call",
    Metric.COST_PER_MINUTE: "USD a minute",
    Metric.MINUTES_PER_CALL: "Minutes a call",
}

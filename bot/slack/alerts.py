"""An incident's message, the replies in its thread, its buttons and the modal behind one of them. Pure.

The *base message* is what the figures say; below it come what people did about it, and the buttons. It is stored
with the incident, so a click can show a new state on any message, however old, without a new reading.
Limits are Slack's: a chart at most 20 points, labels at most 20 characters
(https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from bot.budget.decide import Reason, calls_people
from bot.budget.evaluate import Standing
from bot.budget.explain import Facts
from bot.budget.incident import Incident, Snooze
from bot.model import Message, Period
from bot.money import amount
from bot.rules.models import Rule
from bot.slack.parts import (
    Block,
    beside,
    context,
    escape,
    of_blocks,
    plot,
    section,
    slack_moment,
    slack_time,
    spoken,
)
from bot.windows import utc_day
from bot.words.alerts import cause_line, chart_title, facts_line, first_line, please_acknowledge
from bot.words.units import AXIS, TYPED_UNITS, day_label, utc_clock, utc_moment

ACKNOWLEDGE, SNOOZE, UNDO, SHOW_USAGE = "acknowledge", "snooze", "undo", "show_usage"
SNOOZE_AMOUNT = "snooze_amount"  # the modal, its input and the input's action
SNOOZES = {
    "hour": "For 1 hour",
    "tomorrow": "Until tomorrow (UTC)",
    "level": "Until the next level",
    "amount": "Until an amount…",
}


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
    notice = escape(please_acknowledge(channel))
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
                "label": {"type": "plain_text", "text": f"Amount in {TYPED_UNITS[rule.metric]}"},
                "hint": {"type": "plain_text", "text": now},
                "element": {"type": "plain_text_input", "action_id": SNOOZE_AMOUNT, "max_length": 40},
            },
        ],
    }


# Lines


def _opening(facts: Facts) -> list[tuple[str, str]]:
    """The first line, what is known beside it, then the cause: as plain text, and as Slack shows times."""
    first, known = escape(first_line(facts)), escape(facts_line(facts))
    at, shown_at = _read_at(facts.decision.standing, facts.read_at)
    lines = [(first, first), (f"{known} · read {at}", f"{known} · read {shown_at}")]
    if facts.cause:
        split = escape(cause_line(facts.cause))
        lines.append((split, split))
    return lines


def _read_at(standing: Standing, read_at: datetime) -> tuple[str, str]:
    today = standing.window.period is Period.DAY and standing.window.start == utc_day(read_at)
    return (utc_clock(read_at), slack_time(read_at)) if today else (utc_moment(read_at), slack_moment(read_at))


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
    return [_line_chart(facts, points, plot(rule.metric, facts.bound))]


def _line_chart(facts: Facts, points: Sequence[tuple[str, float]], limit: float) -> Block:
    rule = facts.decision.standing.rule
    return {
        "type": "data_visualization",
        "title": chart_title(facts),
        "chart": {
            "type": "line",
            "series": [
                {"name": AXIS[rule.metric], "data": [{"label": label, "value": value} for label, value in points]},
                {"name": facts.bound_name, "data": [{"label": label, "value": limit} for label, _ in points]},
            ],
            "axis_config": {
                "categories": [label for label, _ in points],
                "x_label": f"{rule.period.capitalize()} (UTC)",
                "y_label": AXIS[rule.metric],
            },
        },
    }

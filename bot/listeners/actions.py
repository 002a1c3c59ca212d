"""Buttons, menus and the modal behind one of them.

They work on old messages, after restarts and on every replica, since all they know is an alert's number. Only those
whom the gate let through get here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Right
from bot.answers.answer import Sorry
from bot.answers.incidents import IncidentDesk, NotUnderstoodError
from bot.answers.request import Overview
from bot.answers.typed import unescaped
from bot.answers.until import CHOICES, Reaching
from bot.clock import elapsed
from bot.errors import StoreError
from bot.listeners.commands import BROKEN, Ack, Counter
from bot.listeners.gate import Gate, person_of
from bot.slack.alerts import ACKNOWLEDGE, SHOW_USAGE, SNOOZE, SNOOZE_AMOUNT, UNDO
from bot.slack.blocks import render
from bot.slack.parts import SHARE
from bot.slack.respond import respond

log = logging.getLogger(__name__)

Body = dict[str, Any]

DOUBLE_CLICK = 5.0  # seconds within which the same button of the same message is pressed by accident


def register_actions(app: AsyncApp, counter: Counter, gate: Gate) -> None:
    """Hear every button; stale ones are acknowledged by `unhandled.py`."""
    _answering(app, counter)
    _acting(app, counter, gate)
    _snoozing(app, counter)


def _answering(app: AsyncApp, counter: Counter) -> None:
    shared: dict[str, float] = {}  # when, by the message that was shared

    @app.action(SHARE)
    async def on_share(ack: Ack, body: Body) -> BoltResponse:
        answer = body["container"]
        if _is_double(shared, f"{answer['channel_id']} {answer['message_ts']}", elapsed()):
            return await ack()
        words = _value(body)
        request = counter.parse("" if words == "overview" else words)
        counter.later(counter.share(body["user"]["id"], request, body["response_url"]))
        return await ack()

    @app.action(SHOW_USAGE)
    async def on_show_usage(ack: Ack, body: Body) -> BoltResponse:
        counter.later(counter.answer_later(body["user"]["id"], Overview(), _answer_to(body)))
        return await ack()


def _acting(app: AsyncApp, counter: Counter, gate: Gate) -> None:
    incidents = counter.desk.incidents

    @app.action(ACKNOWLEDGE)
    async def on_acknowledge(ack: Ack, body: Body) -> BoltResponse:
        counter.later(_done(body, lambda user: incidents.acknowledge(_number(_value(body)), user)))
        return await ack()

    @app.action(UNDO)
    async def on_undo(ack: Ack, body: Body) -> BoltResponse:
        counter.later(_done(body, lambda _: _undo(gate, incidents, body)))
        return await ack()


def _snoozing(app: AsyncApp, counter: Counter) -> None:
    incidents = counter.desk.incidents

    @app.action(SNOOZE)
    async def on_snooze(ack: Ack, body: Body, client: AsyncWebClient) -> BoltResponse:
        how, _, number = _value(body).partition(":")
        if how == "amount":
            counter.later(_done(body, lambda _: _ask_for_amount(counter, client, body, _number(number))))
        else:
            until = CHOICES.get(how, Reaching(how))
            counter.later(_done(body, lambda user: incidents.snooze(_number(number), user, until)))
        return await ack()

    @app.view(SNOOZE_AMOUNT)
    async def on_amount(ack: Ack, body: Body) -> BoltResponse:
        view, user = body["view"], str(body["user"]["id"])
        typed = unescaped(str(view["state"]["values"][SNOOZE_AMOUNT][SNOOZE_AMOUNT].get("value") or ""))
        number = _number(str(view.get("private_metadata") or ""))
        if refusal := await _refused(user, lambda user: incidents.snooze(number, user, Reaching(typed))):
            return await ack(response_action="errors", errors={SNOOZE_AMOUNT: refusal[:150]})
        return await ack()


async def _done(body: Body, act: Callable[[str], Awaitable[str | None]]) -> None:
    """Do it; why it was not done is told to the person alone."""
    if refusal := await _refused(str(body["user"]["id"]), act):
        await respond(_answer_to(body), render(Sorry(refusal)))


async def _refused(user: str, act: Callable[[str], Awaitable[str | None]]) -> str | None:
    """Do it: None where it is done, else why not, whatever went wrong."""
    try:
        return await act(user)
    except (NotUnderstoodError, StoreError) as error:
        return str(error)
    except Exception:  # the person must hear something, and the log has it all
        log.exception("a click failed")
        return BROKEN.sentence


async def _undo(gate: Gate, incidents: IncidentDesk, body: Body) -> str | None:
    """Undo what the person did; what somebody else did takes a right of its own."""
    person, number = person_of(body), _number(_value(body))
    assert person is not None  # noqa: S101 somebody clicked
    others = bool(await incidents.done_by(number) - {person.id})
    refusal = (await gate.may(person, Right.UNDO_OTHERS)).refusal if others else None
    return refusal or await incidents.undo(number, person.id, others=others)


async def _ask_for_amount(counter: Counter, client: AsyncWebClient, body: Body, number: int) -> str | None:
    view = await counter.desk.incidents.modal(number)
    if view is None:
        return f"There is no alert {number} any more."
    try:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
    except SlackApiError as error:
        log.warning("a modal did not open (%s)", error.response.get("error"))
        return "That took too long for Slack; please choose it once more."
    return None


def _is_double(clicked: dict[str, float], key: str, now: float) -> bool:
    """Whether this was clicked a moment ago; if not, it is noted for now."""
    for old in [each for each, at in clicked.items() if now - at > DOUBLE_CLICK]:
        del clicked[old]
    return clicked.setdefault(key, now) < now


def _value(body: Body) -> str:
    """What the button bears, or the option chosen."""
    action = body["actions"][0]
    return str((action.get("selected_option") or action).get("value") or "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _answer_to(body: Body) -> str:
    return str(body.get("response_url") or "")

"""Buttons, menus and the modal behind one of them.

They work on old messages, after restarts and on every replica, since all they know is an alert's number. Only those
whom access control let through get here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.all import command_for
from bot.commands.answer import Sorry
from bot.commands.incidents import IncidentActions, NotUnderstoodError
from bot.commands.overview import Overview
from bot.commands.typed.snooze_end import CHOICES, Reaching
from bot.commands.typed.user_input import unescaped
from bot.errors import DoneBefore, StoreError
from bot.listeners.access_control import AccessControl
from bot.listeners.commands import BROKEN, Ack, Responder
from bot.listeners.payloads import Click, Submission
from bot.rules.access import Right
from bot.slack.alerts import ACKNOWLEDGE, SHOW_USAGE, SNOOZE, SNOOZE_AMOUNT, UNDO
from bot.slack.blocks import render, shared
from bot.slack.failures import classify
from bot.slack.parts import SHARE
from bot.store.acts import Acts, Claim

log = logging.getLogger(__name__)

DOUBLE_CLICK = 5.0  # seconds, by Slack's clock, within which the same answer is shared by accident


def register_actions(app: AsyncApp, responder: Responder, access_control: AccessControl, acts: Acts) -> None:
    """Hear every button; stale ones are acknowledged by `unhandled.py`."""
    _answering(app, responder, acts)
    _acting(app, responder, access_control)
    _snoozing(app, responder)


def _answering(app: AsyncApp, responder: Responder, acts: Acts) -> None:
    @app.action(SHARE)
    async def on_share(ack: Ack, sent: Click) -> BoltResponse:
        responder.later(_done(responder, sent, lambda: _share(responder, acts, sent)))
        return await ack()

    @app.action(SHOW_USAGE)
    async def on_show_usage(ack: Ack, sent: Click) -> BoltResponse:
        responder.later(responder.answer_later(sent.act, Overview(), sent.response_url))
        return await ack()


def _acting(app: AsyncApp, responder: Responder, access_control: AccessControl) -> None:
    incidents = responder.handler.context.incidents

    @app.action(ACKNOWLEDGE)
    async def on_acknowledge(ack: Ack, sent: Click) -> BoltResponse:
        responder.later(_done(responder, sent, lambda: incidents.acknowledge(_number(sent.value), sent.act)))
        return await ack()

    @app.action(UNDO)
    async def on_undo(ack: Ack, sent: Click) -> BoltResponse:
        responder.later(_done(responder, sent, lambda: _undo(access_control, incidents, sent)))
        return await ack()


def _snoozing(app: AsyncApp, responder: Responder) -> None:
    incidents = responder.handler.context.incidents

    @app.action(SNOOZE)
    async def on_snooze(ack: Ack, sent: Click, client: AsyncWebClient) -> BoltResponse:
        how, _, number = sent.value.partition(":")
        if how == "amount":
            responder.later(_done(responder, sent, lambda: _ask_for_amount(responder, client, sent, _number(number))))
        else:
            until = CHOICES.get(how, Reaching(how))
            responder.later(_done(responder, sent, lambda: incidents.snooze(_number(number), sent.act, until)))
        return await ack()

    @app.view(SNOOZE_AMOUNT)
    async def on_amount(ack: Ack, sent: Submission) -> BoltResponse:
        until, number = Reaching(unescaped(sent.value(SNOOZE_AMOUNT))), _number(sent.metadata)
        if refusal := await _refused(lambda: incidents.snooze(number, sent.act, until)):
            return await ack(response_action="errors", errors={SNOOZE_AMOUNT: refusal[:150]})
        return await ack()


async def _done(responder: Responder, sent: Click, act: Callable[[], Awaitable[str | None]]) -> None:
    """Do it; why it was not done is told to the person alone."""
    if refusal := await _refused(act):
        await responder.responses.respond(sent.response_url, render(Sorry(refusal)))


async def _refused(act: Callable[[], Awaitable[str | None]]) -> str | None:
    """Do it: None where it is done, now or before; else why not, whatever went wrong."""
    try:
        return await act()
    except DoneBefore:
        log.info("a click or a submission came again, or after what was done later, and changed nothing")
        return None
    except (NotUnderstoodError, StoreError) as error:
        return str(error)
    except Exception:  # the person must hear something, and the log has it all
        log.exception("Unexpected error in a click")
        return BROKEN.sentence


async def _share(responder: Responder, acts: Acts, sent: Click) -> str | None:
    """Show the answer to the channel it was asked in, once: it is claimed before it is posted."""
    request = responder.parse("" if sent.value == "overview" else sent.value)
    if not command_for(request).has_figures:
        return "Only figures can be shared."
    answer = shared(await responder.answer(sent.act, request), sent.user_id)
    message = f"share {sent.channel_id} {sent.message_ts}"
    await acts.claim(Claim.of(sent.act, message, apart=DOUBLE_CLICK))
    if await responder.responses.respond(sent.response_url, answer, in_channel=True):
        return None
    return "Slack may not have shown this to the channel: look there, and ask and share once more if it is missing."


async def _undo(access_control: AccessControl, incidents: IncidentActions, sent: Click) -> str | None:
    """Undo what the person did; what somebody else did takes a right of its own."""
    assert sent.person is not None  # noqa: S101 somebody clicked
    number = _number(sent.value)
    others = bool(await incidents.done_by(number) - {sent.user_id})
    refusal = (await access_control.may(sent.person, Right.UNDO_OTHERS)).refusal if others else None
    return refusal or await incidents.undo(number, sent.act, others=others)


async def _ask_for_amount(responder: Responder, client: AsyncWebClient, sent: Click, number: int) -> str | None:
    view = await responder.handler.context.incidents.modal(number)
    if view is None:
        return f"There is no alert {number} any more."
    try:
        await client.views_open(trigger_id=sent.trigger_id, view=view)
    except Exception as error:
        if (refusal := classify(error)) is None:
            raise
        log.warning("a modal did not open (%s)", refusal.code)
        return "That took too long for Slack; please choose it once more."
    return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1

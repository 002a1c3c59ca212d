"""Access control before every listener: who did this, which right it takes, and what whoever lacks it is told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.answer import Sorry
from bot.listeners.payloads import Command, Event, Payload, Submission
from bot.rules.access import ALLOWED, UNKNOWN, Person, Right, Ruling
from bot.rules.models import Access
from bot.slack.alerts import ACKNOWLEDGE, SHOW_USAGE, SNOOZE, SNOOZE_AMOUNT, UNDO
from bot.slack.blocks import render
from bot.slack.failures import classify
from bot.slack.parts import SHARE, section
from bot.slack.people import Later, People
from bot.slack.response_urls import Responses, body_of

RIGHT_OF: Final[Mapping[str, Right]] = {
    SHARE: Right.SHARE,
    SHOW_USAGE: Right.ASK,
    ACKNOWLEDGE: Right.ACKNOWLEDGE,
    SNOOZE: Right.SNOOZE,
    SNOOZE_AMOUNT: Right.SNOOZE,
    UNDO: Right.UNDO,
}
"""The right that each button, menu and modal takes. A command, and what only the catch-alls hear, take `Right.ASK`."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AccessControl:
    """Says who may do what by the rules in force, and tells whoever may not through `responses`."""

    people: People
    access: Callable[[], Access]
    responses: Responses

    async def may(self, person: Person, right: Right) -> Ruling:
        """Whether this person may do this."""
        return await self.people.ruling(person, right, self.access())

    async def ruling(self, sent: Payload) -> Ruling:
        """Whether what was sent may be done. Only an event may be of nobody's doing."""
        if sent.person is None:
            return ALLOWED if isinstance(sent, Event) else Ruling(UNKNOWN)
        return await self.may(sent.person, right_for(sent))


def register_access_control(app: AsyncApp, access_control: AccessControl, later: Later) -> None:
    """Let those through who have the right; anybody else gets one sentence that says why, and no listener."""

    @app.middleware
    async def let_through(
        sent: Payload, client: AsyncWebClient, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        ruling = await access_control.ruling(sent)
        if ruling.refusal is None:
            await next_()
            return None
        if telling := _telling(sent, ruling.refusal, client, access_control.responses):
            later(telling)
        return BoltResponse(status=200, body=_acknowledgement(sent, ruling.refusal))


def right_for(sent: Payload) -> Right:
    """The right that takes what this payload wants."""
    return RIGHT_OF.get(sent.name, Right.ASK)


def _acknowledgement(sent: Payload, sentence: str) -> dict[str, Any] | str:
    """The sentence where an acknowledgement can bear one, else nothing."""
    if isinstance(sent, Command):
        return body_of(render(Sorry(sentence)))
    if isinstance(sent, Submission):
        return _in_modal(sent, sentence)
    return {"options": []} if sent.kind == "block_suggestion" else ""


def _telling(
    sent: Payload, sentence: str, client: AsyncWebClient, responses: Responses
) -> Coroutine[Any, Any, None] | None:
    """What tells it to the person otherwise."""
    if isinstance(sent, Command | Submission):
        return None
    if sent.response_url:
        return _answer(responses, sent.response_url, sentence)
    return _open(client, sent.trigger_id, sentence) if sent.trigger_id else None


def _in_modal(sent: Submission, sentence: str) -> dict[str, Any]:
    """The sentence under the first input, else in place of the modal."""
    if first := sent.first_input:
        return {"response_action": "errors", "errors": {first: sentence}}
    return {"response_action": "update", "view": _modal(sentence)}


def _modal(sentence: str) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Agent usage"}
    return {"type": "modal", "title": title, "blocks": [section(sentence)]}


async def _answer(responses: Responses, url: str, sentence: str) -> None:
    await responses.respond(url, render(Sorry(sentence)))


async def _open(client: AsyncWebClient, trigger: str, sentence: str) -> None:
    """Say it in a modal of its own: a click in a modal or a Home tab has no response_url."""
    try:
        await client.views_open(trigger_id=trigger, view=_modal(sentence))
    except Exception as error:
        if (refusal := classify(error)) is None:
            raise
        log.warning("why something is refused could not be shown (%s)", refusal.code)

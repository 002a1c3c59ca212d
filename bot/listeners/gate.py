"""The one gate before every listener: who did this, which right it takes, and what whoever lacks it is told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import ALLOWED, UNKNOWN, Person, Right, Ruling
from bot.answers.answer import Sorry
from bot.rules.models import Access
from bot.slack.alerts import ACKNOWLEDGE, SHOW_USAGE, SNOOZE, SNOOZE_AMOUNT, UNDO
from bot.slack.blocks import render
from bot.slack.failures import classify
from bot.slack.parts import SHARE, section
from bot.slack.people import Later, People
from bot.slack.respond import body_of, respond

Body = Mapping[str, Any]

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
class Gate:
    """Says who may do what by the rules in force."""

    people: People
    access: Callable[[], Access]

    async def may(self, person: Person, right: Right) -> Ruling:
        """Whether this person may do this."""
        return await self.people.ruling(person, right, self.access()) if person.id else Ruling(UNKNOWN)


def register_gate(app: AsyncApp, gate: Gate, later: Later) -> None:
    """Let those through who have the right; anybody else gets one sentence that says why, and no listener."""

    @app.middleware
    async def let_through(
        body: Body, client: AsyncWebClient, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        person = person_of(body)
        ruling = await gate.may(person, right_for(body)) if person else ALLOWED
        if ruling.refusal is None:
            await next_()
            return None
        return _refuse(body, ruling.refusal, client, later)


def _refuse(body: Body, sentence: str, client: AsyncWebClient, later: Later) -> BoltResponse:
    if "command" in body:
        return BoltResponse(status=200, body=body_of(render(Sorry(sentence))))
    if body.get("type") == "view_submission":
        return BoltResponse(status=200, body=_in_modal(body["view"], sentence))
    if body.get("type") == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    if url := str(body.get("response_url") or ""):
        later(_answer(url, sentence))
    elif trigger := str(body.get("trigger_id") or ""):
        later(_open(client, trigger, sentence))
    return BoltResponse(status=200)


def person_of(body: Body) -> Person | None:
    """Who did it, as the payload says; None where an event is of nobody's doing.

    A command and an event name a workspace around the person, a click and a submission name the person's own
    (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload).
    """
    event, user = body.get("event"), body.get("user")
    if isinstance(event, Mapping):
        acting = event.get("user")
        found = _person(acting, acting.get("id")) if isinstance(acting, Mapping) else _person(body, acting)
        return found if found.id else None
    return _person(user, user.get("id")) if isinstance(user, Mapping) else _person(body, body.get("user_id"))


def right_for(body: Body) -> Right:
    """The right that takes what this payload wants."""
    return RIGHT_OF.get(_pressed(body), Right.ASK)


def _pressed(body: Body) -> str:
    """The name of the button, menu or modal, as a listener would know it."""
    match body:
        case {"actions": [{"action_id": str(name)}, *_]}:
            return name
        case {"view": {"callback_id": str(name)}}:
            return name
        case _:
            return ""


def _person(said: Body, user_id: object) -> Person:
    enterprise = said.get("enterprise_user")
    there = enterprise.get("enterprise_id") if isinstance(enterprise, Mapping) else None
    return Person(_text(user_id) or "", _text(said.get("team_id")), _text(said.get("enterprise_id") or there))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _in_modal(view: Body, sentence: str) -> dict[str, Any]:
    """The sentence under the first input, else in place of the modal."""
    inputs = (str(block["block_id"]) for block in view.get("blocks", ()) if block.get("type") == "input")
    if first := next(inputs, None):
        return {"response_action": "errors", "errors": {first: sentence}}
    return {"response_action": "update", "view": _modal(sentence)}


def _modal(sentence: str) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Agent usage"}
    return {"type": "modal", "title": title, "blocks": [section(sentence)]}


async def _answer(url: str, sentence: str) -> None:
    await respond(url, render(Sorry(sentence)))


async def _open(client: AsyncWebClient, trigger: str, sentence: str) -> None:
    """Say it in a modal of its own: a click in a modal or a Home tab has no response_url."""
    try:
        await client.views_open(trigger_id=trigger, view=_modal(sentence))
    except Exception as error:
        if (refusal := classify(error)) is None:
            raise
        log.warning("why something is refused could not be shown (%s)", refusal.code)

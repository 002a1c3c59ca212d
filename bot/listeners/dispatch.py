"""The dispatcher: what Slack sends is read once, into a frozen value that every listener takes as `sent`.

Bolt itself looks into a payload before and after every middleware, and trips over shapes that Slack does not send. So
it gets no more than what finds a listener, made from what was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.listeners.payloads import Click, Command, Event, Payload, UnreadableError, Verification, read
from bot.listeners.rejected_requests import RejectedRequests, Rejection


@dataclass(frozen=True)
class Dispatcher:
    """Where the payloads of both transports go in."""

    app: AsyncApp
    rejected: RejectedRequests

    async def take(self, body: object) -> BoltResponse:
        """What the listeners answer. What can't be read is acknowledged and noted."""
        try:
            sent = read(body)
        except UnreadableError as error:
            self.rejected.note(Rejection.UNREADABLE, f"Slack sent a request that can't be read ({error}).")
            return BoltResponse(status=200)
        return await self.app.async_dispatch(request_of(sent))


def request_of(sent: Payload) -> AsyncBoltRequest:
    """The request by which Bolt finds the listener, and gives it what was sent."""
    return AsyncBoltRequest(mode="socket_mode", body=_body(sent), context={"sent": sent})


def _body(sent: Payload) -> dict[str, Any]:
    match sent:
        case Command():
            return {"command": sent.name}
        case Event():
            return {"type": sent.kind, "event": {"type": sent.name}}
        case Click():
            return {"type": sent.kind, "actions": [{"type": "button", "action_id": sent.name}]}
        case Verification():
            return {"type": sent.kind, "challenge": sent.challenge}
        case _:
            named = {"callback_id": sent.name, "action_id": sent.name, "block_id": "", "value": "", "actions": [{}]}
            return {"type": sent.kind, **named, "view": {"type": "modal", "callback_id": sent.name}}

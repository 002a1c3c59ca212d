"""What no listener takes: acknowledged all the same, since Slack shows the person an error otherwise, and noted."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.commands.answer import Sorry
from bot.listeners.commands import COMMAND
from bot.listeners.payloads import Command, Payload
from bot.listeners.rejected_requests import RejectedRequests, Rejection
from bot.slack.blocks import render
from bot.slack.response_urls import body_of

_SHOWN = 100  # characters of a name

log = logging.getLogger(__name__)


def register_unhandled(app: AsyncApp, rejected: RejectedRequests) -> None:
    """Bolt leaves a request without a listener unacknowledged, and raises it as an error where it is asked to."""

    @app.middleware
    async def know_command(sent: Payload, next_: Callable[[], Awaitable[None]]) -> None:
        if isinstance(sent, Command) and sent.name == COMMAND:
            rejected.end(Rejection.COMMAND)
        await next_()

    @app.error
    async def acknowledge(error: Exception, sent: Payload) -> BoltResponse | None:
        if not isinstance(error, BoltUnhandledRequestError):
            log.error("Unexpected error in a request of Slack's", exc_info=error)
            return None
        if isinstance(sent, Command):
            return _unknown_command(sent.name[:_SHOWN], rejected)
        rejected.note(
            Rejection.UNKNOWN, f"Slack sent {_what(sent)}, which this bot has no answer for; it was acknowledged."
        )
        return BoltResponse(status=200)


def _unknown_command(name: str, rejected: RejectedRequests) -> BoltResponse:
    rejected.note(
        Rejection.COMMAND,
        f"Slack sends the command {name}, and this bot answers {COMMAND} only. Rename it: api.slack.com/apps → your "
        "app → Slash Commands.",
    )
    sorry = Sorry(f"This bot answers {COMMAND}, and does not know {name}.")
    return BoltResponse(status=200, body=body_of(render(sorry)))


def _what(sent: Payload) -> str:
    """The kind of request, and the name of what was used: `shortcut “show_usage”`."""
    return f"{sent.kind[:_SHOWN] or 'something'} “{sent.name[:_SHOWN]}”"

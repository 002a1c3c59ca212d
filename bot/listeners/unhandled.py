"""What no listener takes: acknowledged all the same, since Slack shows the person an error otherwise, and noted."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.answers.answer import Sorry
from bot.listeners.commands import COMMAND
from bot.refusals import Kind, Refusals
from bot.slack.blocks import render
from bot.slack.respond import body_of

_SHOWN = 100  # characters of a name
_NAMES = ("action_id", "callback_id", "type")  # where a payload says what was used, the most telling first

log = logging.getLogger(__name__)


def register_unhandled(app: AsyncApp, refusals: Refusals) -> None:
    """Bolt leaves a request without a listener unacknowledged, and raises it as an error where it is asked to."""

    @app.middleware
    async def know_command(body: Mapping[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 Bolt's name
        if body.get("command") == COMMAND:
            refusals.end(Kind.COMMAND)
        await next()

    @app.error
    async def acknowledge(error: Exception, body: Mapping[str, Any]) -> BoltResponse | None:
        if _is_of_bolts_own(error):
            refusals.note(Kind.UNREADABLE, f"Slack sent a request that can't be read ({type(error).__name__}).")
            return BoltResponse(status=400)
        if not isinstance(error, BoltUnhandledRequestError):
            log.error("a request of Slack's failed in a way nobody foresaw", exc_info=error)
            return None
        if "command" in body:
            return _unknown_command(str(body["command"])[:_SHOWN], refusals)
        refusals.note(Kind.UNKNOWN, f"Slack sent {_what(body)}, which this bot has no answer for; it was acknowledged.")
        return BoltResponse(status=200)


def _is_of_bolts_own(error: Exception) -> bool:
    """Whether Bolt itself stumbled, over a payload without what it expects there, before any listener."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    raised_in = str(frame.f_globals.get("__name__"))
    return raised_in.startswith("slack_bolt.") and not isinstance(error, BoltUnhandledRequestError)


def _unknown_command(name: str, refusals: Refusals) -> BoltResponse:
    refusals.note(
        Kind.COMMAND,
        f"Slack sends the command {name}, and this bot answers {COMMAND} only. Rename it: api.slack.com/apps → your "
        "app → Slash Commands.",
    )
    sorry = Sorry(f"This bot answers {COMMAND}, and does not know {name}.")
    return BoltResponse(status=200, body=body_of(render(sorry)))


def _what(body: Mapping[str, Any]) -> str:
    """The kind of request, and the name of what was used: `shortcut “show_usage”`."""
    inner = body.get("event") or body.get("view") or next(iter(body.get("actions") or ()), body)
    named = inner if isinstance(inner, Mapping) else body
    name = next((str(found) for each in _NAMES if (found := named.get(each))), "")
    return f"{str(body.get('type'))[:_SHOWN]} “{name[:_SHOWN]}”"

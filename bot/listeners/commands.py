"""The slash command, and the counter where questions and clicks arrive."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.answers.answer import Sorry
from bot.answers.desk import Desk
from bot.answers.request import Request, parse_request
from bot.answers.typed import unescaped
from bot.model import Message
from bot.slack.blocks import render, shared
from bot.slack.people import Later
from bot.slack.respond import body_of, respond
from bot.windows import utc_day

COMMAND = "/agent-usage"
BROKEN = Sorry("That went wrong on the bot's side and is in its log; please ask again.")

Ack = Callable[..., Awaitable[BoltResponse]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counter:
    """Where questions arrive from those whom the gate let through. `later` runs what outlives the acknowledgement,
    until it is done or the bot stops."""

    desk: Desk
    later: Later

    async def answer(self, user: str, request: Request) -> Message:
        """The answer; what nobody foresaw is logged, and the asker is told."""
        try:
            return render(await self.desk.answer(request, user))
        except Exception:  # the asker must hear something, and the log has it all
            log.exception("an answer failed")
            return render(BROKEN)

    async def answer_later(self, user: str, request: Request, url: str) -> None:
        """Answer the asker alone."""
        await respond(url, await self.answer(user, request))

    async def share(self, user: str, request: Request, url: str) -> None:
        """Show the answer to the channel it was asked in."""
        await respond(url, shared(await self.answer(user, request), user), in_channel=True)

    def parse(self, text: str) -> Request:
        """What was typed, on the UTC day it was typed."""
        return parse_request(unescaped(text), utc_day(self.desk.now()))


def register_commands(app: AsyncApp, counter: Counter) -> None:
    """Hear the slash command."""

    @app.command(COMMAND)
    async def on_command(ack: Ack, body: dict[str, Any]) -> BoltResponse:
        request, user = counter.parse(str(body.get("text") or "")), str(body.get("user_id") or "")
        if known := counter.desk.at_once(request):
            return await ack(**body_of(render(known)))
        counter.later(counter.answer_later(user, request, str(body.get("response_url") or "")))
        return await ack()

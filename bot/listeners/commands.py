"""The slash command, and the responder that answers questions and clicks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.commands.answer import Sorry
from bot.commands.handler import CommandHandler
from bot.commands.parse import parse_request
from bot.commands.request import Request
from bot.commands.typed.user_input import unescaped
from bot.listeners.payloads import Command
from bot.model import Act, Message
from bot.slack.blocks import render
from bot.slack.people import Later
from bot.slack.response_urls import Responses, body_of
from bot.windows import utc_day

COMMAND = "/agent-usage"
BROKEN = Sorry("That went wrong on the bot's side and is in its log; please ask again.")

Ack = Callable[..., Awaitable[BoltResponse]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Responder:
    """Answers those whom access control let through. `later` runs what outlives the acknowledgement,
    until it is done or the bot stops."""

    handler: CommandHandler
    responses: Responses
    later: Later

    async def answer(self, act: Act, request: Request) -> Message:
        """The answer; an unexpected error is logged, and the asker is told."""
        try:
            return render(await self.handler.answer(request, act))
        except Exception:  # the asker must hear something, and the log has it all
            log.exception("Unexpected error in an answer")
            return render(BROKEN)

    async def answer_later(self, act: Act, request: Request, url: str) -> None:
        """Answer the asker alone."""
        await self.responses.respond(url, await self.answer(act, request))

    def parse(self, text: str) -> Request:
        """What was typed, on the UTC day it was typed."""
        return parse_request(unescaped(text), utc_day(self.handler.context.now()))


def register_commands(app: AsyncApp, responder: Responder) -> None:
    """Hear the slash command."""

    @app.command(COMMAND)
    async def on_command(ack: Ack, sent: Command) -> BoltResponse:
        request = responder.parse(sent.text)
        if known := responder.handler.at_once(request):
            return await ack(**body_of(render(known)))
        responder.later(responder.answer_later(sent.act, request, sent.response_url))
        return await ack()

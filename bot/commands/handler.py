"""Answering requests: at once where the answer is known, else after waiting, always within patience."""

from __future__ import annotations

from dataclasses import dataclass

from bot.commands.all import command_for
from bot.commands.answer import Answer, Sorry
from bot.commands.context import Context
from bot.commands.incidents import NotUnderstoodError
from bot.commands.request import Request
from bot.errors import BotError
from bot.model import Act


@dataclass(frozen=True)
class CommandHandler:
    """Hands a request to the command that answers it."""

    context: Context

    def at_once(self, request: Request) -> Answer | None:
        """The answer where it is known without waiting for anything: help, or figures fresh enough, or an outage."""
        return command_for(request).at_once(self.context, request)

    async def answer(self, request: Request, act: Act) -> Answer:
        """The answer, within `PATIENCE` and a little. Raises nothing of ours: what goes wrong is said in the answer."""
        if known := self.at_once(request):
            return known
        try:
            return await command_for(request).answer(self.context, request, act)
        except (BotError, NotUnderstoodError) as error:
            return Sorry(str(error))

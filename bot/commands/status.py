"""`status`: how the bot itself is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.command import Command, alone
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import StatusAnswer
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class Status(Request):
    """How the bot itself is."""


async def _answer(context: Context, _request: Status, _act: Act) -> StatusAnswer:
    return await context.status()


STATUS: Final = Command(
    name="status",
    request=Status,
    usage="status",
    help="whether the bot sees and speaks, and what waits",
    parse=alone,
    answer=_answer,
)

"""`help`: what can be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.commands.answer import HelpAnswer
from bot.commands.command import Command, alone
from bot.commands.request import Help
from bot.commands.typed.period import PERIODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.command import AnyCommand
    from bot.commands.context import Context
    from bot.model import Act


def help_on(commands: Sequence[AnyCommand], problem: str = "") -> HelpAnswer:
    """What can be typed where there are these commands."""
    nothing = next(command.help for command in commands if not command.usage)
    named = tuple((command.usage, command.help) for command in commands if command.name)
    return HelpAnswer(problem, nothing, tuple(PERIODS.items()), named)


def _at_once(context: Context, request: Help) -> HelpAnswer:
    return help_on(context.commands, request.problem)


async def _answer(context: Context, request: Help, _act: Act) -> HelpAnswer:
    return _at_once(context, request)


HELP: Final = Command(
    name="help",
    request=Help,
    usage="help",
    help="this list",
    parse=alone,
    answer=_answer,
    at_once=_at_once,
    hint="help",
)

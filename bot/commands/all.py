"""Every command: a file for each, listed here and nowhere else, in the order of the help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.commands.alerts import ALERTS
from bot.commands.budgets import BUDGETS
from bot.commands.check import CHECK
from bot.commands.command import AnyCommand
from bot.commands.forecast import FORECAST
from bot.commands.help import HELP
from bot.commands.overview import OVERVIEW
from bot.commands.period import PERIOD
from bot.commands.request import Request
from bot.commands.restatements import RESTATEMENTS
from bot.commands.snooze import SNOOZE
from bot.commands.status import STATUS
from bot.commands.why import WHY

COMMANDS: Final[tuple[AnyCommand, ...]] = (
    OVERVIEW,
    PERIOD,
    BUDGETS,
    FORECAST,
    ALERTS,
    RESTATEMENTS,
    CHECK,
    STATUS,
    HELP,
    WHY,
    SNOOZE,
)

NAMED: Final[Mapping[str, AnyCommand]] = {command.name: command for command in COMMANDS if command.name}
"""The commands by the word that calls them."""

USAGE_HINT: Final = " | ".join(command.hint for command in COMMANDS if command.hint)
"""What Slack shows while somebody types the slash command."""

_FOR: Final[Mapping[type, AnyCommand]] = {command.request: command for command in COMMANDS}


def command_for(request: Request) -> AnyCommand:
    """The command that answers this request."""
    return _FOR[type(request)]

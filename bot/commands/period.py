"""A period: the usage of these days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.commands.answer import summarize
from bot.commands.command import Command
from bot.commands.figures import Figures
from bot.commands.request import Help, Summary
from bot.commands.typed.period import parse_period

if TYPE_CHECKING:
    from datetime import date

    from bot.commands.answer import SummaryAnswer
    from bot.commands.context import Context
    from bot.commands.typed.user_input import Words
    from bot.model import Reading


def _parse(_command: Command[Summary], words: Words, today: date) -> Summary | Help:
    """Raises NotAPeriodError."""
    return parse_period(words, today)


def _summary(context: Context, request: Summary, reading: Reading) -> SummaryAnswer:
    return summarize(request, reading, context.source(reading))


_FIGURES: Final[Figures[Summary]] = Figures(lambda _context, request: request.span, _summary)

PERIOD: Final = Command(
    name=None,
    request=Summary,
    usage="PERIOD",
    help="the usage of these days, in one sum or by day, week or month",
    parse=_parse,
    answer=_FIGURES.answer,
    at_once=_FIGURES.at_once,
    hint="[today | week | 7d | 2026-03-01..2026-03-15] [by day]",
    has_figures=True,
)

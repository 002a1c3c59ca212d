"""`forecast`: where each open budget is heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.answer import outlook
from bot.commands.command import Command, alone
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.answer import OutlookAnswer
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class Outlook(Request):
    """Where each open budget is heading."""


async def _answer(context: Context, _request: Outlook, _act: Act) -> OutlookAnswer:
    """Never at once: the curves of earlier days are in the database."""
    span = context.checked_span
    reading = await context.read(span)
    curves = await context.ledger.curves(span.start)
    return outlook(context.rules.current, reading, curves, context.source(reading))


FORECAST: Final = Command(
    name="forecast",
    request=Outlook,
    usage="forecast",
    help="where each open budget is heading",
    parse=alone,
    answer=_answer,
    hint="forecast",
    has_figures=True,
)

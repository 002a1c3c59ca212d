"""`restatements`: how past figures moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.commands.answer import RestatementsAnswer
from bot.commands.command import Command, alone
from bot.commands.request import Request
from bot.model import Span
from bot.windows import utc_day

if TYPE_CHECKING:
    from bot.commands.context import Context
    from bot.model import Act


LOOKED_BACK: Final = timedelta(days=60)  # for figures that moved


@dataclass(frozen=True, slots=True)
class Restatements(Request):
    """How the figures of past days moved after those days."""


async def _answer(context: Context, _request: Restatements, _act: Act) -> RestatementsAnswer:
    today = utc_day(context.now())
    since = today - LOOKED_BACK
    return RestatementsAnswer(tuple(await context.ledger.restatements(Span(since, today))), since)


RESTATEMENTS: Final = Command(
    name="restatements",
    request=Restatements,
    usage="restatements",
    help="how the figures of past days moved after those days",
    parse=alone,
    answer=_answer,
)

"""`check`: one check now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.commands.answer import CheckAnswer, Sorry, Source
from bot.commands.command import Command, alone
from bot.commands.request import Request

if TYPE_CHECKING:
    from bot.commands.context import Context
    from bot.model import Act


@dataclass(frozen=True, slots=True)
class CheckNow(Request):
    """One check now, with each decision."""


async def _answer(context: Context, _request: CheckNow, act: Act) -> CheckAnswer | Sorry:
    await context.claim(act)
    checking = asyncio.ensure_future(context.checker.check())
    try:
        async with asyncio.timeout(context.patience):
            decisions = await asyncio.shield(checking)
    except TimeoutError:
        checking.add_done_callback(lambda done: done.cancelled() or done.exception())  # told by the checker's own loop
        return Sorry(f"{context.why_late} The check goes on, and what it finds is posted.")
    read = context.usage.last(context.checked_span)
    return CheckAnswer(tuple(decisions), Source(read.read_at if read else context.now(), context.now()))


CHECK: Final = Command(
    name="check",
    request=CheckNow,
    usage="check",
    help="check the budgets now, with the reason for each decision",
    parse=alone,
    answer=_answer,
)

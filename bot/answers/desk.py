"""Answering requests: at once where the figures are known, else after one shared reading, always within patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.answers.answer import (
    Answer,
    CheckAnswer,
    HelpAnswer,
    Sorry,
    Source,
    StatusAnswer,
    budgets,
    overview,
    summarize,
)
from bot.answers.request import Budgets, CheckNow, Help, Overview, Request, Status, Summary
from bot.cartesia.shared import SharedReadings
from bot.check import Checker
from bot.errors import BotError, CartesiaError
from bot.model import Reading, Span
from bot.rules.home import RulesInForce
from bot.windows import checked_span

PATIENCE = 2.2  # seconds an asker waits for Cartesia; the whole answer is promised within 3


@dataclass
class Desk:
    """What answers need. `status` gives the bot's own state, `checked_here` whether this process checks."""

    rules: RulesInForce
    usage: SharedReadings
    checker: Checker
    status: Callable[[], Awaitable[StatusAnswer]]
    checked_here: Callable[[], bool]
    now: Callable[[], datetime]

    def at_once(self, request: Request) -> Answer | None:
        """The answer where it is known without waiting for anything: help, or figures fresh enough, or an outage."""
        if isinstance(request, Help):
            return HelpAnswer(request)
        if not isinstance(request, Summary | Overview | Budgets):
            return None
        span = self._span(request)
        reading = self.usage.fresh(span) if self._may_ask() else self.usage.last(span)
        return self._from(request, reading) if reading else None

    async def answer(self, request: Request) -> Answer:
        """The answer, within `PATIENCE` and a little. Raises nothing of ours: what goes wrong is said in the answer."""
        if known := self.at_once(request):
            return known
        try:
            return await self._ask(request)
        except BotError as error:
            return Sorry(str(error))

    async def _ask(self, request: Request) -> Answer:
        if isinstance(request, Status):
            return await self.status()
        if isinstance(request, CheckNow):
            return await self._check()
        assert not isinstance(request, Help)  # noqa: S101 answered at once
        span = self._span(request)
        if (
            self.usage.outage and not self._may_ask()
        ):  # asking is then left to the checker, and what is kept was answered at once
            return Sorry(self.usage.outage.why)
        try:
            reading = await asyncio.wait_for(self.usage.read(span), PATIENCE)
        except (TimeoutError, CartesiaError) as error:
            last = self.usage.last(span)
            return self._from(request, last) if last else Sorry(self._why(error))
        return self._from(request, reading)

    def _may_ask(self) -> bool:
        return self.usage.may_ask(checked_here=self.checked_here())

    async def _check(self) -> Answer:
        checking = asyncio.ensure_future(self.checker.check())
        try:
            decisions = await asyncio.wait_for(asyncio.shield(checking), PATIENCE)
        except TimeoutError:
            checking.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # told by the checker's own loop
            return Sorry(f"{self._why(TimeoutError())} The check goes on, and what it finds is posted.")
        read = self.usage.last(checked_span(self.now()))
        return CheckAnswer(tuple(decisions), Source(read.read_at if read else self.now(), self.now()))

    def _from(self, request: Summary | Overview | Budgets, reading: Reading) -> Answer:
        source = Source(reading.read_at, self.now(), self.usage.outage)
        match request:
            case Summary():
                return summarize(request, reading, source)
            case Budgets():
                return budgets(self.rules.current, reading, source)
            case Overview():
                return overview(self.rules.current, reading, source)

    def _span(self, request: Summary | Overview | Budgets) -> Span:
        return request.span if isinstance(request, Summary) else checked_span(self.now())

    def _why(self, error: Exception) -> str:
        if isinstance(error, CartesiaError):
            return str(error)
        return self.usage.outage.why if self.usage.outage else "Cartesia has not answered yet: ask again in a minute."

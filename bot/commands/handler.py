"""Answering requests: at once where the figures are known, else after one shared reading, always within patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.cartesia.shared import SharedReadings
from bot.commands.answer import (
    Answer,
    CheckAnswer,
    HelpAnswer,
    RestatementsAnswer,
    Sorry,
    Source,
    StatusAnswer,
    budgets,
    outlook,
    overview,
    summarize,
)
from bot.commands.incidents import IncidentActions, NotUnderstoodError
from bot.commands.request import (
    Alerts,
    Budgets,
    CheckNow,
    Help,
    Outlook,
    Overview,
    Request,
    Restatements,
    SnoozeAlert,
    Status,
    Summary,
    Why,
)
from bot.errors import BotError, CartesiaError
from bot.jobs.check import Checker
from bot.jobs.rules_in_force import RulesInForce
from bot.model import Act, Reading, Span
from bot.store.acts import Acts, Claim
from bot.store.ledger import Ledger
from bot.windows import checked_span, utc_day

PATIENCE = 2.2  # seconds an asker waits for Cartesia; the whole answer is promised within 3


RESTATED_DAYS = 60  # looked back on for figures that moved

Figures = Summary | Overview | Budgets | Outlook


@dataclass
class CommandHandler:
    """What answers need. `status` gives the bot's own state, `checked_here` whether this process checks."""

    rules: RulesInForce
    usage: SharedReadings
    ledger: Ledger
    checker: Checker
    incidents: IncidentActions
    acts: Acts
    status: Callable[[], Awaitable[StatusAnswer]]
    checked_here: Callable[[], bool]
    now: Callable[[], datetime]

    def at_once(self, request: Request) -> Answer | None:
        """The answer where it is known without waiting for anything: help, or figures fresh enough, or an outage."""
        if isinstance(request, Help):
            return HelpAnswer(request)
        if not isinstance(request, Summary | Overview | Budgets):
            return None  # a forecast needs the curves, which are in the database
        span = self._span(request)
        reading = self.usage.fresh(span) if self._may_ask() else self.usage.last(span)
        return self._from(request, reading) if reading else None

    async def answer(self, request: Request, act: Act) -> Answer:
        """The answer, within `PATIENCE` and a little. Raises nothing of ours: what goes wrong is said in the answer."""
        if known := self.at_once(request):
            return known
        try:
            return await self._ask(request, act)
        except (BotError, NotUnderstoodError) as error:
            return Sorry(str(error))

    async def _ask(self, request: Request, act: Act) -> Answer:
        match request:
            case Status():
                return await self.status()
            case CheckNow():
                await self.acts.claim(Claim.of(act))
                return await self._check()
            case Alerts():
                return await self.incidents.last_alerts()
            case Why(alert):
                return await self.incidents.why(alert)
            case SnoozeAlert(words):
                return await self.incidents.snooze_typed(words, act)
            case Restatements():
                return await self._restatements()
            case Help():
                return HelpAnswer(request)
            case _:
                return await self._figures(request)

    async def _restatements(self) -> Answer:
        today = utc_day(self.now())
        since = today - timedelta(days=RESTATED_DAYS)
        return RestatementsAnswer(tuple(await self.ledger.restatements(Span(since, today))), since)

    async def _figures(self, request: Figures) -> Answer:
        span = self._span(request)
        if (
            self.usage.outage and not self._may_ask()
        ):  # asking is then left to the checker, and what is kept was answered at once
            return Sorry(self.usage.outage.why)
        try:
            async with asyncio.timeout(PATIENCE):
                reading = await self.usage.read(span)
        except (TimeoutError, CartesiaError) as error:
            last = self.usage.last(span)
            if last is None:
                return Sorry(self._why(error))
            reading = last
        if isinstance(request, Outlook):
            curves = await self.ledger.curves(span.start)
            return outlook(self.rules.current, reading, curves, self._source(reading))
        return self._from(request, reading)

    def _may_ask(self) -> bool:
        return self.usage.may_ask(checked_here=self.checked_here())

    async def _check(self) -> Answer:
        checking = asyncio.ensure_future(self.checker.check())
        try:
            async with asyncio.timeout(PATIENCE):
                decisions = await asyncio.shield(checking)
        except TimeoutError:
            checking.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # told by the checker's own loop
            return Sorry(f"{self._why(TimeoutError())} The check goes on, and what it finds is posted.")
        read = self.usage.last(checked_span(self.now()))
        return CheckAnswer(tuple(decisions), Source(read.read_at if read else self.now(), self.now()))

    def _from(self, request: Summary | Overview | Budgets, reading: Reading) -> Answer:
        source = self._source(reading)
        match request:
            case Summary():
                return summarize(request, reading, source)
            case Budgets():
                return budgets(self.rules.current, reading, source)
            case Overview():
                return overview(self.rules.current, reading, source)

    def _source(self, reading: Reading) -> Source:
        return Source(reading.read_at, self.now(), self.usage.outage)

    def _span(self, request: Figures) -> Span:
        return request.span if isinstance(request, Summary) else checked_span(self.now())

    def _why(self, error: Exception) -> str:
        if isinstance(error, CartesiaError):
            return str(error)
        return self.usage.outage.why if self.usage.outage else "Cartesia has not answered yet: ask again in a minute."

"""What commands answer from: the rules, the readings, the database, the check, and how long an asker waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.cartesia.shared import SharedReadings
from bot.commands.answer import Source, StatusAnswer
from bot.commands.command import AnyCommand
from bot.commands.incidents import IncidentActions
from bot.errors import BotError, CartesiaError
from bot.jobs.check import Checker
from bot.jobs.rules_in_force import RulesInForce
from bot.model import Act, Reading, Span
from bot.store.acts import Acts, Claim
from bot.store.ledger import Ledger
from bot.windows import checked_span

PATIENCE = 2.2  # seconds an asker waits for Cartesia; the whole answer is promised within 3
NOT_YET = "Cartesia has not answered yet: ask again in a minute."


class NoFigures(BotError):
    """Cartesia gives no figures in time, and no earlier ones are kept; the text says why."""


@dataclass(frozen=True)
class Context:
    """What answers need. `commands` are all there are, `status` gives the bot's own state, `checked_here` says whether
    this process checks, and `patience` for how many seconds an asker waits for Cartesia."""

    commands: tuple[AnyCommand, ...]
    rules: RulesInForce
    usage: SharedReadings
    ledger: Ledger
    checker: Checker
    incidents: IncidentActions
    acts: Acts
    status: Callable[[], Awaitable[StatusAnswer]]
    checked_here: Callable[[], bool]
    now: Callable[[], datetime]
    patience: float = PATIENCE

    @property
    def checked_span(self) -> Span:
        """The days that a check looks at now."""
        return checked_span(self.now())

    def known(self, span: Span) -> Reading | None:
        """A reading that needs no waiting: one fresh enough, or the last one where Cartesia is not to be asked."""
        return self.usage.fresh(span) if self._may_ask() else self.usage.last(span)

    async def read(self, span: Span) -> Reading:
        """A reading made now, or the last one where Cartesia does not answer in time. Raises NoFigures."""
        if self.usage.outage and not self._may_ask():
            raise NoFigures(self.usage.outage.why)  # the checker asks, and what is kept was answered at once
        try:
            async with asyncio.timeout(self.patience):
                return await self.usage.read(span)
        except TimeoutError:
            return self._last(span, self.why_late)
        except CartesiaError as error:
            return self._last(span, str(error))

    @property
    def why_late(self) -> str:
        """Why Cartesia's answer is waited for in vain, as a sentence."""
        return self.usage.outage.why if self.usage.outage else NOT_YET

    def source(self, reading: Reading) -> Source:
        """Where an answer's figures are from."""
        return Source(reading.read_at, self.now(), self.usage.outage)

    async def claim(self, act: Act) -> None:
        """Note that what was typed is done. Raises DoneBefore, StoreError."""
        await self.acts.claim(Claim.of(act))

    def _last(self, span: Span, why: str) -> Reading:
        last = self.usage.last(span)
        if last is None:
            raise NoFigures(why)
        return last

    def _may_ask(self) -> bool:
        return self.usage.may_ask(checked_here=self.checked_here())

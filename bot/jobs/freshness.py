"""Whether the bot sees: told when nothing could be read for too long, and when something is again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import elapsed
from bot.events import Enqueued, Observer
from bot.jobs.account import Account
from bot.jobs.runner import Job, Timer
from bot.slack import blocks
from bot.store.ledger import Ledger

CHECK_PATIENCE = 60.0  # seconds in which a check under way may still show that the bot sees

log = logging.getLogger(__name__)


@dataclass
class Freshness:
    """How long nothing was read of an account. It is told once when that is `blind_for`.

    `now` dates what is said; for how long nothing was read is counted in `seconds`, which do not leap.
    """

    account: Account
    ledger: Ledger
    blind_for: timedelta
    now: Callable[[], datetime]
    observer: Observer
    seconds: Callable[[], float] = elapsed
    _seen_at: float | None = None  # by `seconds`: the last good reading, or since when one is waited for
    _failing: bool = True  # until shown otherwise: a condition may be noted from before a restart
    _in_order: asyncio.Lock = field(default_factory=asyncio.Lock)  # what begins and ends is noted in order

    def job(self, checks: Timer, look_away: Callable[[], None]) -> Job:
        """The watch; what a check that is due, or has just begun, by the timer `checks` finds comes first."""

        async def turn() -> None:
            now, at = self.now(), self.seconds()  # before what is due: the sandbox's may leap between the two
            if self.account.usage.outage or not checks.is_at_hand(CHECK_PATIENCE):
                await self.watch(now, at)

        return Job("the watch over freshness", turn, only_reader=True, stand_by=look_away)

    async def watch(self, now: datetime, at: float) -> None:
        """Tell the operations channel once when there was no good reading for too long. Raises StoreError.

        `at` is the same moment as `now`, in `seconds`.
        """
        async with self._in_order:
            await self._watch(now, at)

    async def note_reading(self) -> None:
        """A reading was judged: tell that the bot sees, where it was told that it does not. Raises StoreError."""
        async with self._in_order:
            self._seen_at, now = self.seconds(), self.now()
            if self._failing:
                noted = await self.ledger.conditions("usage")
                if noted:
                    message = blocks.sees_again(min(noted[0].since, now), now)
                    await self.ledger.end("usage", self._operations(), message, now)
                    self.observer.observe(Enqueued())
                self._failing = False

    def look_away(self) -> None:
        """Another process reads now: how long this one has seen nothing means nothing."""
        self._seen_at = None
        self._failing = True

    async def _watch(self, now: datetime, at: float) -> None:
        outage = self.account.usage.outage
        if self._seen_at is None:
            self._seen_at = at - await self._unseen_before(now)
        unseen = timedelta(seconds=at - self._seen_at)
        lasts = unseen >= self.blind_for
        if not self._failing and (outage or lasts):
            self._failing = True
            await self.ledger.note("usage", "", now - unseen)
        if self._failing and (lasts or (outage and outage.hopeless)):
            await self._tell_blindness(now - unseen, now)

    async def _tell_blindness(self, since: datetime, now: datetime) -> None:
        if any(noted.told for noted in await self.ledger.conditions("usage")):
            return
        outage = self.account.usage.outage
        why = outage.why if outage else self.account.doubt or "Cartesia has not answered yet."
        log.error("blind since %s: %s", since.isoformat(timespec="seconds"), why)
        await self.ledger.note("usage", "", since)
        await self.ledger.tell("usage", "", self._operations(), blocks.blind(since, why), now)
        self.observer.observe(Enqueued())

    async def _unseen_before(self, now: datetime) -> float:
        """Seconds without a reading before this process watched, as noted; not fewer than none, where the clock went
        back since."""
        noted = await self.ledger.conditions("usage")
        return max(0.0, (now - noted[0].since).total_seconds()) if noted else 0.0

    def _operations(self) -> str | None:
        return self.account.rules.current.operations_channel

"""The job that checks each interval, in the one process that reads usage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import elapsed
from bot.errors import StoreError
from bot.jobs.check import Checker
from bot.jobs.runner import Job, Timer
from bot.logs import repeats
from bot.store.leases import Lease

START = 20.0  # seconds within which a process that may read checks at once, since the first check runs at start

log = logging.getLogger(__name__)


@dataclass
class ScheduledCheck:
    """A check each interval. Who takes over from another process goes on at its pace, and asks Cartesia no sooner."""

    checker: Checker
    lease: Lease
    timer: Timer
    real_seconds: Callable[[], float] = elapsed
    _stands_by: bool = True
    _began_at: float | None = None

    def job(self) -> Job:
        return Job("the check", self.turn, self.timer, only_reader=True, stand_by=self.stand_by)

    def stand_by(self) -> None:
        """Another process checks."""
        self._begin()
        self._stands_by = True
        self.timer.due_in(0.0)

    async def turn(self) -> None:
        """Check, unless whoever checked before did so less than an interval ago. Raises CartesiaError, StoreError."""
        self._begin()
        if self._stands_by:
            self._stands_by = False
            if left := await self._until_next_reading():
                self.timer.due_in(left)
                return
        await self._check_once()

    def _begin(self) -> None:
        self._began_at = self.real_seconds() if self._began_at is None else self._began_at

    async def _until_next_reading(self) -> float:
        """Seconds until this process is to read, after another one did; 0 at a start, and where that is not known."""
        if self._began_at is None or self.real_seconds() - self._began_at <= START:
            return 0.0
        try:
            return await self.lease.until_next_reading(self.timer.every)
        except StoreError as error:
            log.error("%s", error, extra=repeats("taking over", error.gist))
            return 0.0

    async def _check_once(self) -> None:
        await self.checker.check()
        await self.lease.note_reading(self.timer.every)

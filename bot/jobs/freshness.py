"""The job that tells when nothing could be read for too long."""

from __future__ import annotations

from dataclasses import dataclass

from bot.jobs.check import Checker
from bot.jobs.runner import Job, Timer

CHECK_PATIENCE = 60.0  # seconds in which a check under way may still show that the bot sees


@dataclass(frozen=True)
class FreshnessWatch:
    """Looks at whether the bot sees. `checks` is the timer of the check: what that finds comes first."""

    checker: Checker
    checks: Timer

    def job(self) -> Job:
        return Job("the watch over freshness", self.turn, only_reader=True, stand_by=self.checker.look_away)

    async def turn(self) -> None:
        """Look, unless a check is about to. Raises StoreError."""
        now, at = self.checker.now(), self.checker.seconds()  # before what is due: a simulated clock may leap between
        if self.checker.usage.outage or not self.checks.is_at_hand(CHECK_PATIENCE):
            await self.checker.watch_freshness(now, at)

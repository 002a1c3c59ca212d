"""The job that puts changed rules in force, and judges by them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.events import Enqueued, Observer
from bot.jobs.check import Checker
from bot.jobs.rules_in_force import RulesInForce
from bot.jobs.runner import Job


@dataclass(frozen=True)
class RulesWatch:
    """Looks at the rules in every process; the one that reads usage judges its last reading by changed ones."""

    rules: RulesInForce
    checker: Checker
    may_read: Callable[[], bool]
    observer: Observer

    def job(self) -> Job:
        return Job("the look at the rules", self.turn)

    async def turn(self) -> None:
        """Look, and judge where other rules are in force. Raises StoreError."""
        if await self.rules.look():
            self.observer.observe(Enqueued())
            if self.may_read():
                await self.checker.judge_again()

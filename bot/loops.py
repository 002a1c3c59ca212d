"""What runs until the bot stops: checking, watching its sight, watching the rules."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from bot.check import Checker
from bot.errors import CartesiaError, StoreError
from bot.rules.home import RulesInForce
from bot.waiting import set_within

LOOK = 1.0  # seconds between two looks at the rules file, and at whether the bot sees

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Loops:
    """The loops of one process; only the one that `may_read` asks Cartesia and judges."""

    checker: Checker
    rules: RulesInForce
    interval: timedelta
    may_read: Callable[[], bool]
    told: Callable[[], None]
    stop: asyncio.Event
    _rules_changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self) -> None:
        """A check each interval; new rules are judged at once, by the last reading."""
        next_check = time.monotonic()
        while not await set_within(self.stop, min(LOOK / 4, max(0.0, next_check - time.monotonic()))):
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + self.interval.total_seconds()
                await self._if_it_may(self.checker.check)
            elif self._rules_changed.is_set():
                self._rules_changed.clear()
                await self._if_it_may(self.checker.judge_again)

    async def watch_sight(self) -> None:
        """Tell when nothing can be read for too long."""
        while not await set_within(self.stop, LOOK):
            await self._if_it_may(self.checker.watch_sight)

    async def watch_rules(self) -> None:
        """Put changed rules in force."""
        while not await set_within(self.stop, LOOK):
            if await _logged(self.rules.look):
                self._rules_changed.set()
                self.told()

    async def _if_it_may(self, work: Callable[[], Awaitable[object]]) -> None:
        if self.may_read():
            await _logged(work)


async def _logged(work: Callable[[], Awaitable[T]]) -> T | None:
    """What the work gives; foreseen trouble becomes a log line, since the loop comes round again."""
    try:
        return await work()
    except (CartesiaError, StoreError) as error:
        log.error("%s", error)
        return None

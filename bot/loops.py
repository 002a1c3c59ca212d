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
from bot.hearing import Hearing
from bot.rules.home import RulesInForce
from bot.store.leases import Presence
from bot.waiting import set_within

LOOK = 1.0  # seconds between two looks at the rules file, and at whether the bot sees
GLANCE = 0.25  # seconds between two looks at whether a check is due
DAY = 86_400.0  # seconds
START = 20.0  # seconds within which a process that may read checks at once, since the first check runs at start

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Loops:
    """The loops of one process; of several, only the one whose presence `may_read` asks Cartesia and judges."""

    checker: Checker
    hearing: Hearing
    rules: RulesInForce
    interval: timedelta
    presence: Presence
    keep: Callable[[], Awaitable[None]]
    told: Callable[[], None]
    stop: asyncio.Event
    seconds: Callable[[], float] = time.monotonic
    glance: float = GLANCE
    _rules_changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self) -> None:
        """A check each interval; new rules are judged at once, by the last reading."""
        began, next_check = time.monotonic(), None
        while not await set_within(self.stop, self._pause(next_check)):
            if not self.presence.may_read:
                next_check = None
            elif next_check is None:
                taken_over = time.monotonic() - began > START
                left = await _logged(self.presence.until_next_reading) if taken_over else 0.0
                next_check = self.seconds() + (left or 0.0)
            elif self.seconds() >= next_check:
                next_check = self.seconds() + self.interval.total_seconds()
                await _logged(self._check_once)
            elif self._rules_changed.is_set():
                self._rules_changed.clear()
                await _logged(self.checker.judge_again)

    def _pause(self, next_check: float | None) -> float:
        """Seconds until the next look at whether a check is due."""
        return self.glance if next_check is None else min(self.glance, max(0.0, next_check - self.seconds()))

    async def watch_sight(self) -> None:
        """Tell when nothing can be read for too long."""
        while not await set_within(self.stop, LOOK):
            if self.presence.may_read:
                await _logged(self.checker.watch_sight)
            else:
                self.checker.look_away()

    async def watch_hearing(self) -> None:
        """Tell, once Slack takes messages again, that it took none for too long."""
        while not await set_within(self.stop, LOOK):
            await _logged(self.hearing.watch)

    async def watch_rules(self) -> None:
        """Put changed rules in force."""
        while not await set_within(self.stop, LOOK):
            if await _logged(self.rules.look):
                self._rules_changed.set()
                self.told()

    async def prune(self) -> None:
        """Let go of what is older than promised, at start and once a day."""
        next_time = 0.0
        while not await set_within(self.stop, LOOK):
            if self.presence.may_read and _left(next_time) <= 0:
                next_time = time.monotonic() + DAY
                await _logged(self.keep)

    async def _check_once(self) -> None:
        await self.checker.check()
        await self.presence.note_reading(self.interval.total_seconds())


def _left(moment: float) -> float:
    return max(0.0, moment - time.monotonic())


async def _logged(work: Callable[[], Awaitable[T]]) -> T | None:
    """What the work gives; foreseen trouble becomes a log line, since the loop comes round again."""
    try:
        return await work()
    except (CartesiaError, StoreError) as error:
        log.error("%s", error)
        return None

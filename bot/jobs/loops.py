"""What runs until the bot stops: checking, watching how fresh its readings are, watching the rules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from bot.clock import elapsed
from bot.errors import CartesiaError, StoreError
from bot.jobs.check import Checker
from bot.jobs.delivery_outage import DeliveryWatch
from bot.jobs.destinations import Destinations
from bot.jobs.rules_in_force import RulesInForce
from bot.logs import ends, repeats
from bot.store.leases import Lease
from bot.system.waiting import set_within

LOOK = 1.0  # seconds between two looks at the rules file, and at whether the bot sees
POLL_EVERY = 0.25  # seconds between two looks at whether a check is due
DAY = 86_400.0  # seconds
SETTLED = 3_600.0  # seconds after a start in which a machine's clock is set right
CHECK_PATIENCE = 60.0  # seconds in which a check under way may still show that the bot sees
START = 20.0  # seconds within which a process that may read checks at once, since the first check runs at start

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Loops:
    """The loops of one process; of several, only the one whose lease `may_read` asks Cartesia and judges."""

    checker: Checker
    delivery_watch: DeliveryWatch
    destinations: Destinations
    rules: RulesInForce
    interval: timedelta
    lease: Lease
    keep: Callable[[], Awaitable[None]]
    on_enqueue: Callable[[], None]
    stop: asyncio.Event
    seconds: Callable[[], float] = elapsed
    poll_every: float = POLL_EVERY
    _rules_changed: asyncio.Event = field(default_factory=asyncio.Event)
    _next_check: float | None = None  # by `seconds`
    _checking_since: float | None = None  # by the clock that never leaps, as whatever else takes real time

    async def check(self) -> None:
        """A check each interval; new rules are judged at once, by the last reading."""
        began = elapsed()
        while not await set_within(self.stop, self._pause()):
            if not self.lease.may_read:
                self._next_check = None
            elif self._next_check is None:
                taken_over = elapsed() - began > START
                left = await _logged("taking over", self._until_next_reading) if taken_over else 0.0
                self._next_check = self.seconds() + (left or 0.0)
            elif self._is_due():
                self._checking_since = elapsed()
                self._next_check = self.seconds() + self.interval.total_seconds()
                await _logged("the check", self._check_once)
                self._checking_since = None
            elif self._rules_changed.is_set():
                self._rules_changed.clear()
                await _logged("judging by new rules", self.checker.judge_again)

    def _pause(self) -> float:
        """Seconds until the next look at whether a check is due."""
        if self._next_check is None:
            return self.poll_every
        return min(self.poll_every, max(0.0, self._next_check - self.seconds()))

    def _is_due(self) -> bool:
        return self._next_check is not None and self.seconds() >= self._next_check

    def _is_about_to_see(self) -> bool:
        """Whether a check is due or has just begun. Where the clock leaps ahead, what that check finds comes first."""
        if self._checking_since is None:
            return self._is_due()
        return elapsed() - self._checking_since < CHECK_PATIENCE

    async def watch_freshness(self) -> None:
        """Tell when nothing can be read for too long."""
        while not await set_within(self.stop, LOOK):
            now, at = self.checker.now(), self.seconds()  # before what is due: the sandbox's may leap between the two
            if not self.lease.may_read:
                self.checker.look_away()
            elif self.checker.usage.outage or not self._is_about_to_see():
                await _logged("the watch over freshness", partial(self.checker.watch_freshness, now, at))

    async def watch_delivery(self) -> None:
        """Tell, once Slack takes messages again, that it took none for too long."""
        while not await set_within(self.stop, LOOK):
            await _logged("the watch over deliveries", self.delivery_watch.watch)

    async def watch_destinations(self) -> None:
        """Tell of channels that the rules name and nobody can be told in."""
        while not await set_within(self.stop, LOOK):
            await _logged("the look at the channels", self.destinations.watch)

    async def watch_rules(self) -> None:
        """Put changed rules in force."""
        while not await set_within(self.stop, LOOK):
            if await _logged("the look at the rules", self.rules.look):
                self._rules_changed.set()
                self.on_enqueue()

    async def prune(self) -> None:
        """Let go of what is older than promised, once a day; first when a clock that was wrong at boot has been set."""
        next_time = self.seconds() + SETTLED
        while not await set_within(self.stop, LOOK):
            if self.lease.may_read and self.seconds() >= next_time:
                next_time = self.seconds() + DAY
                await _logged("the daily clearing", self.keep)

    async def _until_next_reading(self) -> float:
        return await self.lease.until_next_reading(self.interval.total_seconds())

    async def _check_once(self) -> None:
        await self.checker.check()
        await self.lease.note_reading(self.interval.total_seconds())


async def _logged(name: str, work: Callable[[], Awaitable[T]]) -> T | None:
    """What the work gives; foreseen trouble becomes a log line, since the loop comes round again."""
    try:
        done = await work()
    except (CartesiaError, StoreError) as error:
        log.error("%s", error, extra=repeats(name, error.gist))
        return None
    log.info("%s works again", name, extra=ends(name))
    return done

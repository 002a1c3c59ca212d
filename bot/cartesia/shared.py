"""One request for many askers: concurrent ones share it, a fresh reading is reused, a failing API is left in peace."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.cartesia.client import CartesiaClient
from bot.clock import elapsed
from bot.errors import CartesiaError, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.model import Outage, Reading, Span
from bot.windows import checked_span

FRESH = 15.0  # seconds
RISKED_AFTER = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class _Cached:
    """A reading, and the second it came, by the clock that never leaps; one from before this process is as old as can
    be."""

    reading: Reading
    at: float = float("-inf")


class SharedReadings:
    """The last readings and the requests under way. The retries of one reading may take `budget` seconds.

    `now` dates what is said; how old a reading is and when Cartesia may be asked again is counted in `seconds`.
    """

    def __init__(
        self,
        client: CartesiaClient,
        now: Callable[[], datetime],
        budget: float,
        seconds: Callable[[], float] = elapsed,
    ) -> None:
        self._client = client
        self._now = now
        self._budget = budget
        self._seconds = seconds
        self._under_way: dict[Span, asyncio.Task[Reading]] = {}
        self._cached: dict[Span, _Cached] = {}
        self._failed_at = float("-inf")
        self._not_before = float("-inf")
        self.outage: Outage | None = None

    def fresh(self, span: Span) -> Reading | None:
        """A reading of these days that is younger than 15 seconds."""
        cached = self._newest(span)
        return cached.reading if cached and self._is_fresh(cached) else None

    def last(self, span: Span) -> Reading | None:
        """The newest reading that covers these days, however old."""
        cached = self._newest(span)
        return cached.reading if cached else None

    def remember(self, reading: Reading) -> None:
        """Keep a reading that was made before this process started."""
        self._cache(_Cached(reading))

    async def read(self, span: Span) -> Reading:
        """A reading of these days: fresh, or from a request under way, or asked for now. Raises CartesiaError."""
        return self.fresh(span) or await self.read_now(span)

    async def read_now(self, span: Span) -> Reading:
        """A reading of these days from a request under way, or asked for now. Raises CartesiaError."""
        for asked, task in self._under_way.items():
            if asked.covers(span):
                return await asyncio.shield(task)
        usual = checked_span(self._now())
        asked = usual if usual.covers(span) else span
        task = self._under_way[asked] = asyncio.create_task(self._ask(asked), name=f"read usage {asked.start}")
        task.add_done_callback(functools.partial(self._ended, asked))
        return await asyncio.shield(task)

    @property
    def asked_to_wait(self) -> float:
        """Seconds for which Cartesia still asks not to be asked."""
        return max(0.0, self._not_before - self._seconds()) if self.outage else 0.0

    def may_ask(self, *, checked_here: bool) -> bool:
        """False during an outage: then commands show the last reading and leave asking to the checker.

        Where another process checks, nobody here would notice its end: there a question is risked after 30 seconds.
        """
        if self.outage is None:
            return True
        return not checked_here and not self._under_way and self._seconds() - self._failed_at > RISKED_AFTER

    async def close(self) -> None:
        """End the requests under way."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _ended(self, asked: Span, task: asyncio.Task[Reading]) -> None:
        self._under_way.pop(asked, None)
        if not task.cancelled():
            task.exception()  # noted in `outage`, also where whoever asked has gone

    async def _ask(self, span: Span) -> Reading:
        self._refuse_before_its_time()
        asked_at = self._seconds()
        reading = await self._client.read(span, self._budget, functools.partial(self._note_failure, span))
        if asked_at >= self._failed_at or self.asked_to_wait < 1:  # else it was refused to another request meanwhile
            self.outage, self._not_before = None, float("-inf")
        self._cache(_Cached(reading, self._seconds()))
        return reading

    def _refuse_before_its_time(self) -> None:
        if self.outage and self.asked_to_wait > 0:
            raise Throttled(self.outage.why, self.asked_to_wait)

    def _note_failure(self, span: Span, error: CartesiaError) -> None:
        if isinstance(error, RequestRefused | UnreadableAnswer) and not span.covers(checked_span(self._now())):
            return  # this one question of somebody's can't be answered; what the budgets need may be
        since = self.outage.since if self.outage else self._now()
        self.outage = Outage(since, str(error), hopeless=isinstance(error, KeyRefused))
        self._failed_at = self._seconds()
        wait = error.retry_after or 0.0 if isinstance(error, Throttled) else 0.0
        self._not_before = max(self._not_before, self._failed_at + wait)

    def _newest(self, span: Span) -> _Cached | None:
        covering = (cached for cached in self._cached.values() if cached.reading.span.covers(span))
        return max(covering, key=lambda cached: cached.at, default=None)

    def _is_fresh(self, cached: _Cached) -> bool:
        return self._seconds() - cached.at < FRESH

    def _cache(self, new: _Cached) -> None:
        """Keep what is still of use: nothing that a newer reading covers, nothing but the usual span for long."""
        usual = checked_span(self._now())
        self._cached = {
            span: cached
            for span, cached in self._cached.items()
            if not new.reading.span.covers(span) and (usual.covers(span) or self._is_fresh(cached))
        }
        self._cached[new.reading.span] = new

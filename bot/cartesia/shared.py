"""One request for many askers: concurrent ones share it, a fresh reading is reused, a failing API is left in peace."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.cartesia.client import CartesiaClient
from bot.errors import CartesiaError, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.model import Outage, Reading, Span
from bot.windows import checked_span

FRESH = timedelta(seconds=15)
RISKED_AFTER = timedelta(seconds=30)


class SharedReadings:
    """The last readings and the requests under way. The retries of one reading may take `budget` seconds."""

    def __init__(self, client: CartesiaClient, now: Callable[[], datetime], budget: float) -> None:
        self._client = client
        self._now = now
        self._budget = budget
        self._under_way: dict[Span, asyncio.Task[Reading]] = {}
        self._kept: dict[Span, Reading] = {}
        self.outage: Outage | None = None

    def fresh(self, span: Span) -> Reading | None:
        """A reading of these days that is younger than 15 seconds."""
        kept = self.last(span)
        return kept if kept and abs(self._now() - kept.read_at) < FRESH else None

    def last(self, span: Span) -> Reading | None:
        """The newest reading that covers these days, however old."""
        covering = [reading for reading in self._kept.values() if reading.span.covers(span)]
        return max(covering, key=lambda reading: reading.read_at, default=None)

    def remember(self, reading: Reading) -> None:
        """Keep a reading that was made before this process started."""
        self._keep(reading)

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

    def may_ask(self, *, checked_here: bool) -> bool:
        """False during an outage: then commands show the last reading and leave asking to the checker.

        Where another process checks, nobody here would notice its end: there a question is risked after 30 seconds.
        """
        if self.outage is None:
            return True
        return not checked_here and not self._under_way and self._now() - self.outage.last_seen > RISKED_AFTER

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
        reading = await self._client.read(span, self._budget, functools.partial(self._note_failure, span))
        self.outage = None
        self._keep(reading)
        return reading

    def _refuse_before_its_time(self) -> None:
        until = self.outage.not_before if self.outage else None
        if self.outage and until and self._now() < until:
            raise Throttled(self.outage.why, (until - self._now()).total_seconds())

    def _note_failure(self, span: Span, error: CartesiaError) -> None:
        if isinstance(error, RequestRefused | UnreadableAnswer) and not span.covers(checked_span(self._now())):
            return  # this one question of somebody's can't be answered; what the budgets need may be
        now = self._now()
        seconds = error.retry_after if isinstance(error, Throttled) else None
        self.outage = Outage(
            since=self.outage.since if self.outage else now,
            last_seen=now,
            why=str(error),
            hopeless=isinstance(error, KeyRefused),
            not_before=now + timedelta(seconds=seconds) if seconds else None,
        )

    def _keep(self, reading: Reading) -> None:
        """Keep what is still of use: nothing that a newer reading covers, nothing but the usual span for long."""
        usual = checked_span(self._now())
        self._kept = {
            span: kept
            for span, kept in self._kept.items()
            if not reading.span.covers(span) and (usual.covers(span) or self._now() - kept.read_at < FRESH)
        }
        self._kept[reading.span] = reading

"""The delivery loop: claim what is due, send it (sending.py), settle it (docs/design.md, “An outbox row”).

claim → unclear? look for it first → post → delivered
                                          ↘ dead destination: into the operations channel, naming it
                                          ↘ otherwise: wait, and try again
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.clock import elapsed
from bot.errors import StoreError
from bot.jobs.sending import Sending, Unsent
from bot.logs import ends, repeats
from bot.slack.failures import Failure, Refusal
from bot.slack.sender import Posted, Superseded
from bot.store.outbox import Backlog, Delivery, Outbox
from bot.system.waiting import set_within

AT_ONCE = 16  # lanes served at the same time
LONG_WAIT = 120.0  # seconds asked for by Slack that whoever looks after the bot should know of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Seconds between two posts to one channel (Slack takes about one a second), before a row is tried again, and
    between two looks for what other processes have put into the outbox."""

    between_posts: float = 1.1
    waits: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
    between_looks: float = 1.0

    def back_off(self, attempts: int, asked_for: float | None = None) -> float:
        """Seconds to wait after this many attempts, the last wait for ever after; never less than Slack asked for."""
        return max(self.waits[min(max(attempts, 1), len(self.waits)) - 1], asked_for or 0.0)


@dataclass(frozen=True)
class DeliveryOutage:
    """Since when no message was taken by Slack, and why the last one was not."""

    since: datetime
    why: str


class Deliveries:
    """The delivery loop of one process.

    `may_post` says whether a post begun now would end before another process could take this one for dead.
    """

    def __init__(
        self,
        outbox: Outbox,
        sending: Sending,
        may_post: Callable[[], bool],
        now: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self._outbox = outbox
        self._sending = sending
        self._may_post = may_post
        self._pace = pace or Pace()
        self._now = now
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._quiet_until: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._troubles: dict[str, str] = {}
        self._wake = asyncio.Event()
        self.outage: DeliveryOutage | None = None
        self.has_delivered = False

    @property
    def trouble(self) -> str | None:
        """Why messages are kept, where somebody must act before they can be delivered."""
        return self._troubles.get(_EVERYWHERE) or next(iter(self._troubles.values()), None)

    def wake(self) -> None:
        """Something was put in the outbox: look at once."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and send until the bot stops; what is in hand then is left to `drain`."""
        while not stop.is_set():
            try:
                await self.start_due()
            except StoreError as error:
                log.error("delivery: %s Trying again.", error, extra=repeats("database", str(error)))
            if await set_within(self._wake, self._pause()):
                self._wake.clear()

    async def start_due(self) -> None:
        """Claim what is due and begin sending it, one message a lane at a time."""
        now = elapsed()
        self._quiet_until = {lane: until for lane, until in self._quiet_until.items() if until > now}
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or _EVERYWHERE in self._quiet_until or not self._may_post():
            return
        due = await self._outbox.claim(room, {*self._under_way, *self._quiet_until})
        log.info("delivery: the database answers again", extra=ends("database"))
        if (self.outage or self._troubles) and not self._under_way and not await self.pending():
            self._end_outage()
        for delivery in due:
            task = asyncio.create_task(self._deliver(delivery), name=f"deliver {delivery.id}")
            self._under_way[delivery.lane] = task
            task.add_done_callback(functools.partial(self._finished, delivery.lane))

    async def backlog(self) -> Backlog:
        """What has been tried and waits. Raises StoreError."""
        return await self._outbox.backlog()

    async def pending(self) -> int:
        """How many messages Slack does not have yet. Raises StoreError."""
        return await self._outbox.pending()

    async def drain(self) -> None:
        """Finish what is in hand."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _pause(self) -> float:
        """Seconds until the next look: sooner where a channel may be posted to again sooner."""
        now = elapsed()
        return min(
            [self._pace.between_looks, *(until - now + 0.01 for until in self._quiet_until.values() if until > now)]
        )

    def _finished(self, lane: str, task: asyncio.Task[None]) -> None:
        del self._under_way[lane]
        if not task.cancelled() and (error := task.exception()):
            log.error("Unexpected error in the delivery of %s", lane, exc_info=error)
        self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        self._quiet_until[delivery.lane] = elapsed() + self._pace.between_posts
        match await self._try(delivery):
            case Posted() as posted:
                self._note_success(delivery, posted)
                await self._persist(lambda: self._outbox.settle_delivered(delivery, posted.channel, posted.ts))
            case Superseded():
                await self._persist(lambda: self._outbox.settle_superseded(delivery))
            case Unsent() as unsent:
                await self._give_back(delivery, unsent)

    async def _give_back(self, delivery: Delivery, unsent: Unsent) -> None:
        code = unsent.refusal.code
        self.outage = DeliveryOutage(self.outage.since if self.outage else self._now(), code)
        wait = self._hold_back(unsent, delivery)
        row = (delivery.kind, delivery.id, delivery.channel, code)
        log.warning("not delivered yet: %s %s to %s (%s)", *row, extra=repeats(delivery.lane, code))
        problem = f"{delivery.channel}: {code}"
        await self._persist(
            lambda: self._outbox.settle_failed(delivery, problem=problem, again_in=wait, unclear=unsent.unclear)
        )

    def _note_success(self, delivery: Delivery, posted: Posted) -> None:
        log.info("delivered %s %s for %s to %s", delivery.kind, delivery.id, delivery.channel, posted.channel)
        if delivery.action == "edit":
            log.info("%s are delivered again", delivery.lane, extra=ends(delivery.lane))
        for healed in (delivery.lane, _EVERYWHERE):
            del self._failures[healed]
            self._troubles.pop(healed, None)
        log.info("Slack takes SLACK_BOT_TOKEN again", extra=ends(_EVERYWHERE))
        self.outage, self.has_delivered = None, True

    def _end_outage(self) -> None:
        """Another process has delivered what this one could not."""
        self._failures.clear()
        self._troubles.clear()
        self.outage, self.has_delivered = None, True

    async def _try(self, delivery: Delivery) -> Posted | Superseded | Unsent:
        """Send; whatever happens, the row comes to an outcome, or nobody would take it up again."""
        try:
            return await self._sending.send(delivery)
        except StoreError as error:
            log.error("delivery: %s", error, extra=repeats("database", str(error)))
            return Unsent(Refusal(Failure.TRANSIENT, "database"), delivery.unclear)
        except Exception as error:
            same = repeats(delivery.lane, type(error).__name__)
            log.exception("Unexpected error in the delivery to %s", delivery.channel, extra=same)
            return Unsent(Refusal(Failure.UNCLEAR, "unforeseen"), unclear=True)

    def _hold_back(self, unsent: Unsent, delivery: Delivery) -> float:
        """Seconds until the row is tried again. What is no fault of the row's holds back its lane as well, or all of
        them, by how often they have failed: one row finds out whether they are well, and the others wait for it."""
        refusal = unsent.refusal
        wait = self._pace.back_off(delivery.attempts, refusal.retry_after)
        if refusal.failure is Failure.CREDENTIAL:
            trouble = f"Slack refuses SLACK_BOT_TOKEN ({refusal.code}): reinstall the app and set its new token"
            self._note_trouble(_EVERYWHERE, trouble, "Messages are kept until then.")
            return self._hold(_EVERYWHERE, refusal)
        if refusal.retry_after and refusal.retry_after > LONG_WAIT:
            asks = f"Slack asks to wait {refusal.retry_after:.0f} s before {delivery.channel} takes another message"
            self._note_trouble(delivery.lane, asks, "Messages are kept until then.")
        if unsent.dead:
            self._note_trouble(delivery.lane, unsent.dead, "Messages are kept until one does.")
        if refusal.failure in (Failure.DESTINATION, Failure.TRANSIENT):
            self._hold(delivery.lane, refusal)
        return wait

    def _hold(self, lane: str, refusal: Refusal) -> float:
        self._failures[lane] += 1
        wait = self._pace.back_off(self._failures[lane], refusal.retry_after)
        self._quiet_until[lane] = elapsed() + wait
        log.debug("%s is left in peace for %.1f s (%s)", lane, wait, refusal.code)
        return wait

    def _note_trouble(self, lane: str, trouble: str, until: str) -> None:
        self._troubles[lane] = trouble
        log.error("%s. %s", trouble, until, extra=repeats(lane, trouble))

    async def _persist(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Settle, however long the database takes to come back: what Slack has must not be forgotten."""
        while True:
            try:
                return await settle()
            except StoreError as error:
                same = repeats("database", str(error))
                log.error("delivery: %s What was sent is noted as soon as it answers.", error, extra=same)
                await asyncio.sleep(self._pace.between_looks)


_EVERYWHERE = "*"  # no lane is called this

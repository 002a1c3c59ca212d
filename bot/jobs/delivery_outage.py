"""Whether Slack takes messages: told to the operations channel as soon as it does again, and until then to the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import elapsed
from bot.events import Enqueued, Observer
from bot.jobs.deliver import Deliveries
from bot.jobs.runner import Job
from bot.money import count
from bot.slack import blocks
from bot.slack.parts import plain
from bot.store.ledger import Ledger

_DETAIL = 64  # characters that the table takes

log = logging.getLogger(__name__)


@dataclass
class DeliveryWatch:
    """Watches deliveries that fail everywhere.

    `now` dates what is said; how long an outage lasts is counted in `seconds`, which do not leap.
    """

    ledger: Ledger
    deliveries: Deliveries
    operations_channel: Callable[[], str | None]
    now: Callable[[], datetime]
    patience: timedelta
    observer: Observer
    seconds: Callable[[], float] = elapsed
    _noted: bool | None = None  # unknown at first: an outage may be noted from before a restart
    _since: datetime | None = None  # which outage is watched
    _seen_at: float = 0.0  # when it was first seen, in `seconds`

    def job(self) -> Job:
        return Job("the watch over deliveries", self.watch)

    async def warnings(self) -> list[str]:
        """Why no message can be delivered, and what waits; nothing where messages can be. Raises StoreError."""
        why = self.deliveries.trouble or await self._lasting()
        if why is None:
            return []
        return [f"{why}; kept for delivery: {count((await self.deliveries.backlog()).refused, 'message')}"]

    async def _lasting(self) -> str | None:
        """What was noted, here or before a restart, and was not disproved by a delivery since."""
        if self.deliveries.outage is None and self.deliveries.has_delivered:
            return None
        for condition in (await self.ledger.conditions("delivery"))[:1]:
            return f"Slack takes no message since {condition.since:%Y-%m-%d %H:%M} UTC ({condition.detail})"
        return None

    async def watch(self) -> None:
        """Note an outage that lasts, and tell of it once it has ended. Raises StoreError."""
        outage, now = self.deliveries.outage, self.now()
        if outage:
            lasting = self._for_how_long(outage.since) >= self.patience.total_seconds()
            if (lasting or self.deliveries.trouble is not None) and not self._noted:
                log.error("no message is taken since %s: %s", outage.since.isoformat(timespec="seconds"), outage.why)
                detail = outage.why[:_DETAIL]
                await self.ledger.note("delivery", detail, outage.since)
                await self.ledger.tell("delivery", detail, None, plain(detail), now)
                self._noted = True
        elif self._noted is not False and self.deliveries.has_delivered:
            for condition in (await self.ledger.conditions("delivery"))[:1]:
                message = blocks.delivered_again(min(condition.since, now), condition.detail, now)
                await self.ledger.end("delivery", self.operations_channel(), message, now)
                self.observer.observe(Enqueued())
            self._noted = False

    def _for_how_long(self, since: datetime) -> float:
        if self._since != since:
            self._since, self._seen_at = since, self.seconds()
        return self.seconds() - self._seen_at

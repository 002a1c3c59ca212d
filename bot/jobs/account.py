"""One Cartesia account as it is known here: the figures of its days, and whether a reading is of this account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.budget.account_change import bears, changed_at_once, mark_of
from bot.budget.forecast import REMEMBERED
from bot.budget.history import Curves
from bot.cartesia.shared import SharedReadings
from bot.errors import AnotherAccount
from bot.events import Enqueued, Observer
from bot.jobs.rules_in_force import RulesInForce
from bot.logs import ends, repeats
from bot.model import Message, Reading, Totals
from bot.slack import blocks
from bot.store.ledger import Ledger
from bot.windows import checked_span, utc_day
from bot.words import operations

log = logging.getLogger(__name__)


@dataclass
class Account:
    """What was read of one account. A reading whose past days all changed at once is doubted until another agrees."""

    usage: SharedReadings
    ledger: Ledger
    rules: RulesInForce
    now: Callable[[], datetime]
    observer: Observer
    curves: Curves = field(default_factory=dict)
    doubt: str = ""  # why the last reading was not taken for this account's
    _known: Mapping[date, Totals] | None = None

    async def start(self) -> None:
        """Take up what was read before a restart, here or by another process. Raises StoreError."""
        if last := await self._take_up():
            self.usage.remember(last)

    async def read(self) -> Reading:
        """Every day that a check judges. Raises CartesiaError."""
        return await self.usage.read_now(checked_span(self.now()))

    def last(self) -> Reading | None:
        """The last reading of these days; None where there is none, or where it may be of another account."""
        last = self.usage.last(checked_span(self.now()))
        return None if last is None or self._changed_at_once(last) else last

    async def take(self, reading: Reading) -> None:
        """Keep what it says, and that it is of this account. Raises AnotherAccount, StoreError."""
        changed = await self.recognize(reading)
        await self._keep(reading)
        await self._trust(changed)

    async def look_at(self, reading: Reading) -> None:
        """As `take`, and nothing is kept or told. Raises AnotherAccount, StoreError."""
        await self._take_up()
        if (changed := self._changed_at_once(reading)) and not await self._doubted_before(reading):
            raise AnotherAccount(operations.another_account(changed))

    async def recognize(self, reading: Reading) -> int:
        """How many past days have changed at once, as in the reading before. Raises AnotherAccount for the first one.

        Another process may have taken the change over meanwhile, so the database is asked before a reading is doubted.
        """
        if self._known is None or self._changed_at_once(reading):
            await self._take_up()
        changed = self._changed_at_once(reading)
        if changed and not await self._doubted_before(reading):
            await self._doubt(reading, blocks.another_account(changed))
        return changed

    def lacking(self, reading: Reading) -> list[date]:
        """The days with usage that have no bucket this time: sums over them would be too small, which says nothing."""
        known = self._known or {}
        lacking = [day for day in reading.missing(reading.span) if known.get(day, Totals()) != Totals()]
        if lacking:
            days = ", ".join(map(str, lacking[-3:]))
            log.warning(
                "Cartesia sent no figure for %s, which had one; no budget over these days is judged",
                days,
                extra=repeats("figures", days),
            )
        else:
            log.info("Cartesia sends every figure that it had again", extra=ends("figures"))
        return lacking

    def forget(self) -> None:
        """Another process reads now, so what is known here grows old."""
        self._known = None

    async def _take_up(self) -> Reading | None:
        last = await self.ledger.last_reading(checked_span(self.now()))
        self.curves = await self.ledger.curves(utc_day(self.now() - REMEMBERED))
        self._known = last.days if last else {}
        return last

    def _changed_at_once(self, reading: Reading) -> int:
        return changed_at_once(self._known or {}, reading)

    async def _doubted_before(self, reading: Reading) -> bool:
        """Whether an earlier reading was, and this one agrees with it; several who check may share one reading."""
        noted = await self.ledger.conditions("account")
        return any(each.told and each.since != reading.read_at and bears(reading, each.detail) for each in noted)

    async def _doubt(self, reading: Reading, words: Message) -> None:
        """Tell of it once, however many such readings disagree with each other, and remember this one."""
        now, mark, operations = self.now(), mark_of(reading), self.rules.current.operations_channel
        told = any(each.told for each in await self.ledger.conditions("account"))
        await self.ledger.note("account", mark, reading.read_at)
        await self.ledger.tell("account", mark, None if told else operations, words, now)
        await self.ledger.end("account", None, words, now, but=mark)
        self.doubt = words.text
        self.observer.observe(Enqueued())
        raise AnotherAccount(words.text)

    async def _trust(self, changed: int) -> None:
        """The reading is kept: what was doubted before it, here or by another process, is over."""
        self.doubt = ""
        if await self.ledger.conditions("account"):
            message = blocks.taken_over() if changed else blocks.as_before()
            log.warning("%s", message.text)
            await self.ledger.end("account", self.rules.current.operations_channel, message, self.now())
            self.observer.observe(Enqueued())

    async def _keep(self, reading: Reading) -> None:
        known, today = self._known or {}, utc_day(reading.read_at)
        await self.ledger.record_reading(reading, known)
        if today in reading.days and known.get(today) != reading.days[today]:
            self.curves.setdefault(today, []).append((reading.read_at, reading.days[today]))
        oldest = utc_day(reading.read_at - REMEMBERED)
        self.curves = {day: curve for day, curve in self.curves.items() if day >= oldest}
        self._known = {**known, **reading.days}

"""One check: read, evaluate, decide, record. Delivery is another loop (deliver.py)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.budget.decide import Decision, Said, decide
from bot.budget.evaluate import evaluate, windows_judged
from bot.budget.sums import Sums
from bot.cartesia.shared import SharedReadings
from bot.model import Reading, Totals
from bot.rules.home import RulesInForce
from bot.rules.models import Rules
from bot.slack import blocks
from bot.store.ledger import Ledger, Saying
from bot.windows import checked_span

log = logging.getLogger(__name__)


def judge(rules: Rules, since: Mapping[str, datetime], reading: Reading, said: Said, now: datetime) -> list[Decision]:
    """The decisions this reading calls for: what runs in production, in `check --dry-run` and in tests alike."""
    return decide(evaluate(rules.rules, Sums(reading), since, now), said)


@dataclass
class Checker:
    """The check, and the watch over whether the bot sees. `told` is called when the outbox received something."""

    rules: RulesInForce
    usage: SharedReadings
    ledger: Ledger
    now: Callable[[], datetime]
    told: Callable[[], None]
    blind_for: timedelta
    beat: Callable[[], None]
    last_good: datetime | None = None
    _known: Mapping[date, Totals] = field(default_factory=dict)
    _watching_since: datetime | None = None
    _failing: bool = True  # until shown otherwise: a condition may be noted from before a restart
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Take up what was read before a restart. Raises StoreError."""
        if last := await self.ledger.last_reading(checked_span(self.now())):
            self._known = last.days
            self.usage.remember(last)

    async def check(self) -> list[Decision]:
        """Read usage and judge it. Raises CartesiaError, StoreError."""
        reading = await self.usage.read_now(checked_span(self.now()))
        async with self._one_at_a_time:
            await self.ledger.record_reading(reading, self._known)
            self._known = {**self._known, **reading.days}
            decisions = await self._judge(reading)
        await self._sees()
        self.beat()
        return decisions

    async def judge_again(self) -> None:
        """Judge the last reading by rules that have just taken force, without asking Cartesia. Raises StoreError."""
        if last := self.usage.last(checked_span(self.now())):
            async with self._one_at_a_time:
                await self._judge(last)

    async def watch_sight(self) -> None:
        """Tell the operations channel once when there was no good reading for too long. Raises StoreError."""
        outage, now = self.usage.outage, self.now()
        self._watching_since = self._watching_since or now
        last_good = self.last_good or self._watching_since
        if not self._failing and (outage or now - last_good >= self.blind_for):
            self._failing = True
            await self.ledger.note("usage", "", last_good)
        if not self._failing:
            return
        noted = await self.ledger.conditions("usage")
        since = noted[0].since if noted else last_good
        if not (now - since >= self.blind_for or (outage and outage.hopeless)):
            return
        if noted and noted[0].told:
            return
        why = outage.why if outage else "Cartesia has not answered yet."
        log.error("blind since %s: %s", since.isoformat(timespec="seconds"), why)
        await self.ledger.note("usage", "", since)
        await self.ledger.tell("usage", "", self._operations(), blocks.blind(since, why), now)
        self.told()

    def look_away(self) -> None:
        """Another process reads now: how long this one has seen nothing means nothing."""
        self._watching_since = self.last_good = None
        self._failing = True

    async def _judge(self, reading: Reading) -> list[Decision]:
        now, rules = self.now(), self.rules.current
        said = await self.ledger.said_within(list(windows_judged(now)))
        decisions = judge(rules, self.rules.since, reading, said, now)
        for decision in decisions:
            if decision.reason.speaks:
                await self._say(decision, reading)
        return decisions

    async def _say(self, decision: Decision, reading: Reading) -> None:
        rule = decision.standing.rule
        saying = Saying(
            decision,
            self.rules.current.channel_of(rule),
            post=blocks.alert(decision, reading),
            reply=blocks.raised(decision, reading),
        )
        if await self.ledger.record(saying, self.now()):
            log.info("%s %s: %s", decision.reason, rule.name, blocks.headline(decision.standing))
            self.told()

    async def _sees(self) -> None:
        self.last_good = self.now()
        if self._failing:
            noted = await self.ledger.conditions("usage")
            if noted:
                message = blocks.sees_again(noted[0].since, self.last_good)
                await self.ledger.end("usage", self._operations(), message, self.last_good)
                self.told()
            self._failing = False

    def _operations(self) -> str | None:
        return self.rules.current.operations_channel

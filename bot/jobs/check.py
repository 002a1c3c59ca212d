"""One check: read, evaluate, decide, record. Delivery is another loop (deliver.py)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.budget.account_change import bears, changed_at_once, mark_of
from bot.budget.decide import Decision, Reason, after, decide
from bot.budget.evaluate import Inputs, Standing, evaluate, standing_in, windows_judged
from bot.budget.forecast import REMEMBERED
from bot.budget.history import Curves
from bot.budget.incident import Incidents
from bot.budget.sums import Sums
from bot.cartesia.shared import SharedReadings
from bot.clock import elapsed
from bot.errors import AnotherAccount
from bot.events import Checked, Enqueued, Observer
from bot.jobs.rules_in_force import RulesInForce
from bot.logs import ends, repeats
from bot.model import Message, Reading, Totals
from bot.rules.models import Rule, Rules
from bot.slack import alerts, blocks
from bot.store.incidents import IncidentKey, IncidentStore, Notification, StoredIncident
from bot.store.ledger import Ledger
from bot.windows import Window, checked_span, midnight, utc_day

log = logging.getLogger(__name__)


def judge(
    rules: Rules,
    since: Mapping[str, datetime],
    inputs: Inputs,
    incidents: Incidents,
    gone: Mapping[IncidentKey, Rule],
    now: datetime,
) -> list[Decision]:
    """The decisions this reading calls for: what runs in production, in `check --dry-run` and in tests alike.

    `gone` are the open incidents that no rule judges by itself any more, with the rule as it is or was.
    """
    standings = evaluate(rules.rules, inputs, since, now)
    judged = {(each.rule.name, each.window) for each in standings}
    left = (_left_behind(rules, rule, key, inputs) for key, rule in gone.items() if key not in judged)
    return decide([*standings, *(each for each in left if each)], incidents, now)


def _left_behind(rules: Rules, rule: Rule, key: IncidentKey, inputs: Inputs) -> Standing | None:
    """Of a window that was over long ago, or of a rule that was renamed, removed or given another period."""
    window = key[1]
    found = standing_in(rule, window, inputs)
    if rules.watches(*key):
        return found
    closed = midnight(window.end) <= inputs.sums.reading.read_at
    return replace(found or Standing(rule, window, Totals(), None, None, closed), removed=True)


def _within(window: Window, days: list[date]) -> bool:
    return any(window.start <= day < window.end for day in days)


@dataclass
class Checker:
    """The check, and the watch over whether the bot sees; `observer` is told what it did.

    `now` dates what is judged and said; for how long nothing was read is counted in `seconds`, which do not leap.
    """

    rules: RulesInForce
    usage: SharedReadings
    ledger: Ledger
    incidents: IncidentStore
    now: Callable[[], datetime]
    observer: Observer
    blind_for: timedelta
    seconds: Callable[[], float] = elapsed
    _known: Mapping[date, Totals] | None = None
    _curves: Curves = field(default_factory=dict)
    _seen_at: float | None = None  # by `seconds`: the last good reading, or since when one is waited for
    _failing: bool = True  # until shown otherwise: a condition may be noted from before a restart
    _why: str = ""  # the last reading was not judged
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _freshness: asyncio.Lock = field(default_factory=asyncio.Lock)  # what begins and ends is noted in order

    async def start(self) -> None:
        """Take up what was read before a restart, here or by another process. Raises StoreError."""
        if last := await self._take_up():
            self.usage.remember(last)

    async def check(self) -> list[Decision]:
        """Read usage and judge it. Raises CartesiaError, also where the reading is not judged, and StoreError."""
        reading = await self.usage.read_now(checked_span(self.now()))
        async with self._one_at_a_time:
            changed = await self._recognize(reading)
            await self._keep(reading)
            await self._trust(changed)
            decisions = await self._judge(reading, reading.read_at)  # one moment a check, however long it takes
        await self._sees()
        self.observer.observe(Checked())
        return decisions

    async def foresee(self, reading: Reading) -> list[Decision]:
        """What a check of this reading would decide; nothing is recorded or sent. Raises AnotherAccount, StoreError."""
        await self._take_up()
        if (changed := self._changed_at_once(reading)) and not await self._doubted_before(reading):
            raise AnotherAccount(blocks.another_account(changed).text)
        stored = await self.incidents.watched(list(windows_judged(self.now())))
        return await self._decide(reading, stored, self.now())

    async def judge_again(self) -> None:
        """Judge the last reading by rules that have just taken force, without asking Cartesia. Raises StoreError."""
        last = self.usage.last(checked_span(self.now()))
        if last and not self._changed_at_once(last):
            async with self._one_at_a_time:
                await self._judge(last, self.now())

    async def watch_freshness(self, now: datetime, at: float) -> None:
        """Tell the operations channel once when there was no good reading for too long. Raises StoreError.

        `at` is the same moment as `now`, in `seconds`.
        """
        async with self._freshness:
            await self._watch(now, at)

    def look_away(self) -> None:
        """Another process reads now: how long this one has seen nothing means nothing, and what it knew grows old.

        A check that somebody asked for here goes by what it knew.
        """
        self._seen_at = None
        if not self._one_at_a_time.locked():
            self._known = None
        self._failing = True

    async def _take_up(self) -> Reading | None:
        last = await self.ledger.last_reading(checked_span(self.now()))
        self._curves = await self.ledger.curves(utc_day(self.now() - REMEMBERED))
        self._known = last.days if last else {}
        return last

    async def _recognize(self, reading: Reading) -> int:
        """How many past days have changed at once, as in the reading before. Raises AnotherAccount for the first one.

        Another process may have taken the change over meanwhile, so the database is asked before a reading is doubted.
        """
        if self._known is None or self._changed_at_once(reading):
            await self._take_up()
        changed = self._changed_at_once(reading)
        if changed and not await self._doubted_before(reading):
            await self._doubt(reading, blocks.another_account(changed))
        return changed

    def _changed_at_once(self, reading: Reading) -> int:
        return changed_at_once(self._known or {}, reading)

    async def _doubted_before(self, reading: Reading) -> bool:
        """Whether an earlier reading was, and this one agrees with it; several who check may share one reading."""
        noted = await self.ledger.conditions("account")
        return any(each.told and each.since != reading.read_at and bears(reading, each.detail) for each in noted)

    async def _doubt(self, reading: Reading, words: Message) -> None:
        """Tell of it once, however many such readings disagree with each other, and remember this one."""
        now, mark = self.now(), mark_of(reading)
        told = any(each.told for each in await self.ledger.conditions("account"))
        await self.ledger.note("account", mark, reading.read_at)
        await self.ledger.tell("account", mark, None if told else self._operations(), words, now)
        await self.ledger.end("account", None, words, now, but=mark)
        self._why = words.text
        self.observer.observe(Enqueued())
        raise AnotherAccount(words.text)

    async def _trust(self, changed: int) -> None:
        """The reading is kept: what was doubted before it, here or by another process, is over."""
        self._why = ""
        if await self.ledger.conditions("account"):
            message = blocks.taken_over() if changed else blocks.as_before()
            log.warning("%s", message.text)
            await self.ledger.end("account", self._operations(), message, self.now())
            self.observer.observe(Enqueued())

    async def _keep(self, reading: Reading) -> None:
        known, today = self._known or {}, utc_day(reading.read_at)
        await self.ledger.record_reading(reading, known)
        if today in reading.days and known.get(today) != reading.days[today]:
            self._curves.setdefault(today, []).append((reading.read_at, reading.days[today]))
        oldest = utc_day(reading.read_at - REMEMBERED)
        self._curves = {day: curve for day, curve in self._curves.items() if day >= oldest}
        self._known = {**known, **reading.days}

    async def _judge(self, reading: Reading, now: datetime) -> list[Decision]:
        stored = await self.incidents.watched(list(windows_judged(now)))
        decisions = await self._decide(reading, stored, now)
        for decision in decisions:
            if decision.reason.speaks or decision.refreshes:
                key = (decision.standing.rule.name, decision.standing.window)
                await self._say(decision, reading, stored.get(key), now)
            else:
                log.debug("%s: nothing is said (%s)", decision.standing.rule.name, decision.reason)
        return decisions

    async def _decide(
        self, reading: Reading, stored: Mapping[IncidentKey, StoredIncident], now: datetime
    ) -> list[Decision]:
        rules = self.rules.current
        inputs = Inputs(Sums(reading), self._curves, await self.rules.events_behind(stored))
        states = {key: each.state for key, each in stored.items()}
        found = judge(rules, self.rules.since, inputs, states, await self.rules.behind(stored), now)
        lacking = self._lacking(reading)
        return [each for each in found if each.standing.removed or not _within(each.standing.window, lacking)]

    def _lacking(self, reading: Reading) -> list[date]:
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

    async def _say(self, decision: Decision, reading: Reading, stored: StoredIncident | None, now: datetime) -> None:
        rule = decision.standing.rule
        state = after(decision, now)
        assert state is not None  # noqa: S101 whoever speaks or refreshes has an incident
        history = alerts.UsageHistory(reading, self._curves)
        base_message = alerts.base_message(decision, history)
        channel = stored.channel if stored else self.rules.current.channel_of(rule)
        escalates = rule.escalate if decision.reason is Reason.ESCALATED else None
        notification = Notification(
            decision,
            stored,
            state,
            channel,
            base_message,
            post=lambda number: alerts.in_state(base_message, state, number),
            revision=self.rules.revision if stored is None or self.rules.judges(stored.key) else stored.revision,
            read_at=reading.read_at,
            reply=alerts.reply(decision, history) if decision.reason.speaks else None,
            copy=(escalates.channel, alerts.escalation(decision, history, channel)) if escalates else None,
        )
        if await self.incidents.record(notification, now):
            if decision.reason.speaks:
                log.info("%s %s: %s", decision.reason, rule.name, alerts.headline(decision.standing))
            self.observer.observe(Enqueued())

    async def _watch(self, now: datetime, at: float) -> None:
        outage = self.usage.outage
        if self._seen_at is None:
            self._seen_at = at - await self._unseen_before(now)
        unseen = timedelta(seconds=at - self._seen_at)
        lasts = unseen >= self.blind_for
        if not self._failing and (outage or lasts):
            self._failing = True
            await self.ledger.note("usage", "", now - unseen)
        if self._failing and (lasts or (outage and outage.hopeless)):
            await self._tell_blindness(now - unseen, now)

    async def _tell_blindness(self, since: datetime, now: datetime) -> None:
        if any(noted.told for noted in await self.ledger.conditions("usage")):
            return
        why = self.usage.outage.why if self.usage.outage else self._why or "Cartesia has not answered yet."
        log.error("blind since %s: %s", since.isoformat(timespec="seconds"), why)
        await self.ledger.note("usage", "", since)
        await self.ledger.tell("usage", "", self._operations(), blocks.blind(since, why), now)
        self.observer.observe(Enqueued())

    async def _unseen_before(self, now: datetime) -> float:
        """Seconds without a reading before this process watched, as noted; not fewer than none, where the clock went
        back since."""
        noted = await self.ledger.conditions("usage")
        return max(0.0, (now - noted[0].since).total_seconds()) if noted else 0.0

    async def _sees(self) -> None:
        async with self._freshness:
            self._seen_at, now = self.seconds(), self.now()
            if self._failing:
                noted = await self.ledger.conditions("usage")
                if noted:
                    message = blocks.sees_again(min(noted[0].since, now), now)
                    await self.ledger.end("usage", self._operations(), message, now)
                    self.observer.observe(Enqueued())
                self._failing = False

    def _operations(self) -> str | None:
        return self.rules.current.operations_channel

"""One check: read, evaluate, decide, record. Delivery is another loop (deliver.py)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.budget.decide import Decision, Reason, after, decide
from bot.budget.evaluate import Inputs, Standing, evaluate, standing_in, windows_judged
from bot.budget.explain import explain
from bot.budget.incident import Incidents
from bot.budget.sums import Sums
from bot.cartesia.shared import SharedReadings
from bot.clock import elapsed
from bot.events import Checked, Enqueued, Observer
from bot.jobs.account import Account
from bot.jobs.freshness import Freshness
from bot.jobs.rules_in_force import RulesInForce
from bot.model import Reading, Totals
from bot.rules.models import Rule, Rules
from bot.slack import alerts
from bot.store.database import Database
from bot.store.incidents import IncidentKey, IncidentStore, Notification, StoredIncident
from bot.store.ledger import Ledger
from bot.windows import Window, midnight
from bot.words.alerts import headline

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
    """The check of one account: read, judge, record. `now` dates what is judged and said."""

    account: Account
    freshness: Freshness
    rules: RulesInForce
    incidents: IncidentStore
    now: Callable[[], datetime]
    observer: Observer
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def check(self) -> list[Decision]:
        """Read usage and judge it. Raises CartesiaError, also where the reading is not judged, and StoreError."""
        reading = await self.account.read()
        async with self._one_at_a_time:
            await self.account.take(reading)
            decisions = await self._judge(reading, reading.read_at)  # one moment a check, however long it takes
        await self.freshness.note_reading()
        self.observer.observe(Checked())
        return decisions

    async def judge_again(self) -> None:
        """Judge the last reading by rules that have just taken force, without asking Cartesia. Raises StoreError."""
        if last := self.account.last():
            async with self._one_at_a_time:
                await self._judge(last, self.now())

    async def foresee(self, reading: Reading) -> list[Decision]:
        """What a check of this reading would decide; nothing is recorded or sent. Raises AnotherAccount, StoreError."""
        await self.account.look_at(reading)
        return await self._decide(reading, await self._watched(self.now()), self.now())

    def look_away(self) -> None:
        """Another process reads now. A check that somebody asked for here goes by what it knew."""
        self.freshness.look_away()
        if not self._one_at_a_time.locked():
            self.account.forget()

    async def _judge(self, reading: Reading, now: datetime) -> list[Decision]:
        stored = await self._watched(now)
        decisions = await self._decide(reading, stored, now)
        await self._record(decisions, reading, stored, now)
        return decisions

    async def _watched(self, now: datetime) -> Mapping[IncidentKey, StoredIncident]:
        return await self.incidents.watched(list(windows_judged(now)))

    async def _decide(
        self, reading: Reading, stored: Mapping[IncidentKey, StoredIncident], now: datetime
    ) -> list[Decision]:
        rules = self.rules.current
        inputs = Inputs(Sums(reading), self.account.curves, await self.rules.events_behind(stored))
        states = {key: each.state for key, each in stored.items()}
        found = judge(rules, self.rules.since, inputs, states, await self.rules.behind(stored), now)
        lacking = self.account.lacking(reading)
        return [each for each in found if each.standing.removed or not _within(each.standing.window, lacking)]

    async def _record(
        self,
        decisions: list[Decision],
        reading: Reading,
        stored: Mapping[IncidentKey, StoredIncident],
        now: datetime,
    ) -> None:
        for decision in decisions:
            if decision.reason.speaks or decision.refreshes:
                key = (decision.standing.rule.name, decision.standing.window)
                await self._say(decision, reading, stored.get(key), now)
            else:
                log.debug("%s: nothing is said (%s)", decision.standing.rule.name, decision.reason)

    async def _say(self, decision: Decision, reading: Reading, stored: StoredIncident | None, now: datetime) -> None:
        rule = decision.standing.rule
        state = after(decision, now)
        assert state is not None  # noqa: S101 whoever speaks or refreshes has an incident
        facts = explain(decision, reading, self.account.curves)
        base_message = alerts.base_message(facts)
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
            reply=alerts.reply(facts) if decision.reason.speaks else None,
            copy=(escalates.channel, alerts.escalation(facts, channel)) if escalates else None,
        )
        if await self.incidents.record(notification, now):
            if decision.reason.speaks:
                log.info("%s %s: %s", decision.reason, rule.name, headline(decision.standing))
            self.observer.observe(Enqueued())


def checker_of(
    usage: SharedReadings,
    rules: RulesInForce,
    database: Database,
    blind_for: timedelta,
    now: Callable[[], datetime],
    observer: Observer,
    seconds: Callable[[], float] = elapsed,
) -> Checker:
    """The check of the account that `usage` reads."""
    ledger = Ledger(database)
    account = Account(usage, ledger, rules, now, observer)
    freshness = Freshness(account, ledger, blind_for, now, observer, seconds)
    return Checker(account, freshness, rules, IncidentStore(database), now, observer)

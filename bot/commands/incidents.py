"""What people do about an incident, and why it was told: acknowledge, snooze, undo, and the whole account of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from bot.budget import kinds
from bot.budget.decide import Decision, decide
from bot.budget.evaluate import Inputs, standing_in
from bot.budget.forecast import REMEMBERED
from bot.budget.history import Readings, Recorded
from bot.budget.incident import Acknowledgement, Incident, LevelKey, Severity, Snooze
from bot.budget.sums import Sums
from bot.commands.answer import AlertsAnswer, ReplayedDecision, Snoozed, Sorry, WhyAnswer
from bot.commands.typed.name_matching import meant, near, number_in, split
from bot.commands.typed.snooze_end import (
    EXAMPLES,
    LONGEST,
    SHORTEST,
    Lasting,
    MinutesOrAmount,
    NextLevel,
    Reaching,
    Tomorrow,
    Until,
    parse_until,
    tomorrow_from,
    typed_amount,
)
from bot.commands.typed.user_input import Words, typed_of, words_of
from bot.events import Enqueued, Observer
from bot.jobs.rules_in_force import RulesInForce
from bot.model import Act, Message, Metric
from bot.money import amount, set_amount
from bot.rules.models import Rule
from bot.slack import alerts
from bot.store.acts import Claim
from bot.store.incidents import IncidentStore, StoredIncident
from bot.store.ledger import Ledger
from bot.windows import checked_span, utc_day
from bot.words.units import utc_moment

LISTED = 10  # alerts
NO_ALERT = "There is no alert {}: `alerts` lists the last ones with their numbers."


class NotUnderstoodError(ValueError):
    """What a person typed can't be done; the text says what to write instead."""


@dataclass
class IncidentActions:
    """Acts on incidents by their number."""

    incidents: IncidentStore
    ledger: Ledger
    rules: RulesInForce
    now: Callable[[], datetime]
    observer: Observer

    async def acknowledge(self, number: int, act: Act) -> str | None:
        """Nothing more is reminded of or escalated. A sentence where that is not possible.

        Raises DoneBefore, StoreError.
        """
        acknowledged = Acknowledgement(act.by, self.now())

        def change(stored: StoredIncident) -> Incident | None:
            if stored.state.acknowledged or stored.state.closed:
                return None
            return replace(stored.state, acknowledged=acknowledged)

        claim = Claim.of(act, _acknowledging(number))
        return await self._act(number, change, lambda _: alerts.acknowledged(act.by), claim)

    async def done_by(self, number: int) -> frozenset[str]:
        """Who acknowledged or snoozed it. Raises StoreError."""
        stored = await self.incidents.numbered(number)
        return _done_by(stored.state) if stored else frozenset()

    async def undo(self, number: int, act: Act, *, others: bool) -> str | None:
        """Neither acknowledged nor snoozed, also where `others` did that and they are let.

        A sentence where that is not possible. Raises DoneBefore, StoreError.
        """

        def change(stored: StoredIncident) -> Incident | None:
            done_by = _done_by(stored.state)
            if stored.state.closed or not done_by or not (others or done_by <= {act.by}):
                return None
            return replace(stored.state, acknowledged=None, snooze=None)

        claim = Claim.of(act, _acknowledging(number), _snoozing(number))
        return await self._act(number, change, lambda _: alerts.undone(act.by), claim)

    async def snooze(self, number: int, act: Act, until: Until) -> str | None:
        """Quiet for the alert of this number. A sentence where that is not possible.

        Raises NotUnderstoodError with what to write instead, DoneBefore, StoreError.
        """
        stored = await self.incidents.numbered(number)
        if stored is None:
            return NO_ALERT.format(number)
        done = await self._quiet(stored, act, until)
        return done.sentence if isinstance(done, Sorry) else None

    async def snooze_typed(self, typed: str, act: Act) -> Snoozed | Sorry:
        """The same for an alert and a time as they were typed: "Daily spend for 2 hours"."""
        names = await self._names()
        alert, rest = split(words_of(typed), names)
        if not alert:
            raise NotUnderstoodError("Say which alert, by its number or name, before until when: `snooze NAME 1 hour`.")
        stored = await self._meant(alert, names)
        if until := parse_until(rest):
            return await self._quiet(stored, act, until)
        if rest:
            raise NotUnderstoodError(f"“{typed_of(rest)[:60]}” is neither a time nor an amount: write {EXAMPLES}.")
        raise NotUnderstoodError(f"Say until when: {EXAMPLES}.")

    async def modal(self, number: int) -> dict[str, object] | None:
        """The view that asks for an amount; None where the incident is gone. Raises StoreError."""
        stored = await self.incidents.numbered(number)
        rule = await self.rules.rule_of(stored.key, stored.revision) if stored else None
        return alerts.amount_modal(number, rule, stored.state.shown) if stored and rule else None

    async def last_alerts(self) -> AlertsAnswer:
        """The newest incidents. Raises StoreError."""
        return AlertsAnswer(
            tuple((stored.id, stored.state, stored.base_message) for stored in await self.incidents.latest(LISTED))
        )

    async def why(self, typed: str) -> WhyAnswer:
        """The account of one incident: each decision with its figures and its rule, replayed, and each message.

        Raises NotUnderstoodError where no alert is called so, StoreError.
        """
        stored = await self._meant(words_of(typed), await self._names())
        recorded = await self.incidents.decisions_of(stored.id)
        past = Readings(await self.ledger.rows(min(map(_looks_back_to, recorded), default=utc_day(self.now()))))
        decisions = [await self._replayed_decision(stored, each, past) for each in recorded]
        deliveries = await self.incidents.deliveries_of(stored.id)
        return WhyAnswer(stored.id, *stored.key, tuple(decisions), tuple(deliveries))

    async def _names(self) -> dict[str, int | None]:
        """The newest alert of each name that has one, and the names of the rules that have none yet."""
        return {**dict.fromkeys(rule.name for rule in self.rules.current.rules), **await self.incidents.newest()}

    async def _meant(self, words: Words, names: Mapping[str, int | None]) -> StoredIncident:
        """The alert that these words name. Raises NotUnderstoodError with what to write instead."""
        number = number_in(words)
        if number and (stored := await self.incidents.numbered(number)):
            return stored
        called = meant(words, names)
        if len(called) > 1:
            raise NotUnderstoodError(_which(called, names))
        if not called:
            raise NotUnderstoodError(_nobody(words, names))
        newest = names[called[0]]
        stored = await self.incidents.numbered(newest) if newest else None
        if stored is None:
            raise NotUnderstoodError(f"“{called[0]}” has no alert yet; `budgets` shows where it stands.")
        return stored

    async def _replayed_decision(self, stored: StoredIncident, recorded: Recorded, past: Readings) -> ReplayedDecision:
        await asyncio.sleep(0)  # an incident of a month has dozens, and each is judged anew
        rules = await self.rules.as_of(recorded.revision)
        rule = rules.named(stored.key[0])
        reading = past.at(recorded.read_at, checked_span(recorded.at))
        if rule is None or reading is None:
            return ReplayedDecision(recorded, rule, None)
        curves = past.curves(recorded.read_at, utc_day(recorded.read_at - REMEMBERED))
        inputs = Inputs(Sums(replace(reading, read_at=recorded.read_at)), curves, rules.expected_in)
        return ReplayedDecision(recorded, rule, replay(recorded, rule, stored, inputs))

    async def _act(
        self,
        number: int,
        change: Callable[[StoredIncident], Incident | None],
        reply: Callable[[StoredIncident], Message],
        claim: Claim,
    ) -> str | None:
        acted = await self.incidents.act(
            number,
            change,
            lambda stored: alerts.in_state(stored.base_message, stored.state, stored.id),
            reply,
            claim,
            self.now(),
        )
        if acted is None:
            return NO_ALERT.format(number)
        self.observer.observe(Enqueued())
        return f"Alert {number} is closed: there is nothing left to do about it." if acted.state.closed else None

    async def _quiet(self, stored: StoredIncident, act: Act, until: Until) -> Snoozed | Sorry:
        rule = await self.rules.rule_of(stored.key, stored.revision)
        if rule is None:
            return Sorry(f"The rule of alert {stored.id} is no longer kept, so it can't be snoozed.")
        wanted = _snooze(Snooze(act.by, self.now(), ""), until, stored.state, rule)

        def change(stored: StoredIncident) -> Incident | None:
            return None if stored.state.closed else replace(stored.state, snooze=wanted)

        claim = Claim.of(act, _snoozing(stored.id))
        refusal = await self._act(stored.id, change, lambda _: alerts.snoozed(wanted), claim)
        return Sorry(refusal) if refusal else Snoozed(stored.id, wanted)


def _acknowledging(number: int) -> str:
    return f"alert {number} acknowledged"


def _snoozing(number: int) -> str:
    return f"alert {number} snoozed"


def _which(called: Sequence[str], names: Mapping[str, int | None]) -> str:
    """Names that differ only in how they are typed are told apart by their alerts' numbers."""
    listed = [f"“{name}” ({f'alert {names[name]}' if names[name] else 'no alert yet'})" for name in called]
    return f"Which one: {', '.join(listed[:-1])} or {listed[-1]}? Write the number of its alert."


def _nobody(words: Words, names: Iterable[str]) -> str:
    close = near(words, names)
    hint = f" Did you mean “{close}”?" if close else ""
    return NO_ALERT.format(f"“{typed_of(words)[:60]}”") + hint


def _snooze(fresh: Snooze, until: Until, state: Incident, rule: Rule) -> Snooze:
    """The snooze that is wanted, from one that says by whom and when. Raises NotUnderstoodError."""
    match until:
        case Tomorrow():
            return _until(fresh, tomorrow_from(fresh.at))
        case NextLevel():
            return replace(fresh, words="the next level", above=state.gravest or LevelKey(Severity.COMING, Decimal(0)))
        case Reaching(typed):
            return _up_to(fresh, typed, state, rule)
        case MinutesOrAmount(_, typed) if _counts_minutes(rule):
            raise NotUnderstoodError(f"“{typed}” can be a time or an amount: write `for {typed}` or `until {typed}`.")
        case Lasting(length) | MinutesOrAmount(length):
            if not SHORTEST <= length <= LONGEST:
                raise NotUnderstoodError(f"A snooze lasts from a minute to {LONGEST.days} days: write {EXAMPLES}.")
            return _until(fresh, fresh.at + length)


def _counts_minutes(rule: Rule) -> bool:
    return rule.metric in (Metric.MINUTES, Metric.MINUTES_PER_CALL) and kinds.of(rule).no_amount is None


def _until(fresh: Snooze, moment: datetime) -> Snooze:
    return replace(fresh, words=utc_moment(moment), until=moment)


def _up_to(fresh: Snooze, typed: str, state: Incident, rule: Rule) -> Snooze:
    if why := kinds.of(rule).no_amount:
        raise NotUnderstoodError(why)
    try:
        wanted = typed_amount(rule.metric, typed)
    except ValueError as error:
        raise NotUnderstoodError(str(error).replace("`", "")) from None
    stands = max(state.value, state.shown)
    if Fraction(wanted) <= stands:
        raise NotUnderstoodError(f"It stands at {amount(rule.metric, stands)} already; write more than that.")
    return replace(fresh, words=set_amount(rule.metric, wanted), amount=wanted)


def _done_by(state: Incident) -> frozenset[str]:
    return frozenset(each.by for each in (state.acknowledged, state.snooze) if each)


def _looks_back_to(recorded: Recorded) -> date:
    """The first day whose figures a check looked at when it decided this."""
    return min(checked_span(recorded.at).start, utc_day(recorded.read_at - REMEMBERED))


def replay(recorded: Recorded, rule: Rule, stored: StoredIncident, inputs: Inputs) -> Decision | None:
    """What the recorded inputs lead to: by the very functions that decided then. None without a figure."""
    standing = standing_in(rule, stored.key[1], inputs)
    if standing is None:
        return None
    before = {stored.key: recorded.before} if recorded.before else {}
    return decide([replace(standing, removed=recorded.removed)], before, recorded.at)[0]

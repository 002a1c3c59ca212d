"""What people do about an incident, and why it was told: acknowledge, snooze, undo, and the whole account of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.answers.answer import AlertsAnswer, Cause, Sorry, WhyAnswer
from bot.budget.decide import Decision, decide
from bot.budget.evaluate import Sight, standing_in
from bot.budget.incident import Acknowledgement, Incident, Kind, Snooze, Told
from bot.budget.sums import Sums
from bot.model import Message
from bot.money import amount
from bot.record import Recorded
from bot.rules import values
from bot.rules.home import RulesInForce
from bot.rules.models import Rule, SilenceRule
from bot.slack import alerts
from bot.store.incidents import IncidentStore, Kept
from bot.store.ledger import Ledger
from bot.windows import checked_span, midnight, utc_day

LISTED = 10  # alerts
_LOOKS_BACK = timedelta(weeks=9)  # of curves, as the check does

NO_ALERT = "There is no alert {}: `alerts` lists the last ones with their numbers."


class NotUnderstoodError(ValueError):
    """What a person typed can't be done; the text says what to write instead."""


@dataclass
class IncidentDesk:
    """Acts on incidents by their number. `told` is called when the outbox received something."""

    incidents: IncidentStore
    ledger: Ledger
    rules: RulesInForce
    now: Callable[[], datetime]
    told: Callable[[], None]

    async def acknowledge(self, number: int, by: str) -> str | None:
        """Nothing more is reminded of or escalated. A sentence where that is not possible. Raises StoreError."""
        at = self.now()

        def change(kept: Kept) -> Incident | None:
            if kept.state.acknowledged or kept.state.closed:
                return None
            return replace(kept.state, acknowledged=Acknowledgement(by, at))

        return await self._act(number, change, lambda _: alerts.acknowledged(by))

    async def undo(self, number: int, by: str) -> str | None:
        """Neither acknowledged nor snoozed. A sentence where that is not possible. Raises StoreError."""

        def change(kept: Kept) -> Incident | None:
            if kept.state.closed or not (kept.state.acknowledged or kept.state.snooze):
                return None
            return replace(kept.state, acknowledged=None, snooze=None)

        return await self._act(number, change, lambda _: alerts.undone(by))

    async def snooze(self, number: int, by: str, how: str) -> str | None:
        """Quiet for an "hour", until "tomorrow" (UTC), until the next "level", or until an amount as rules write it.

        Raises NotUnderstoodError with what to write instead, StoreError.
        """
        kept = await self.incidents.find(f"#{number}")
        rule = await self.rules.rule_of(kept.place, kept.revision) if kept else None
        if kept is None or rule is None:
            return NO_ALERT.format(number)
        wanted = self._snooze(how, by, kept.state, rule)

        def change(kept: Kept) -> Incident | None:
            return None if kept.state.closed else replace(kept.state, snooze=wanted)

        return await self._act(number, change, lambda _: alerts.snoozed(wanted))

    async def modal(self, number: int) -> dict[str, object] | None:
        """The view that asks for an amount; None where the incident is gone. Raises StoreError."""
        kept = await self.incidents.find(f"#{number}")
        rule = await self.rules.rule_of(kept.place, kept.revision) if kept else None
        return alerts.amount_modal(number, rule, kept.state.shown) if kept and rule else None

    async def last_alerts(self) -> AlertsAnswer:
        """The newest incidents. Raises StoreError."""
        return AlertsAnswer(tuple((kept.id, kept.state, kept.face) for kept in await self.incidents.latest(LISTED)))

    async def number_of(self, words: str) -> int | None:
        """The number of the incident named so, by number or by its rule's name. Raises StoreError."""
        found = await self.incidents.find(words)
        return found.id if found else None

    async def why(self, words: str) -> WhyAnswer | Sorry:
        """The account of one incident: each decision with its figures and its rule, replayed, and each message."""
        kept = await self.incidents.find(words)
        if kept is None:
            return Sorry(NO_ALERT.format(f"“{words[:60]}”"))
        recorded = await self.incidents.decisions_of(kept.id)
        causes = [await self._cause(kept, each) for each in recorded]
        deliveries = await self.incidents.deliveries_of(kept.id)
        return WhyAnswer(kept.id, *kept.place, tuple(causes), tuple(deliveries))

    async def _cause(self, kept: Kept, recorded: Recorded) -> Cause:
        rule = await self.rules.rule_in(kept.place[0], recorded.revision)
        replayed = await self._replay(kept, recorded, rule) if rule else None
        return Cause(recorded, rule, replayed)

    async def _replay(self, kept: Kept, recorded: Recorded, rule: Rule) -> Decision | None:
        """The same question asked again of the recorded figures; None where they are no longer kept."""
        span = checked_span(recorded.at)
        reading = await self.ledger.last_reading(span, recorded.read_at)
        if reading is None:
            return None
        curves = await self.ledger.curves(utc_day(recorded.read_at - _LOOKS_BACK), recorded.read_at)
        rules = await self.rules.as_of(recorded.revision)
        sight = Sight(Sums(replace(reading, read_at=recorded.read_at)), curves, rules.expected_in)
        return replay(recorded, rule, kept, sight)

    async def _act(
        self, number: int, change: Callable[[Kept], Incident | None], reply: Callable[[Kept], Message]
    ) -> str | None:
        acted = await self.incidents.act(
            number, change, lambda kept: alerts.in_state(kept.face, kept.state, kept.id), reply, self.now()
        )
        if acted is None:
            return NO_ALERT.format(number)
        self.told()
        return f"Alert {number} is closed: there is nothing left to do about it." if acted.state.closed else None

    def _snooze(self, how: str, by: str, state: Incident, rule: Rule) -> Snooze:
        now = self.now()
        if how == "hour":
            return Snooze(by, now, "in an hour", until=now + timedelta(hours=1))
        if how == "tomorrow":
            return Snooze(by, now, "tomorrow", until=midnight(utc_day(now) + timedelta(days=1)))
        if how == "level":
            return Snooze(by, now, "the next level", above=state.gravest or Told(Kind.COMING, Decimal(0)))
        if how == "":
            raise NotUnderstoodError("Say until when: `1 hour`, `tomorrow`, `next level`, or an amount such as $75.")
        if isinstance(rule, SilenceRule):
            raise NotUnderstoodError("A silence ends with the first usage: snooze it for 1 hour or until tomorrow.")
        wanted = _amount(rule, how)
        if Fraction(wanted) <= max(state.value, state.shown):
            stands = amount(rule.metric, max(state.value, state.shown))
            raise NotUnderstoodError(f"It stands at {stands} already; write more than that.")
        return Snooze(by, now, amount(rule.metric, wanted), amount=wanted)


def replay(recorded: Recorded, rule: Rule, kept: Kept, sight: Sight) -> Decision | None:
    """What the recorded inputs lead to: by the very functions that decided then. None without a figure."""
    standing = standing_in(rule, kept.place[1], sight)
    if standing is None:
        return None
    before = {kept.place: recorded.before} if recorded.before else {}
    return decide([replace(standing, removed=recorded.removed)], before, recorded.at)[0]


def _amount(rule: Rule, text: str) -> Decimal:
    """As rules write it; in dollars, too, where only a number is written."""
    bare = re.fullmatch(r"[0-9,]+(\.[0-9]+)?", text.strip())
    try:
        return values.amount(rule.metric, f"${bare[0]}" if bare and rule.metric.is_money else text.strip())
    except ValueError as error:
        raise NotUnderstoodError(str(error).replace("`", "")) from None

"""How the bot is: what `/readyz` and `/agent-usage status` say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.answers.answer import StatusAnswer
from bot.cartesia.shared import SharedReadings
from bot.deliver import Deliveries
from bot.errors import StoreError
from bot.money import count
from bot.rules.home import RulesInForce
from bot.store.leases import Presence
from bot.store.ledger import Ledger
from bot.windows import checked_span


@dataclass(frozen=True)
class Health:
    """Looks at the parts that can be ill."""

    ledger: Ledger
    presence: Presence
    deliveries: Deliveries
    rules: RulesInForce
    usage: SharedReadings
    interval: timedelta
    now: Callable[[], datetime]

    async def troubles(self) -> list[str]:
        """Every reason why the bot is not ready, as sentences; a bad rules file is none: the last good one holds."""
        try:
            backlog = await self.deliveries.backlog()
            blind = [condition for condition in await self.ledger.conditions("usage") if condition.told]
            silent = [condition for condition in await self.ledger.conditions("delivery") if condition.told][:1]
        except StoreError as error:
            return [str(error)]
        trouble = self.deliveries.trouble
        if trouble is None and silent and not self.deliveries.has_delivered:
            trouble = f"Slack takes no message since {silent[0].since:%Y-%m-%d %H:%M} UTC ({silent[0].detail})"
        unheard = [f"{trouble}; kept for delivery: {count(backlog.refused, 'message')}"] if trouble else []
        return unheard + [f"blind since {condition.since:%Y-%m-%d %H:%M} UTC{self._why()}" for condition in blind]

    async def status(self) -> StatusAnswer:
        """One line for each thing that matters, and whether it is well."""
        lines = [(False, trouble) for trouble in await self.troubles()]
        lines += [self._sight(), *self._rules()]
        try:
            waiting = await self.deliveries.pending()
        except StoreError:
            return StatusAnswer(tuple(lines))  # it is among the troubles
        words = f"{count(waiting, 'message')} to deliver" if waiting else "every message is delivered"
        return StatusAnswer((*lines, (not waiting, words)))

    def _sight(self) -> tuple[bool, str]:
        last, outage = self.usage.last(checked_span(self.now())), self.usage.outage
        if not self.presence.may_read:
            return True, "another replica reads usage"
        seen = f"usage was last read at {last.read_at:%Y-%m-%d %H:%M:%S} UTC" if last else "usage was not read yet"
        every = f"it is read every {self.interval.total_seconds():g} s"
        return outage is None and last is not None, f"{seen}; {every}{self._why()}"

    def _why(self) -> str:
        return f": {self.usage.outage.why}" if self.usage.outage else ""

    def _rules(self) -> list[tuple[bool, str]]:
        name = self.rules.file.path.name
        in_force = (True, f"{count(len(self.rules.current.rules), 'rule')} from {name} in force")
        return [in_force, *((False, mistake.format(name)) for mistake in self.rules.mistakes)]

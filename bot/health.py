"""How the bot is: what `/readyz` and `/agent-usage status` say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.answers.answer import StatusAnswer
from bot.cartesia.shared import SharedReadings
from bot.check import Checker
from bot.deliver import Deliveries
from bot.errors import StoreError
from bot.rules.home import RulesInForce
from bot.windows import checked_span


@dataclass(frozen=True)
class Health:
    """Looks at the parts that can be ill."""

    checker: Checker
    deliveries: Deliveries
    rules: RulesInForce
    usage: SharedReadings
    interval: timedelta
    now: Callable[[], datetime]

    async def troubles(self) -> list[str]:
        """Every reason why the bot is not ready, as sentences; a bad rules file is none: the last good one holds."""
        found = []
        try:
            backlog = await self.deliveries.backlog()
        except StoreError as error:
            found.append(str(error))
        else:
            if self.deliveries.trouble:
                found.append(f"{self.deliveries.trouble}; {backlog.waiting} messages wait")
        if self.checker.blind_since:
            why = self.usage.outage.why if self.usage.outage else ""
            found.append(f"blind since {self.checker.blind_since.isoformat(timespec='seconds')}: {why}")
        return found

    async def status(self) -> StatusAnswer:
        """One line for each thing that matters, and whether it is well."""
        lines = [(False, trouble) for trouble in await self.troubles()]
        lines += [self._sight(), *self._rules()]
        try:
            waiting = await self.deliveries.pending()
        except StoreError:
            return StatusAnswer(tuple(lines))  # it is among the troubles
        words = f"{waiting} messages wait for delivery" if waiting else "every message is delivered"
        return StatusAnswer((*lines, (not waiting, words)))

    def _sight(self) -> tuple[bool, str]:
        last, outage = self.usage.last(checked_span(self.now())), self.usage.outage
        seen = f"usage was last read at {last.read_at:%Y-%m-%d %H:%M:%S} UTC" if last else "usage was not read yet"
        every = f"it is read every {self.interval.total_seconds():g} seconds"
        why = f"; {outage.why}" if outage else ""
        return outage is None and last is not None, f"{seen}; {every}{why}"

    def _rules(self) -> list[tuple[bool, str]]:
        name = self.rules.file.path.name
        in_force = (True, f"{len(self.rules.current.rules)} rules from {name} are in force")
        return [in_force, *((False, mistake.format(name)) for mistake in self.rules.mistakes)]

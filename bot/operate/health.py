"""How the bot is: what `/readyz`, `/status` and `/agent-usage status` say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.cartesia.shared import SharedReadings
from bot.commands.answer import StatusAnswer, StatusLine
from bot.errors import StoreError
from bot.jobs.deliver import Deliveries
from bot.jobs.destinations import Destinations
from bot.jobs.rules_in_force import RulesInForce
from bot.money import count
from bot.store.leases import Lease
from bot.store.ledger import Ledger
from bot.store.outbox import Backlog
from bot.windows import checked_span

PATIENCE = 3.0  # seconds that a look may take before the database counts as lost
LATE = timedelta(minutes=2)  # that a message may wait for its turn: a channel takes about one a second

Source = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Report:
    """`reasons` why the bot can't take traffic, `warnings` of what does not work though it can, as sentences."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return not self.reasons

    @property
    def is_well(self) -> bool:
        return not self.reasons and not self.warnings

    def json(self) -> dict[str, object]:
        """The body of `/readyz` and of `/status`."""
        return {"ok": self.is_ready, "reasons": list(self.reasons), "warnings": list(self.warnings)}


@dataclass
class Health:
    """Asks every part that can be ill: a part has its own source of `reasons`, `warnings` or `remarks`.

    Reasons keep people's commands from the bot, so nothing that strangers or Cartesia do may be one. Remarks are for
    people only.
    """

    ledger: Ledger
    lease: Lease
    deliveries: Deliveries
    destinations: Destinations
    rules: RulesInForce
    usage: SharedReadings
    interval: timedelta
    now: Callable[[], datetime]
    reasons: tuple[Source, ...] = ()
    warnings: tuple[Source, ...] = ()
    remarks: tuple[Callable[[], Sequence[StatusLine]], ...] = ()
    patience: float = PATIENCE
    _looking: asyncio.Task[Report] | None = None

    async def report(self) -> Report:
        """A look at everything. Who asks meanwhile shares it: the endpoints are anybody's, and the database is not."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def status(self) -> StatusAnswer:
        """One line for each thing that matters, and whether it is well."""
        report = await self.report()
        troubles = (*report.reasons, *report.warnings)
        lines = [(False, sentence) for sentence in (*troubles, *self._destinations(troubles))]
        lines += [remark for source in self.remarks for remark in source()]
        lines += [self._freshness(), *self._rules()]
        try:
            async with asyncio.timeout(self.patience):
                lines.append(_delivery(await self.deliveries.backlog(), self.now()))
        except (StoreError, TimeoutError):
            pass  # it is among the reasons
        return StatusAnswer(tuple(lines))

    async def _look(self) -> Report:
        reasons: list[str] = []
        warnings: list[str] = []
        lost: list[str] = []
        try:
            async with asyncio.timeout(self.patience):
                for source in self.reasons:
                    reasons += await source()
                for source in (*self.warnings, self._blindness, self._doubts, self._wait):
                    try:
                        warnings += await source()
                    except StoreError as error:
                        lost.append(str(error))
        except TimeoutError:
            lost.append(f"The database did not answer within {self.patience:g} seconds.")
        return Report((*reasons, *lost[:1]), tuple(warnings))

    async def _blindness(self) -> list[str]:
        told = [condition for condition in await self.ledger.conditions("usage") if condition.told]
        return [f"blind since {condition.since:%Y-%m-%d %H:%M} UTC{self._why()}" for condition in told]

    async def _doubts(self) -> list[str]:
        doubted = await self.ledger.conditions("account")
        return ["the figures of past days changed all at once; the next reading decides"] if doubted else []

    async def _wait(self) -> list[str]:
        left = self.usage.asked_to_wait
        return [f"Cartesia asks to wait: usage is read again in {left:.0f} s"] if left > LATE.total_seconds() else []

    def _destinations(self, troubles: Sequence[str]) -> list[str]:
        """Channels that need somebody, but for those that a trouble begins with: it says more."""
        problems = self.destinations.problems
        return [each.sentence for each in problems if not any(t.startswith(f"{each.channel} ") for t in troubles)]

    def _freshness(self) -> StatusLine:
        last, outage = self.usage.last(checked_span(self.now())), self.usage.outage
        if not self.lease.may_read:
            return True, "another replica reads usage"
        seen = f"usage was last read at {last.read_at:%Y-%m-%d %H:%M:%S} UTC" if last else "usage was not read yet"
        every = f"it is read every {self.interval.total_seconds():g} s"
        return outage is None and last is not None, f"{seen}; {every}{self._why()}"

    def _why(self) -> str:
        return f": {self.usage.outage.why}" if self.usage.outage else ""

    def _rules(self) -> list[StatusLine]:
        name = self.rules.source.name
        in_force = (True, f"{count(len(self.rules.current.rules), 'rule')} from {name} in force")
        return [in_force, *((False, mistake.format(name)) for mistake in self.rules.mistakes)]


def _delivery(backlog: Backlog, now: datetime) -> StatusLine:
    """What waits for its turn is well; what Slack did not take, or what waits for too long, is not."""
    waiting = count(backlog.pending, "message")
    if not backlog.pending:
        return True, "every message is delivered"
    if backlog.refused:
        return False, f"{backlog.refused} of {waiting} to deliver not taken yet ({backlog.problem})"
    if backlog.untried_since and now - backlog.untried_since > LATE:
        return False, f"{waiting} to deliver, the oldest since {backlog.untried_since:%Y-%m-%d %H:%M} UTC"
    return True, f"{waiting} on the way; a channel takes about one a second"

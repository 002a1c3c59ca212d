"""A bot that checks and is clicked at, with a real store and real rules; only Cartesia and the clock are made up."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol, cast

import pytest
from sqlalchemy import select, update

from bot.budget.decide import Decision
from bot.cartesia.shared import SharedReadings
from bot.commands.answer import WhyAnswer
from bot.commands.incidents import IncidentActions
from bot.errors import CartesiaUnavailable
from bot.events import Observers
from bot.jobs.check import Checker, checker_of
from bot.jobs.rules_in_force import RulesInForce, Texts
from bot.model import Outage, Reading, Span, Totals
from bot.rules.source import RulesFile
from bot.slack import blocks
from bot.store.database import Database, open_database
from bot.store.incidents import IncidentStore
from bot.store.ledger import Ledger
from bot.store.tables import outbox
from bot.windows import utc_day

MORNING = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday
TODAY = MORNING.date()
HEAD = 'channel: "#voice-spend"\noperations_channel: "#voice-ops"\nrules:\n'


@dataclass
class Clock:
    """A clock that stands until it is moved. `seconds` have passed since it was made, however it was set."""

    moment: datetime = MORNING
    seconds: float = 0.0

    def __call__(self) -> datetime:
        return self.moment

    def elapsed(self) -> float:
        return self.seconds

    def go(self, **by: float) -> None:
        """Let so much time pass, as timedelta takes it."""
        self.moment += timedelta(**by)
        self.seconds += timedelta(**by).total_seconds()

    def go_to(self, words: str) -> None:
        """Let it be "26 00:05" of November 2026."""
        self.go(seconds=(_moment(words) - self.moment).total_seconds())

    def leap(self, **by: float) -> None:
        """Set it ahead, or back, while no time passes."""
        self.moment += timedelta(**by)


def _moment(words: str) -> datetime:
    return datetime.strptime(f"2026-11-{words}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@dataclass
class FakeUsage:
    """An account without a network: what `SharedReadings` is to a check. Every day it does not know is a zero."""

    clock: Clock
    days: dict[date, Totals] = field(default_factory=dict)
    missing: set[date] = field(default_factory=set)
    fails: bool = False
    takes: timedelta = timedelta(seconds=1)  # until the answer is there
    outage: Outage | None = None
    kept: Reading | None = None

    async def read_now(self, span: Span) -> Reading:
        if self.fails:
            self.fail_once()
            raise CartesiaUnavailable("Cartesia is not well (500).")
        self.outage = None
        days = {day: self.days.get(day, Totals()) for day in span.each_day() if day not in self.missing}
        self.kept = Reading(span, days, self.clock())
        self.clock.go(seconds=self.takes.total_seconds())
        return self.kept

    def fail_once(self) -> None:
        """One attempt of a reading has failed; another may follow."""
        self.outage = Outage(self.clock(), "Cartesia is not well (500).", hopeless=False)

    def last(self, span: Span) -> Reading | None:
        return self.kept if self.kept and self.kept.span.covers(span) else None

    def remember(self, reading: Reading) -> None:
        self.kept = reading

    def spend(self, dollars: float, day: date | None = None) -> None:
        """Let this be the day's cost (today's), with calls and minutes to it."""
        cents = round(dollars * 100)
        self.days[day or utc_day(self.clock())] = Totals(cents, Decimal(cents // 6), cents // 25)


@dataclass
class Bot:
    """One process's checker, and what clicks on its incidents do."""

    clock: Clock
    usage: FakeUsage
    database: Database
    rules: RulesInForce
    rules_file: Path
    incidents: IncidentStore
    checker: Checker
    actions: IncidentActions
    _heard: int = 0

    async def check(self, dollars: float | None = None, day: date | None = None) -> list[str]:
        """One check, when the day (today) stands at so much: what it says, each as "REASON rule"."""
        if dollars is not None:
            self.usage.spend(dollars, day)
        return spoken(await self.checker.check())

    async def watch(self) -> None:
        """One look at whether the bot sees."""
        await self.checker.freshness.watch(self.clock(), self.clock.elapsed())

    async def all_of(self, dollars: float | None = None) -> list[str]:
        """One check: every decision, also the silent ones."""
        if dollars is not None:
            self.usage.spend(dollars)
        return [f"{each.reason} {each.standing.rule.name}" for each in await self.checker.check()]

    async def write(self, rules: str) -> list[str]:
        """The rules file is saved like this and takes force; what is said at once."""
        self.rules_file.write_text(HEAD + rules)
        assert await self.rules.look()
        before = len(await self._recorded())
        await self.checker.judge_again()
        return (await self._recorded())[before:]

    async def hears(self) -> list[str]:
        """Slack takes what waits: each message as "action channel: first line", `aloud` where the channel sees it."""
        query = select(outbox).where(outbox.c.seq > self._heard).order_by(outbox.c.seq)
        async with self.database.writing() as connection:
            rows = (await connection.execute(query)).all()
            await connection.execute(update(outbox).values(state="delivered", posted_ts="1.1", posted_channel="C1"))
        self._heard = max((row.seq for row in rows), default=self._heard)
        return [
            f"{row.action}{' aloud' if row.broadcast else ''} {row.channel}: {first_line(row.body)}" for row in rows
        ]

    async def reasons(self, number: int = 1) -> list[str]:
        """Every decision on record for this incident."""
        return [each.reason.value for each in await self.incidents.decisions_of(number)]

    async def explains_itself(self) -> None:
        """Each decision on record leads to the same reason when its figures are judged again."""
        for stored in await self.incidents.latest(100):
            account = await self.actions.why(f"#{stored.id}")
            assert isinstance(account, WhyAnswer)
            recorded = [each.recorded.reason for each in account.decisions]
            assert [each.replayed and each.replayed.reason for each in account.decisions] == recorded
            assert recorded

    async def _recorded(self) -> list[str]:
        return [
            f"{each.reason} {stored.key[0]}"
            for stored in reversed(await self.incidents.latest(100))
            for each in await self.incidents.decisions_of(stored.id)
        ]


def spoken(decisions: list[Decision]) -> list[str]:
    return [f"{each.reason} {each.standing.rule.name}" for each in decisions if each.reason.speaks]


def first_line(body: str) -> str:
    return str(json.loads(body)["text"]).partition("\n")[0]


class Start(Protocol):
    """Starts a bot on this test's database; again for a restart, or for a second process."""

    async def __call__(self, rules: str | None = None, clock: Clock | None = None) -> Bot: ...


@contextlib.asynccontextmanager
async def starting(address: str, folder: Path) -> AsyncIterator[Start]:
    """Bots on one database, one rules file, one account, and one clock unless another is given."""
    clock, bots = Clock(), list[Bot]()
    usage = FakeUsage(clock)
    path = folder / "rules.yaml"

    async def start(rules: str | None = None, clock: Clock | None = None) -> Bot:
        if rules is not None:
            path.write_text(HEAD + rules)
        bot = await _bot(address, path, usage, clock or usage.clock)
        bots.append(bot)
        return bot

    yield start
    for bot in bots:
        await bot.database.close()


async def _bot(address: str, path: Path, usage: FakeUsage, clock: Clock) -> Bot:
    usage = usage if usage.clock is clock else FakeUsage(clock, usage.days)
    usage.kept = None
    database = open_database(address)
    ledger, incidents = Ledger(database), IncidentStore(database)
    rules = RulesInForce(RulesFile(path), ledger, clock, Texts(blocks.rules_broken, blocks.rules_mended))
    await rules.start()
    readings = cast("SharedReadings", usage)
    checker = checker_of(readings, rules, database, timedelta(minutes=15), clock, Observers(), clock.elapsed)
    await checker.account.start()
    actions = IncidentActions(incidents, ledger, rules, clock, Observers())
    return Bot(clock, usage, database, rules, path, incidents, checker, actions)


@pytest.fixture
async def start(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Start]:
    """Starts bots on one SQLite database."""
    async with starting(sqlite_url, tmp_path) as start:
        yield start


@pytest.fixture
async def start_on_both(tmp_path: Path, migrated_url: str) -> AsyncIterator[Start]:
    """Starts bots on one database, of each kind."""
    async with starting(migrated_url, tmp_path) as start:
        yield start

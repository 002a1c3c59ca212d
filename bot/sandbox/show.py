"""The sandbox's world for the page: both simulated sides, the account, the clock, and the real bot as a process."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.sandbox.account import PROFILES, SimulatedAccount
from bot.sandbox.clock import SimulatedClock
from bot.sandbox.faults import ANY_ENDPOINT, Fault
from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID
from bot.sandbox.world import BotProcess, World
from bot.windows import midnight, utc_day

Speed = Literal["paused", "real", "hour", "day"]
HISTORY_DAYS = 75
STEPS: dict[str, timedelta] = {"hour": timedelta(minutes=5), "day": timedelta(hours=1)}
A_SECOND: dict[str, int] = {"hour": 12, "day": 24}  # steps in a second of real time, where the bot keeps up
PATIENCE = 2.0  # seconds that a step waits for the bot's check
INTERVAL_OF_REAL_USAGE = "60s"  # a real Cartesia is not asked every second
INTERVAL = "2s"  # of the simulated clock between two checks: at least one in every step

RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"

rules:
  - name: Daily spend
    threshold: $35
    alert_at: [80%, 100%]
    then_every: $25
    forecast: true
    remind_every: 4h
    mention: ["@here"]
    runbook: https://example.com/what-to-do

  - name: Monthly budget
    per: month
    threshold: $700
    alert_at: [50%, 80%, 100%]
    channel: "#finance"

  - name: Unusual day
    above_usual: 2x
    at_least: $20

  - name: Phone line silent
    metric: calls
    below: 1
    by: "12:00"
"""

FAULTS: dict[str, tuple[str, str, Fault]] = {
    "slack_down": ("slack", ANY_ENDPOINT, Fault("status", status=503)),
    "slack_slow": ("slack", ANY_ENDPOINT, Fault("slow", seconds=2.0)),
    "slack_answers_lost": ("slack", "chat.postMessage", Fault("accept_then_drop")),
    "cartesia_down": ("cartesia", ANY_ENDPOINT, Fault("status", status=503)),
    "cartesia_garbage": ("cartesia", ANY_ENDPOINT, Fault("garbage")),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was decided against what the simulated Slack holds: `lost` are messages that count as delivered and are not
    there, `doubled` those that are there twice, `waiting` those that Slack does not have yet."""

    crossings: int = 0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    waiting: int = 0


@dataclass
class Show:
    """Everything the page shows and moves. `real_usage` is the environment of a real Cartesia key instead."""

    folder: Path
    real_usage: dict[str, str] = field(default_factory=dict)
    speed: Speed = "real"
    faults: set[str] = field(default_factory=set)
    bot: BotProcess | None = None
    _ticking: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.clock_file = self.folder / "clock"
        self.clock = SimulatedClock(self.clock_file, datetime.now(UTC))
        self.world = World(self.folder, self.clock.now, rules=RULES)
        self.world.slack.workspace.add_channel("finance", members=(ADMIN, BOT_USER_ID))
        self.account = SimulatedAccount(self.world.cartesia)
        self._passed = self.clock.now()

    async def start(self) -> None:
        """Fill the account's past, and start the bot and the clock."""
        today = utc_day(self.clock.now())
        if not self.real_usage:
            self.account.fill(today, HISTORY_DAYS)
            self.account.pass_time(midnight(today), self.clock.now())
        self._passed = self.clock.now()
        await self.start_bot()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """End the bot and the clock."""
        if self._ticking:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        if self.is_running and self.bot:
            await self.bot.stop(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        return self.bot is not None and self.bot.process is not None and self.bot.process.returncode is None

    async def start_bot(self) -> None:
        """Start the bot's process, unless it runs."""
        if self.is_running:
            return
        interval = {"CHECK_INTERVAL": INTERVAL_OF_REAL_USAGE if self.real_usage else INTERVAL}
        environment = self.world.environment(**interval, **self.real_usage)
        command = (sys.executable, "-m", "bot.sandbox.process", str(self.clock_file))
        self.bot = BotProcess(command, environment, self.folder)
        self.world.processes.append(self.bot)
        await self.bot.start()

    async def kill_bot(self) -> None:
        """SIGKILL: no warning, nothing tidied up."""
        if self.is_running and self.bot:
            await self.bot.stop(signal.SIGKILL)
        self.note()

    def go(self, speed: Speed) -> None:
        """Let time stand, run, or fly. Raises ValueError with real usage, which has its own time."""
        self.refuse_with_real_usage()
        self._pass()
        self.speed = speed
        (self.clock.run if speed == "real" else self.clock.stand)()
        self.note()

    def jump_to_midnight(self) -> None:
        """Go to five minutes after the next UTC midnight, where the day before is closed."""
        self.refuse_with_real_usage()
        was_running = self.speed == "real"
        target = midnight(utc_day(self.clock.now()) + timedelta(days=1)) + timedelta(minutes=5)
        self.clock.move(target - self.clock.now())
        self._pass()
        if was_running:
            self.clock.run()
        self.note()

    def refuse_with_real_usage(self) -> None:
        """Raises ValueError where the figures are the team's own: neither they nor their time can be played with."""
        if self.real_usage:
            raise ValueError("the figures are your own, and their time is real")

    def fault(self, name: str, on: bool) -> None:
        """Let something go wrong from now on, or no more. Raises KeyError where there is no such fault."""
        FAULTS[name]
        (self.faults.add if on else self.faults.discard)(name)
        for server in (self.world.slack, self.world.cartesia):
            server.faults.clear()
        for each in sorted(self.faults):
            side, endpoint, planned = FAULTS[each]
            (self.world.slack if side == "slack" else self.world.cartesia).faults.add(endpoint, planned, times=None)
        self.note()

    def choose(self, profile: str) -> None:
        """Use the account as this profile has it. Raises KeyError where there is none, ValueError with real usage."""
        self.refuse_with_real_usage()
        PROFILES[profile]
        self.account.profile = profile
        self.note()

    def note(self) -> None:
        """Something the page shows has changed."""
        self.world.slack.changes.note()

    def proof(self) -> Proof:
        """What the database says was told, against what the simulated Slack holds."""
        file = self.folder / "agent-usage.db"
        if not file.exists():
            return Proof()
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.2) as connection:
                rows = connection.execute("SELECT id, state FROM outbox WHERE action <> 'edit'").fetchall()
                [crossings] = connection.execute("SELECT count(*) FROM decisions").fetchone()
        except sqlite3.Error:
            return Proof()  # the bot is making its tables: asked again with the next change
        there = Counter(
            str(each.metadata["event_payload"]["id"])
            for each in self.world.slack.workspace.posted
            if each.metadata and each.user == BOT_USER_ID
        )
        delivered = [row_id for row_id, state in rows if state == "delivered"]
        return Proof(
            crossings,
            len(rows),
            lost=sum(1 for row_id in delivered if not there[row_id]),
            doubled=sum(1 for count in there.values() if count > 1),
            waiting=len(rows) - len(delivered),
        )

    async def _tick(self) -> None:
        """Let time pass: the account is used, and in fast time each step waits for the bot's check."""
        while True:
            step = STEPS.get(self.speed)
            if step is None:
                await asyncio.sleep(0.5)
                self._pass()
                self.note()
                continue
            loop = asyncio.get_running_loop()
            began, asked = loop.time(), len(self.world.cartesia.requests)
            self.clock.move(step)
            self._pass()
            await self._checked(lambda asked=asked: len(self.world.cartesia.requests) > asked)  # type: ignore[misc] # bound here
            self.note()
            await asyncio.sleep(max(0.0, 1 / A_SECOND.get(self.speed, 1) - (loop.time() - began)))

    def _pass(self) -> None:
        now = self.clock.now()
        self.account.pass_time(self._passed, now)
        self._passed = now

    async def _checked(self, asked: Callable[[], bool]) -> None:
        if not self.is_running or self.real_usage:
            return
        try:
            await self.world.cartesia.changes.until(asked, PATIENCE, "the bot's check")
        except TimeoutError:
            return  # the bot is away, or Cartesia is down: time does not wait

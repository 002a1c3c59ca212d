"""The sandbox's world for the page: both simulated sides, the account, the clock, and the real bot as a process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.rules.mistakes import RulesError
from bot.rules.parse import parse
from bot.sandbox.account import PROFILES, SimulatedAccount
from bot.sandbox.clock import SimulatedClock
from bot.sandbox.consistency import Consistency, check_consistency
from bot.sandbox.faults import ANY_ENDPOINT, Fault
from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID
from bot.sandbox.world import BotProcess, World, real_now
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
    threshold: $40
    alert_at: [90%, 100%]
    then_every: $25
    forecast: true
    remind_every: 4h
    mention: ["@here"]
    runbook: https://example.com/what-to-do

  - name: Monthly budget
    per: month
    threshold: $1,000
    alert_at: [80%, 100%]
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
class RealUsage:
    """A team's own figures instead of simulated ones: the environment that reads them, and the team's rules if any."""

    environment: Mapping[str, str]
    rules: str | None = None


@dataclass
class Show:
    """Everything the page shows and moves; with `real` usage, neither the account nor the time can be moved.

    It begins at the moment `begins`; now, where none is given.
    """

    folder: Path
    real: RealUsage | None = None
    begins: datetime | None = None
    speed: Speed = "real"
    faults: set[str] = field(default_factory=set)
    bot: BotProcess | None = None
    _ticking: asyncio.Task[None] | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)  # of starts and kills

    def __post_init__(self) -> None:
        self.clock_file = self.folder / "clock"
        self.clock = SimulatedClock(self.clock_file, self.begins or real_now())
        self.now = real_now if self.real else self.clock.now
        rules = self.real.rules if self.real and self.real.rules else RULES
        self.world = World(self.folder, self.now, rules=rules)
        workspace = self.world.slack.workspace
        for name in _channels_of(rules):
            if workspace.find_channel(name) is None:
                channel_id = "" if name.startswith("#") else name
                workspace.add_channel(name.lower(), channel_id=channel_id, members=(ADMIN, BOT_USER_ID))
        self.account = SimulatedAccount(self.world.cartesia)
        self._passed = self.now()

    async def start(self) -> None:
        """Fill the account's past, and start the bot and the clock."""
        today = utc_day(self.now())
        if not self.real:
            self.account.fill(today, HISTORY_DAYS)
            self.account.pass_time(midnight(today), self.now())
        self._passed = self.now()
        await self.start_bot()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """End the bot and the clock. Raises what had stopped the clock before, if anything had."""
        if self._ticking:
            self._ticking.cancel()
            await asyncio.wait({self._ticking})
        if self.is_running and self.bot:
            await self.bot.stop(signal.SIGTERM)
        if self._ticking and not self._ticking.cancelled():
            self._ticking.result()

    @property
    def is_running(self) -> bool:
        return self.bot is not None and self.bot.process is not None and self.bot.process.returncode is None

    @property
    def ended(self) -> str:
        """The last thing the bot said before it ended by itself; empty where it runs or was killed."""
        process = self.bot.process if self.bot else None
        if self.bot is None or process is None or process.returncode in (None, -signal.SIGKILL):
            return ""
        return self.bot.lines[-1] if self.bot.lines else f"It ended with {process.returncode}."

    async def start_bot(self) -> None:
        """Start the bot's process, unless it runs."""
        async with self._one_at_a_time:
            if self.is_running:
                return
            if self.real:  # its time is real, so it is the program as everyone runs it
                environment = {"CHECK_INTERVAL": INTERVAL_OF_REAL_USAGE, **self.real.environment}
                self.bot = self.world.program("serve", "--socket", **environment)
            else:
                clock = str(self.clock_file)
                self.bot = self.world.program(clock, module="bot.sandbox.process", CHECK_INTERVAL=INTERVAL)
            await self.bot.start()

    async def kill_bot(self) -> None:
        """SIGKILL: no warning, nothing tidied up."""
        async with self._one_at_a_time:
            if self.is_running and self.bot:
                await self.bot.stop(signal.SIGKILL)
        self.note()

    def go(self, speed: Speed) -> None:
        """Let time stand, run, or fly. Raises ValueError with real usage, which has its own time."""
        self._refuse_with_real_usage()
        self._pass()
        self.speed = speed
        (self.clock.run if speed == "real" else self.clock.stand)()
        self.note()

    def jump_to_midnight(self) -> None:
        """Go to five minutes after the next UTC midnight, where the day before is closed."""
        self._refuse_with_real_usage()
        self._move(midnight(utc_day(self.now()) + timedelta(days=1)) + timedelta(minutes=5) - self.now())
        if self.speed == "real":
            self.clock.run()
        self.note()

    def spend(self, what: str) -> None:
        """Let the account be used. Where time stands, a minute passes, since the bot looks at its intervals only.

        Raises KeyError where there is no such use, ValueError with real usage.
        """
        self._refuse_with_real_usage()
        uses: dict[str, Callable[[datetime], None]] = {
            "calls": self.account.calls,
            "busy_hour": self.account.busy_hour,
            "outage": self.account.switch_outage,
            "restate": self.account.restate,
        }
        uses[what](self.now())
        if self.speed == "paused":
            self._move(timedelta(minutes=1))
        self.note()

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
        self._refuse_with_real_usage()
        PROFILES[profile]
        self.account.profile = profile
        self.note()

    def note(self) -> None:
        """Something the page shows has changed."""
        self.world.slack.changes.note()

    def consistency(self) -> Consistency | None:
        """What was told against what the simulated Slack has; None where the bot's database can't be read just now."""
        return check_consistency(self.folder / "agent-usage.db", self.world.slack.workspace.posted)

    async def _tick(self) -> None:
        """Let time pass: the account is used, and in fast time each step waits until the bot has asked for usage."""
        while True:
            step = STEPS.get(self.speed)
            if step is None:
                await asyncio.sleep(0.5)
                self._pass()
                self.note()
                continue
            loop = asyncio.get_running_loop()
            began, asked = loop.time(), len(self.world.cartesia.requests)
            self._move(step)
            await self._checked(lambda asked=asked: len(self.world.cartesia.requests) > asked)  # type: ignore[misc] # bound here
            self.note()
            await asyncio.sleep(max(0.0, 1 / A_SECOND.get(self.speed, 1) - (loop.time() - began)))

    def _refuse_with_real_usage(self) -> None:
        if self.real:
            raise ValueError("the figures are your own, and their time is real")

    def _move(self, by: timedelta) -> None:
        self.clock.move(by)
        self._pass()

    def _pass(self) -> None:
        now = self.now()
        self.account.pass_time(self._passed, now)
        self._passed = now

    async def _checked(self, asked: Callable[[], bool]) -> None:
        if not self.is_running:
            return
        try:
            await self.world.cartesia.changes.until(asked, PATIENCE, "the bot's check")
        except TimeoutError:
            return  # the bot is away, or Cartesia is down: time does not wait


def _channels_of(text: str) -> set[str]:
    """The channels that these rules name; none where they hold mistakes, which the page shows."""
    try:
        rules = parse(text)
    except RulesError:
        return set()
    escalations = (rule.escalate.channel for rule in rules.rules if rule.escalate)
    named = {rules.channel, rules.operations_channel, *(rule.channel for rule in rules.rules), *escalations}
    return {name for name in named if name}

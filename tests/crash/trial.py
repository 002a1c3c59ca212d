"""One trial: a world in which a crossing is due, a bot that dies at one point of telling it, one that is started after
it, and the verdict on what Slack holds in the end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bot.sandbox.slack.interactions import Interaction
from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID, Message
from bot.sandbox.world import World, real_now
from bot.windows import utc_day
from tests.crash.bots import Bots, Kill
from tests.crash.points import CHECKING, CLICKING, DELIVERING
from tests.crash.stores import Store

PATIENCE = 40.0  # seconds for everything to be told
LOOK = 0.02  # seconds between two looks
UNANSWERED = 0.5  # seconds until a click is given up that nobody acknowledges
LINGER = 0.3  # seconds in which a bot that has told everything may still do too much
UNDELIVERED = "SELECT count(*) FROM outbox WHERE state <> 'delivered'"
RECORDED = "SELECT count(*) FROM outbox WHERE kind <> 'operations'"

RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"
rules:
  - name: Daily spend
    threshold: $50
    alert_at: [80%, 100%]
  - name: Call volume
    metric: calls
    threshold: 200
    channel: "#finance"
"""

Told = tuple[str, str, str]  # channel, "message" or "reply", first line


@dataclass(frozen=True)
class Usage:
    """What was used today."""

    cents: int = 0
    calls: int = 0


@dataclass(frozen=True)
class Scenario:
    """What crosses, and all that Slack holds when it was told.

    `first_kill` is where a bot had died before; `counted` are the steps whose points count, `kills` how many of them
    the short form takes. With `chosen` somebody snoozes the first message; after the death that request comes again.
    """

    name: str
    usage: Usage
    told: tuple[Told, ...]
    recorded: int
    usage_before: Usage = Usage()
    told_before: tuple[Told, ...] = ()
    first_kill: str = ""
    archived: str = ""
    counted: tuple[str, ...] = (*CHECKING, *DELIVERING)
    chosen: str = ""
    kills: int = 6
    rules: str = RULES


NOTICE = "did not take this message"
SPEND = ("voice-spend", "message", "🔴 Daily spend: $53.20 of $50.00 (106%)")
CALLS = ("finance", "message", "🔴 Call volume: 212 of 200 calls (106%)")
FIRST = Scenario("first crossing", Usage(5320, 212), (SPEND, CALLS), recorded=2)
RAISED = Scenario(
    "raised level",
    Usage(5320, 199),
    (SPEND, (SPEND[0], "reply", SPEND[2])),
    recorded=3,
    usage_before=Usage(4200, 168),
    told_before=(("voice-spend", "message", "🟡 Daily spend: $42.00 of $50.00 (84%)"),),
)
RECOVERY = replace(
    FIRST,
    name="recovery",
    first_kill="unseen & Sender.post & aiohttp/streams.py",  # Slack has the post, and the bot has not read its answer
    counted=DELIVERING,
)
REROUTED = replace(
    FIRST,
    name="dead channel",
    archived="finance",
    told=(SPEND, ("voice-ops", "message", f"#finance {NOTICE}: {CALLS[2]}")),
    counted=DELIVERING,
)
WARNED = ("voice-spend", "message", "🟡 Daily spend: $42.00 of $50.00 (84%)")
REPLAYED = Scenario(
    "replayed click",
    Usage(4200, 168),
    (WARNED, (WARNED[0], "reply", f"Snoozed by <@{ADMIN}> until the next level.")),
    recorded=3,
    usage_before=Usage(4200, 168),
    told_before=(WARNED,),
    counted=(*CLICKING, *DELIVERING),
    chosen="level:1",
    kills=3,
)
SCENARIOS = (FIRST, RAISED, RECOVERY, REROUTED, REPLAYED)


def told(world: World) -> list[Told]:
    """Every alert and reply the bot has posted, also what is deleted; what it says of itself depends on timing."""
    posted = (each for each in world.slack.workspace.posted if each.user == BOT_USER_ID)
    return [_told(world, each) for each in posted if not each.metadata or _payload(each)["kind"] != "operations"]


def _payload(message: Message) -> dict[str, str]:
    return message.metadata["event_payload"] if message.metadata else {}


def _told(world: World, message: Message) -> Told:
    roots = {each.ts for each in world.slack.workspace.posted if each.channel == message.channel and not each.is_reply}
    kind = "message" if not message.is_reply else "reply" if message.thread_ts in roots else "reply to nothing"
    first = message.text.partition("\n")[0]
    if NOTICE in first:
        first = (
            f"{first.partition(NOTICE)[0]}{NOTICE}: {message.text.splitlines()[1]}"  # the alert is in the second line
        )
    return world.slack.workspace.channels[message.channel].name, kind, first


@dataclass(frozen=True)
class Verdict:
    """Against what should be told: what is missing, and what is there once too often."""

    lost: tuple[Told, ...]
    doubled: tuple[Told, ...]


def judge(world: World, wanted: tuple[Told, ...]) -> Verdict:
    """Compare by channel, place and text; a row's id that two messages bear is a double as well."""
    found = Counter(told(world))
    lost, doubled = Counter(wanted) - found, found - Counter(wanted)
    ids = Counter(_payload(each).get("id", "") for each in world.slack.workspace.posted if each.user == BOT_USER_ID)
    same_id = [("", "same id", row_id) for row_id, count in ids.items() if count > 1]
    return Verdict(tuple(lost.elements()), (*doubled.elements(), *same_id))


@dataclass(frozen=True)
class Prepared:
    """A world's state before the crossing: the database, and what Slack had been told."""

    scenario: Scenario
    store: Store
    posted: tuple[Message, ...]
    day: date


@dataclass
class Outcome:
    """What came of one trial. `points` is how many the bot passed, `place` where it died."""

    points: int = 0
    died: bool = False
    place: str = ""
    passed: list[str] = field(default_factory=list)
    verdict: Verdict = Verdict((), ())
    looked: bool = False
    trouble: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not (self.verdict.lost or self.verdict.doubled or self.trouble)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one world."""
    path = Path(tempfile.mkdtemp(prefix="agent-usage-crash-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def new_world(path: Path, scenario: Scenario) -> World:
    """A world with the channels of the rules."""
    world = World(path, rules=scenario.rules)
    world.slack.workspace.add_channel("finance", members=(ADMIN, BOT_USER_ID))
    return world


def today() -> date:
    """Usage is by UTC days: at midnight a world is over."""
    return utc_day(real_now())


def use(world: World, usage: Usage) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=usage.cents, minutes=usage.cents // 6, calls=usage.calls)


async def prepare(scenario: Scenario, empty: Store, bots: Bots) -> Prepared:
    """Let the bot live until just before the crossing, and stop it."""
    with folder() as path:
        async with new_world(path, scenario) as world:
            use(world, scenario.usage_before)
            environment = world.environment(DATABASE_URL=empty.address)
            async with await bots.serve(environment, path) as bot:
                await world.checks()
                await all_told(world, empty, scenario.told_before, lambda: bot.running)
                if code := await bot.stop():
                    raise RuntimeError(f"the bot ended with {code}:\n{bot.log.read_text()}")
            posted = tuple(world.slack.workspace.posted)
    return Prepared(scenario, empty, posted, today())


async def all_told(
    world: World,
    store: Store,
    wanted: tuple[Told, ...],
    running: Callable[[], bool] = lambda: True,
    also: Callable[[], bool] = lambda: True,
) -> bool:
    """Wait until Slack holds everything and the outbox knows it; False where the bot ends before. TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while running():
            if also() and not judge(world, wanted).lost and not await asyncio.to_thread(store.number, UNDELIVERED):
                return True
            await asyncio.sleep(LOOK)
    return False


async def trial(prepared: Prepared, bots: Bots, kill_at: str) -> Outcome:
    """Kill the bot at this point ("0": at none), start it again, and judge."""
    began = time.monotonic()
    with folder() as path:
        store = await asyncio.to_thread(prepared.store.copy, path)
        try:
            async with new_world(path, prepared.scenario) as world:
                outcome = await _Trial(prepared.scenario, world, store, bots, path, prepared.posted).run(kill_at)
        finally:
            await asyncio.to_thread(store.remove)
    outcome.seconds = time.monotonic() - began
    return outcome


@dataclass
class _Trial:
    scenario: Scenario
    world: World
    store: Store
    bots: Bots
    path: Path
    posted: tuple[Message, ...]
    pressed: Interaction | None = None

    async def run(self, kill_at: str) -> Outcome:
        for message in deepcopy(self.posted):
            self.world.slack.workspace.post(message)
        use(self.world, self.scenario.usage)
        if self.scenario.archived:
            self.world.slack.channel(self.scenario.archived).archived = True
        if self.scenario.first_kill and not (await self._until_killed(self.scenario.first_kill)).died:
            raise RuntimeError(f"there is no point {self.scenario.first_kill!r}")
        outcome = await self._until_killed(kill_at)
        if outcome.died:
            await self._start_again(outcome)
        outcome.looked = bool({"conversations.history", "conversations.replies"} & self._called())
        outcome.verdict = judge(self.world, self.scenario.told)
        if (recorded := await asyncio.to_thread(self.store.number, RECORDED)) != self.scenario.recorded:
            outcome.trouble += f"{recorded} rows in the outbox instead of {self.scenario.recorded}. "
        return outcome

    async def _until_killed(self, kill_at: str) -> Outcome:
        trace = self.path / "trace"
        trace.unlink(missing_ok=True)
        outcome = Outcome()
        async with await self.bots.serve(self._environment(), self.path, self._kill(kill_at, trace)) as bot:
            try:
                await self._press()
                if await all_told(self.world, self.store, self.scenario.told, lambda: bot.running):
                    await asyncio.sleep(LINGER)
            except TimeoutError:
                outcome.trouble = f"not told without a kill:\n{bot.log.read_text()}"
            outcome.died = not bot.running
            if outcome.died and (code := await bot.ended()) != -9:
                outcome.trouble = f"the bot ended with {code}:\n{bot.log.read_text()}"
        outcome.passed = trace.read_text().splitlines() if trace.exists() else []
        outcome.points = len(outcome.passed)
        outcome.place = outcome.passed[-1] if outcome.died and outcome.passed else ""
        if outcome.died:
            await asyncio.to_thread(self.store.end_leases)
        return outcome

    async def _start_again(self, outcome: Outcome) -> None:
        """Without a kill: until everything is told and the first check was answered, then a stop as the platform's."""
        asked = len(self.world.cartesia.requests)

        def checked() -> bool:
            return any(each.status for each in self.world.cartesia.requests[asked:])

        (self.path / "log").unlink()
        async with await self.bots.serve(self._environment(), self.path) as bot:
            try:
                await self._press()
                if not await all_told(self.world, self.store, self.scenario.told, lambda: bot.running, checked):
                    outcome.trouble += "it ended by itself. "
                await asyncio.sleep(LINGER)
                if code := await bot.stop():
                    outcome.trouble += f"exit code {code}. "
            except TimeoutError:
                outcome.trouble += f"not told, or not noted, {PATIENCE:.0f} s after the restart. "
            if outcome.trouble:
                outcome.trouble += f"\n{bot.log.read_text()}"

    async def _press(self) -> None:
        """Snooze; the next time, let the same request come again."""
        slack = self.world.slack
        if not self.scenario.chosen:
            return
        slack.socket.ack_seconds = UNANSWERED
        await slack.socket.wait_connected()
        if self.pressed is None:
            self.pressed = await slack.click(slack.workspace.posted[0], "snooze", value=self.scenario.chosen)
        else:
            await slack.replay(self.pressed)

    def _kill(self, kill_at: str, trace: Path) -> Kill:
        """What a bot finds in the outbox when it starts, it delivers before its first check."""
        recovering = bool(self.scenario.first_kill) and kill_at != self.scenario.first_kill
        armed_by = () if recovering else CLICKING if self.scenario.chosen else CHECKING
        return Kill(kill_at, trace, self.scenario.counted, armed_by)

    def _environment(self) -> dict[str, str]:
        return self.world.environment(DATABASE_URL=self.store.address, CHECK_INTERVAL="1h")

    def _called(self) -> set[str]:
        return {call.method for call in self.world.slack.calls}

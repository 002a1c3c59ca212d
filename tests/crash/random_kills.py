"""Kills at random moments while twenty crossings are being told; and a lease on PostgreSQL waited for as it is."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID
from bot.sandbox.world import World
from tests.crash.bots import Bots, Kill
from tests.crash.stores import Store
from tests.crash.trial import (
    LINGER,
    Outcome,
    Prepared,
    Scenario,
    Usage,
    all_told,
    folder,
    judge,
    new_world,
    today,
    told,
    use,
)

CROSSINGS = 20
CHANNELS = 8
KILLS = 5
SOONEST, LATEST = 0.3, 1.5  # seconds from a bot's start to its death

RULES = 'channel: "#voice-spend"\noperations_channel: "#voice-ops"\nrules:\n' + "".join(
    f'  - {{name: Budget {number}, threshold: $50, channel: "#budget-{number % CHANNELS}"}}\n'
    for number in range(CROSSINGS)
)
TOLD = tuple(
    (f"budget-{number % CHANNELS}", "message", f"🔴 Budget {number}: $53.20 of $50.00 (106%)")
    for number in range(CROSSINGS)
)
TWENTY = Scenario("random moments", Usage(5320, 200), TOLD, recorded=CROSSINGS, rules=RULES)


@dataclass
class RandomKills:
    """What came of kills at random moments. `in_the_midst` kills fell when something, yet not everything, had been
    told."""

    outcome: Outcome
    killed: int = 0
    in_the_midst: int = 0


async def kill_at_random(new_store: Callable[[], Store], bots: Bots, seed: int) -> RandomKills:
    """Five bots, each killed at a random moment, and a sixth one that tells the rest."""
    began, day, moments = time.monotonic(), today(), random.Random(seed)  # noqa: S311 moments, not secrets
    result = RandomKills(Outcome(died=True, place=f"0 seed {seed}"))
    store = await asyncio.to_thread(new_store)
    with folder() as path:
        async with new_world(path, TWENTY) as world:
            for number in range(CHANNELS):
                world.slack.workspace.add_channel(f"budget-{number}", members=(ADMIN, BOT_USER_ID))
            use(world, TWENTY.usage)
            environment = world.environment(DATABASE_URL=store.address, CHECK_INTERVAL="1h")
            for _ in range(KILLS):
                async with await bots.serve(environment, path) as bot:
                    await asyncio.sleep(moments.uniform(SOONEST, LATEST))
                    result.killed += await bot.stop(signal.SIGKILL) == -signal.SIGKILL
                result.in_the_midst += 0 < len(told(world)) < CROSSINGS
                await asyncio.to_thread(store.end_leases)
            await _tell_the_rest(world, store, environment, result.outcome)
    await asyncio.to_thread(store.remove)
    result.outcome.looked = bool(world.slack.calls_of("conversations.history"))
    result.outcome.seconds = time.monotonic() - began
    return result if day == today() else await kill_at_random(new_store, bots, seed)


async def _tell_the_rest(world: World, store: Store, environment: dict[str, str], outcome: Outcome) -> None:
    """The program itself, started as anybody starts it."""
    bot = await world.run(**environment)
    try:
        await all_told(world, store, TOLD)
        await asyncio.sleep(LINGER)
        if code := await bot.stop():
            outcome.trouble = f"exit code {code}"
    except TimeoutError as error:
        outcome.trouble = f"not told: {error}\n" + "\n".join(bot.lines)
    outcome.verdict = judge(world, TOLD)


async def true_lease(prepared: Prepared, bots: Bots, kill_at: str) -> tuple[Outcome, float]:
    """A kill at this point and a start at once; how many seconds later everything was told with no lease ended."""
    outcome = Outcome(died=True, place="0 a post whose answer was not read")
    with folder() as path:
        store = prepared.store.copy(path)
        async with new_world(path, prepared.scenario) as world:
            use(world, prepared.scenario.usage)
            environment = world.environment(DATABASE_URL=store.address, CHECK_INTERVAL="1h")
            async with await bots.serve(environment, path, Kill(kill_at, path / "trace")) as bot:
                outcome.died = await bot.ended() == -signal.SIGKILL
            died = time.monotonic()
            successor = await world.run(**environment)
            await all_told(world, store, prepared.scenario.told)
            seconds = time.monotonic() - died
            await asyncio.sleep(LINGER)
            if code := await successor.stop():
                outcome.trouble = f"exit code {code}"
            outcome.verdict = judge(world, prepared.scenario.told)
        store.remove()
    return outcome, seconds

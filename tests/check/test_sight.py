"""Whether the bot sees, told at the right time: the watch runs beside the checks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

from bot.destinations import Destinations
from bot.hearing import Hearing
from bot.loops import Loops
from bot.store.leases import Presence
from tests.check.conftest import Start

DAILY = "  - {name: Daily, threshold: $50}\n"


async def test_an_attempt_that_failed_while_a_check_ended_well_is_forgotten(start: Start) -> None:
    """What the watch notes of it must not be read hours later as the beginning of another outage."""
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    async with bot.database.writing():  # the watch can't write yet, while the check has nothing to write
        watch = asyncio.create_task(bot.checker.watch_sight(bot.clock()))
        await asyncio.sleep(0.1)
        check = asyncio.create_task(bot.check())
        await asyncio.sleep(0.3)
    await asyncio.gather(watch, check)
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.checker.watch_sight(bot.clock())
    assert await bot.hears() == []


async def test_an_outage_is_told_after_a_while_with_its_beginning_and_its_end(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    await bot.checker.watch_sight(bot.clock())
    bot.clock.go(minutes=16)
    await bot.checker.watch_sight(bot.clock())
    [blind] = await bot.hears()
    assert blind.startswith("post #voice-ops: The bot is blind: no usage has been read since")
    await bot.check(2)
    [sees] = await bot.hears()
    assert sees.startswith("post #voice-ops: The bot sees again")
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.checker.watch_sight(bot.clock())
    assert await bot.hears() == []


async def test_a_clock_that_leaps_just_after_nothing_was_due_makes_nobody_blind(start: Start) -> None:
    bot, stop = await start(DAILY), asyncio.Event()
    presence = Presence(bot.database, "this one")
    await presence.begin()

    def seconds() -> float:
        moment = bot.clock().timestamp()
        if (task := asyncio.current_task()) and task.get_name() == "watch":
            bot.clock.go(hours=1)
        return moment

    async def nothing() -> None:
        return None

    loops = Loops(
        bot.checker,
        cast("Hearing", None),  # another loop's
        cast("Destinations", None),  # the same
        bot.rules,
        interval=timedelta(minutes=15),
        presence=presence,
        keep=nothing,
        told=stop.set,
        stop=stop,
        seconds=seconds,
    )
    checks = asyncio.create_task(loops.check())
    watch = asyncio.create_task(loops.watch_sight(), name="watch")
    began = bot.clock()
    async with asyncio.timeout(10):
        while bot.clock() < began + timedelta(hours=1):
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(checks, watch)
    await presence.end()
    assert await bot.hears() == []

"""Whether the bot sees, told at the right time: the watch runs beside the checks."""

from __future__ import annotations

import asyncio

from tests.check.conftest import Start

DAILY = "  - {name: Daily, threshold: $50}\n"


async def test_an_attempt_that_failed_while_a_check_ended_well_is_forgotten(start: Start) -> None:
    """What the watch notes of it must not be read hours later as the beginning of another outage."""
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    async with bot.database.writing():  # the watch can't write yet, while the check has nothing to write
        watch = asyncio.create_task(bot.checker.watch_sight())
        await asyncio.sleep(0.1)
        check = asyncio.create_task(bot.check())
        await asyncio.sleep(0.3)
    await asyncio.gather(watch, check)
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.checker.watch_sight()
    assert await bot.hears() == []


async def test_an_outage_is_told_after_a_while_with_its_beginning_and_its_end(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    await bot.checker.watch_sight()
    bot.clock.go(minutes=16)
    await bot.checker.watch_sight()
    [blind] = await bot.hears()
    assert blind.startswith("post #voice-ops: The bot is blind: no usage has been read since")
    await bot.check(2)
    [sees] = await bot.hears()
    assert sees.startswith("post #voice-ops: The bot sees again")
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.checker.watch_sight()
    assert await bot.hears() == []

"""Whether the bot sees, told at the right time: the watch runs beside the checks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

import pytest

from bot.jobs.delivery_outage import DeliveryWatch
from bot.jobs.destinations import Destinations
from bot.jobs.loops import Loops
from bot.store.leases import Lease
from tests.jobs.check.conftest import Bot, Start

DAILY = "  - {name: Daily, threshold: $50}\n"


async def nothing() -> None:
    return None


def loops_of(
    bot: Bot,
    lease: Lease,
    stop: asyncio.Event,
    seconds: Callable[[], float],
    keep: Callable[[], Awaitable[None]] = nothing,
) -> Loops:
    """The loops of a process that checks every quarter of an hour."""
    return Loops(
        bot.checker,
        cast("DeliveryWatch", None),  # another loop's
        cast("Destinations", None),  # the same
        bot.rules,
        interval=timedelta(minutes=15),
        lease=lease,
        keep=keep,
        on_enqueue=stop.set,
        stop=stop,
        seconds=seconds,
    )


async def test_an_attempt_that_failed_while_a_check_ended_well_is_forgotten(start: Start) -> None:
    """What the watch notes of it must not be read hours later as the beginning of another outage."""
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    async with bot.database.writing():  # the watch can't write yet, while the check has nothing to write
        watch = asyncio.create_task(bot.watch())
        await asyncio.sleep(0.1)
        check = asyncio.create_task(bot.check())
        await asyncio.sleep(0.3)
    await asyncio.gather(watch, check)
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.watch()
    assert await bot.hears() == []


async def test_an_outage_is_told_after_a_while_with_its_beginning_and_its_end(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    await bot.watch()
    bot.clock.go(minutes=16)
    await bot.watch()
    [blind] = await bot.hears()
    assert blind.startswith("post #voice-ops: The bot is blind: no usage has been read since")
    await bot.check(2)
    [sees] = await bot.hears()
    assert sees.startswith("post #voice-ops: The bot sees again")
    bot.clock.go(hours=5)
    await bot.check(3)
    bot.usage.fail_once()
    await bot.watch()
    assert await bot.hears() == []


@pytest.mark.parametrize("hours", [3, -3], ids=["ahead", "back"])
async def test_a_clock_that_leaps_makes_nobody_blind(start: Start, hours: int) -> None:
    """Cartesia answered seconds before, whatever the clock says now."""
    bot = await start(DAILY)
    await bot.check(1)
    bot.clock.leap(hours=hours)
    bot.usage.fail_once()
    await bot.watch()
    await bot.check(2)
    await bot.watch()
    assert await bot.hears() == []


@pytest.mark.parametrize("hours", [3, -3], ids=["ahead", "back"])
async def test_an_outage_is_told_after_as_long_as_ever_though_the_clock_leaps_in_it(start: Start, hours: int) -> None:
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    await bot.watch()
    bot.clock.go(minutes=14)
    bot.clock.leap(hours=hours)
    await bot.watch()
    assert await bot.hears() == []
    bot.clock.go(minutes=2)
    await bot.watch()
    [blind] = await bot.hears()
    assert f"since 2026-11-25 {9 + hours:02}:00 UTC" in blind


@pytest.mark.parametrize(
    ("hours", "minutes"), [(0, 5), (-3, 15)], ids=["what has passed counts", "what is still to come does not"]
)
async def test_an_outage_from_before_a_restart_goes_on(start: Start, hours: int, minutes: int) -> None:
    bot = await start(DAILY)
    await bot.check(1)
    bot.usage.fail_once()
    await bot.watch()
    bot.clock.go(minutes=10)
    again = await start()
    again.clock.leap(hours=hours)
    await again.watch()
    again.clock.go(minutes=minutes, seconds=-1)
    await again.watch()
    assert await again.hears() == []
    again.clock.go(seconds=1)
    await again.watch()
    assert len(await again.hears()) == 1


async def test_a_clock_that_leaps_just_after_nothing_was_due_makes_nobody_blind(start: Start) -> None:
    bot, stop = await start(DAILY), asyncio.Event()
    lease = Lease(bot.database, "this one")
    await lease.begin()

    def seconds() -> float:
        moment = bot.clock.elapsed()
        if (task := asyncio.current_task()) and task.get_name() == "watch":
            bot.clock.go(hours=1)
        return moment

    loops = loops_of(bot, lease, stop, seconds)
    checks = asyncio.create_task(loops.check())
    watch = asyncio.create_task(loops.watch_freshness(), name="watch")
    began = bot.clock()
    async with asyncio.timeout(10):
        while bot.clock() < began + timedelta(hours=1):
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(checks, watch)
    await lease.end()
    assert await bot.hears() == []


async def test_nothing_is_let_go_of_before_a_clock_that_was_wrong_at_boot_has_been_set(start: Start) -> None:
    bot, stop = await start(DAILY), asyncio.Event()
    lease = Lease(bot.database, "this one")
    await lease.begin()
    moments = iter([0.0, 3599.0, 3600.0, 3600.0])  # of the start, of two looks, and of what was let go of

    async def keep() -> None:
        stop.set()

    async with asyncio.timeout(10):
        await loops_of(bot, lease, stop, lambda: next(moments), keep).prune()
    await lease.end()
    assert list(moments) == []

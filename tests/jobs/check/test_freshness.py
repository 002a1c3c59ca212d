"""Whether the bot sees, told at the right time: the watch runs beside the checks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.events import Observers
from bot.jobs.runner import Runner, Timer
from bot.jobs.scheduled_check import ScheduledCheck
from bot.store.leases import Lease
from tests.jobs.check.conftest import Start

DAILY = "  - {name: Daily, threshold: $50}\n"


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

    bot.checker.freshness.seconds = seconds
    timer = Timer(every=900.0, first=0.0, clock=seconds, poll=0.25)
    jobs = (ScheduledCheck(bot.checker, lease, timer).job(), bot.checker.freshness.job(timer, bot.checker.look_away))
    runner = Runner(jobs, lambda: lease.may_read, stop, Observers())
    rounds = [
        asyncio.create_task(runner.repeat(job), name=name) for job, name in zip(jobs, ("check", "watch"), strict=True)
    ]
    began = bot.clock()
    async with asyncio.timeout(10):
        while bot.clock() < began + timedelta(hours=1):
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*rounds)
    await lease.end()
    assert await bot.hears() == []

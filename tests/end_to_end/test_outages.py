"""The database is gone, full or locked for a while: nothing is lost, errors are plain, and no restart is needed unless
its file is gone for good."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3

import httpx
import pytest

from bot.sandbox.world import World
from bot.windows import utc_day
from tests.databases import Postgres, find_binaries

GONE = float(os.environ.get("OUTAGE_SECONDS", "6"))  # noqa: TID251 an option of this test run


WARNED = "🟡 Daily spend: $42.00 of $50.00 (84%)"
RAISED = "🔴 Daily spend: $55.00 of $50.00 (110%)"


async def crossing(world: World, cents: int, *told: str) -> None:
    """Let the day reach so many cents, and wait until the channel's messages begin with these lines, edits included."""
    world.cartesia.set_day(utc_day(world.now()), cents=cents)

    def all_told() -> bool:
        return told == tuple(message.text.splitlines()[0] for message in world.slack.messages("voice-spend"))

    await world.slack.until(all_told, 60, f"{told} in the channel")


def traceback_in(lines: list[str]) -> bool:
    return any(line.startswith("Traceback") for line in lines)


@pytest.mark.timeout(180)
async def test_a_database_gone_for_a_while_loses_nothing_and_needs_no_restart(world: World) -> None:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries (initdb) on this machine: apt-get install postgresql to run this")
    server = Postgres(binaries)
    try:
        server.create()
        bot = await world.run(DATABASE_URL=server.new_database())
        await crossing(world, 4200, WARNED)
        server.stop()
        world.cartesia.set_day(utc_day(world.now()), cents=5500)
        await bot.said("The database did not do its part", 20)
        answer = await (await world.slack.command("/agent-usage", "today")).answer()
        assert "$" in answer.text
        await asyncio.sleep(GONE)
        server.start()
        await crossing(world, 5500, RAISED, RAISED)
        await world.checks(2)
        assert len(world.slack.calls_of("chat.postMessage")) == 2
        assert not traceback_in(bot.lines)
        assert await bot.stop() == 0
    finally:
        server.remove()


async def test_a_file_locked_by_another_process_loses_nothing_and_needs_no_restart(world: World) -> None:
    bot = await world.run()
    await crossing(world, 4200, WARNED)
    other = sqlite3.connect(world.folder / "agent-usage.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    world.cartesia.set_day(utc_day(world.now()), cents=5500)
    await bot.said("database is locked", 20)
    other.execute("ROLLBACK")
    other.close()
    await crossing(world, 5500, RAISED, RAISED)
    await world.checks(2)
    assert len(world.slack.calls_of("chat.postMessage")) == 2
    assert not traceback_in(bot.lines)


async def test_a_file_deleted_under_the_bot_is_said_and_ends_it_with_1_within_a_minute(world: World) -> None:
    bot = await world.run(PORT="0", HOST="127.0.0.1")
    port = (await bot.said("listening on port")).split()[-1]
    file = world.folder / "agent-usage.db"
    file.unlink()
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/readyz")
    assert answer.status_code == 503
    assert f"{file} was deleted, moved or replaced" in " ".join(answer.json()["reasons"])
    assert await bot.ended(60) == 1
    assert f"{file} was deleted, moved or replaced" in bot.lines[-1]
    assert not traceback_in(bot.lines)
    assert not file.exists()


async def test_a_full_disk_loses_nothing_and_needs_no_restart(world: World) -> None:
    bot = await world.run()
    await crossing(world, 4200, WARNED)
    assert bot.process is not None
    full = min(file.stat().st_size for file in world.folder.glob("agent-usage.db*") if file.stat().st_size)
    before = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    world.cartesia.set_day(utc_day(world.now()), cents=5500)
    await bot.said("The database did not do its part", 20)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, before)
    await crossing(world, 5500, RAISED, RAISED)
    await world.checks(2)
    assert len(world.slack.calls_of("chat.postMessage")) == 2
    assert not traceback_in(bot.lines)


async def test_a_message_that_was_posted_while_the_database_was_away_is_noted_when_it_is_back(world: World) -> None:
    from bot.sandbox.faults import Fault

    world.slack.faults.add("chat.postMessage", Fault("slow", seconds=1.5))
    bot = await world.run()
    world.cartesia.set_day(utc_day(world.now()), cents=5500)
    await world.slack.until(lambda: world.slack.calls_of("chat.postMessage"), 10, "the post under way")
    other = sqlite3.connect(world.folder / "agent-usage.db", isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the message")
    await bot.said("What was sent is noted as soon as it answers", 20)
    other.execute("ROLLBACK")
    other.close()
    await bot.said("delivered alert", 10)
    await world.checks(2)
    assert await bot.stop() == 0
    await world.run()
    await world.checks(2)
    assert len(world.slack.calls_of("chat.postMessage")) == 1

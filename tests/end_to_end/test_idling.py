"""A bot with nothing to say leaves its database alone."""

from __future__ import annotations

import asyncio

from bot.sandbox.world import World
from bot.windows import utc_day


async def test_an_idle_bot_writes_nothing(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=5320)
    await world.run()
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the alert")
    await world.checks(2)
    files = sorted(world.folder.glob("agent-usage.db*"))
    before = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    await world.checks(3)
    await asyncio.sleep(0.2)
    assert [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files] == before

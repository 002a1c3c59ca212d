"""When usage can't be read, somebody is told, once, and once when it is read again."""

from __future__ import annotations

import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.world import World


@pytest.fixture(autouse=True)
def on_both_databases(world: World, database_url: str) -> None:
    """Each test here runs on SQLite and on PostgreSQL."""
    world.database_url = database_url


def told(world: World) -> list[str]:
    return [message.text for message in world.slack.messages("voice-ops")]


async def test_a_refused_key_is_told_at_once_and_its_mending_too(world: World) -> None:
    bot = await world.run(CARTESIA_ADMIN_API_KEY="sk_car_admin_wrong")
    await world.slack.until(lambda: told(world), 10, "the word in the operations channel")
    assert "CARTESIA_ADMIN_API_KEY must be an admin key" in told(world)[0]
    await world.checks(3)
    assert len(told(world)) == 1
    await bot.stop()
    await world.run()
    await world.slack.until(lambda: told(world) if len(told(world)) > 1 else None, 10, "the second word")
    assert told(world)[1].startswith("The bot sees again")


async def test_silence_for_longer_than_blind_after_is_told_once_across_restarts(world: World) -> None:
    bot = await world.run(BLIND_AFTER="2s")
    await world.checks()
    world.cartesia.faults.add("usage", Fault("status", status=500), times=None)
    await world.slack.until(lambda: told(world), 15, "the word in the operations channel")
    assert told(world)[0].startswith("The bot is blind")
    await bot.stop()
    await world.run(BLIND_AFTER="2s")
    await world.checks(2)
    assert len(told(world)) == 1
    world.cartesia.faults.clear()
    await world.slack.until(lambda: told(world) if len(told(world)) > 1 else None, 20, "the second word")
    assert told(world)[1].startswith("The bot sees again")


async def test_a_short_outage_is_nobodys_business(world: World) -> None:
    await world.run()
    world.cartesia.faults.add("usage", Fault("status", status=500), times=2)
    await world.checks(4)
    assert told(world) == []

"""Editing rules.yaml while the bot runs."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.sandbox.world import RULES, World
from bot.windows import utc_day

BAD = RULES.replace("threshold:", "treshold:")


@pytest.fixture(autouse=True)
def on_both_databases(world: World, database_url: str) -> None:
    """Each test here runs on SQLite and on PostgreSQL."""
    world.database_url = database_url


async def operations(world: World, count: int) -> list[str]:
    def enough() -> list[str] | None:
        found = [message.text for message in world.slack.messages("voice-ops")]
        return found if len(found) >= count else None

    return await world.slack.until(enough, 10, f"{count} messages in #voice-ops")


async def test_a_changed_threshold_is_in_force_within_5_seconds_without_another_reading(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=1000)
    await world.run(CHECK_INTERVAL="1h")
    await asyncio.sleep(0.5)
    began = time.monotonic()
    world.rules_file.write_text(RULES.replace("$50", "$10"))
    [alert] = await world.slack.until(lambda: world.slack.messages("voice-spend"), 6, "the alert")
    assert time.monotonic() - began < 5
    assert alert.text.startswith("🔴 Daily spend: $10.00 of $10.00 (100%)")
    assert len(world.cartesia.requests) == 1


async def test_a_bad_edit_leaves_the_last_good_rules_in_force_and_is_told_once_and_when_mended(world: World) -> None:
    bot = await world.run()
    world.rules_file.write_text(BAD)
    [broken] = await operations(world, 1)
    assert "rules.yaml:" in broken
    assert "threshold" in broken
    world.cartesia.set_day(utc_day(world.now()), cents=6000)
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the alert by the last good rules")
    await bot.stop()
    await world.run()
    await world.checks(2)
    assert len(world.slack.messages("voice-ops")) == 1
    world.rules_file.write_text(RULES)
    _, mended = await operations(world, 2)
    assert "good again" in mended
    assert len(world.slack.messages("voice-spend")) == 1


async def test_started_with_a_bad_file_the_bot_runs_on_the_last_good_rules_and_says_so(world: World) -> None:
    bot = await world.run()
    await bot.stop()
    world.rules_file.write_text(BAD)
    world.cartesia.set_day(utc_day(world.now()), cents=6000)
    await world.run()
    assert "last good rules" in (await operations(world, 1))[0]
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the alert by the last good rules")


async def test_a_deleted_file_is_a_mistake_that_loses_nothing(world: World) -> None:
    await world.run()
    world.rules_file.unlink()
    assert "no such file" in (await operations(world, 1))[0]

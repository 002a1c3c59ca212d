"""A day that is over changes: what crosses late is posted and marked, for three days and not longer."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from bot.sandbox.world import World
from bot.windows import utc_day


async def watched_for_a_week(world: World) -> None:
    """Let the rule have been in force since a week ago."""
    bot = await world.run()
    await world.checks()
    await bot.stop()
    with sqlite3.connect(world.folder / "agent-usage.db") as database:
        a_week_ago = (world.now() - timedelta(days=7)).replace(tzinfo=None).isoformat(sep=" ")
        database.execute("UPDATE known_rules SET since = ?", (a_week_ago,))
    database.close()


@pytest.mark.parametrize("days_ago", [1, 3])
async def test_a_crossing_that_appears_late_is_posted_once_and_marked(world: World, days_ago: int) -> None:
    await watched_for_a_week(world)
    world.cartesia.set_day(utc_day(world.now()) - timedelta(days=days_ago), cents=6100)
    await world.run()
    [late] = await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the late alert")
    assert late.text.startswith("🔴 Daily spend: $61.00 of $50.00 (122%)")
    assert "late: the day was over before the figure arrived" in late.text
    await world.checks(2)
    assert len(world.slack.messages("voice-spend")) == 1


async def test_what_is_older_than_three_days_is_history(world: World) -> None:
    await watched_for_a_week(world)
    world.cartesia.set_day(utc_day(world.now()) - timedelta(days=4), cents=6100)
    await world.run()
    await world.checks(2)
    assert world.slack.messages("voice-spend") == []

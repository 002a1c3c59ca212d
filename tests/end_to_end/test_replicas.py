"""Several replicas on PostgreSQL: each crossing told once, usage read once per interval."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.sandbox.slack.workspace import ADMIN, BOT_USER_ID
from bot.sandbox.world import BotProcess, World
from bot.windows import utc_day
from tests.databases import Postgres

CHANNELS = 10
CROSSINGS = 100


def many_rules() -> str:
    lines = ['channel: "#voice-spend"', 'operations_channel: "#voice-ops"', "rules:"]
    for number in range(CROSSINGS):
        channel = f"#team-{number % CHANNELS}"
        lines.append(f'  - {{name: "Rule {number}", threshold: "{number + 1} cents", channel: "{channel}"}}')
    return "\n".join(lines) + "\n"


async def start(world: World, count: int, address: str) -> list[BotProcess]:
    """So many replicas, their clocks up to 30 seconds apart."""
    replicas = []
    for number in range(count):
        skew = (number % 2) * 30 - 15
        replica = world.program(str(skew), module="tests.replica", DATABASE_URL=address, BLIND_AFTER="3s")
        await replica.start()
        replicas.append(replica)
    for replica in replicas:
        await replica.said("connected to Slack", 30)
    return replicas


def told(world: World) -> list[str]:
    """The name of each rule as often as it was told."""
    return [
        message.text.split(":")[0].removeprefix("🔴 ")
        for number in range(CHANNELS)
        for message in world.slack.messages(f"team-{number}")
    ]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("count", "served_url"), [(2, "directly"), (3, "through PgBouncer")], indirect=["served_url"])
async def test_100_crossings_are_told_and_a_click_that_comes_again_is_done_once_though_a_replica_is_killed(
    world: World, served_url: str, count: int
) -> None:
    for number in range(CHANNELS):
        world.slack.workspace.add_channel(
            f"team-{number}", channel_id=f"C0TEAM{number:03d}", members=(ADMIN, BOT_USER_ID)
        )
    world.rules_file.write_text(many_rules())
    replicas = await start(world, count, served_url)
    await world.checks()
    began, asked_before = time.monotonic(), len(world.cartesia.requests)
    world.cartesia.set_day(utc_day(world.now()), cents=5000)
    await world.slack.until(lambda: len(told(world)) >= 30 or None, 60, "30 crossings")
    acknowledged = await world.slack.click(first := world.slack.messages("team-0")[0], "acknowledge")
    reader = next(replica for replica in replicas if any("CROSSED" in line for line in replica.lines))
    await world.slack.until(lambda: "acknowledged" in first.text or None, 10, "the edit")
    await reader.stop(9)
    await world.slack.until(lambda: len(set(told(world))) == CROSSINGS or None, 90, "every crossing")
    await world.slack.click(first, "undo")
    await world.slack.until(lambda: "acknowledged" not in first.text or None, 30, "the undo")
    for _ in range(count):  # each of those that are left hears the old click again
        await world.slack.replay(acknowledged)
    await asyncio.sleep(3)
    assert "acknowledged" not in first.text
    assert [reply.text.split()[0] for reply in world.slack.thread(first)] == ["Acknowledged", "Undone"]
    assert sorted(told(world)) == sorted(f"Rule {number}" for number in range(CROSSINGS))
    intervals = time.monotonic() - began
    assert len(world.cartesia.requests) - asked_before <= intervals + 2


@pytest.mark.timeout(120)
async def test_reading_is_taken_over_within_15_seconds_of_a_death(world: World, postgres: Postgres) -> None:
    replicas = await start(world, 2, postgres.new_database())
    await world.checks()
    world.cartesia.set_day(utc_day(world.now()), cents=4500)
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 10, "the warning")
    reader = next(replica for replica in replicas if any("CROSSED" in line for line in replica.lines))
    await reader.stop(9)
    died = time.monotonic()
    world.cartesia.set_day(utc_day(world.now()), cents=5500)
    await world.slack.until(lambda: len(world.slack.messages("voice-spend")) == 2 or None, 20, "the breach")
    assert time.monotonic() - died < 19  # 15 for the lease, the rest for the check and the posts


@pytest.mark.timeout(60)
async def test_a_replica_that_stops_properly_hands_over_at_once(world: World, postgres: Postgres) -> None:
    first, second = await start(world, 2, postgres.new_database())
    await world.checks(5)
    assert await first.stop() == 0
    asked = len(world.cartesia.requests)
    await world.cartesia.arrived(asked + 1, 8)
    await world.checks(2)
    assert await second.stop() == 0
    assert world.slack.messages("voice-ops") == []  # who takes over was not blind before
    assert not any("Slack counts" in line for each in (first, second) for line in each.lines)  # they know each other

"""The short form of `make crash`: the bot is killed at points spread evenly over a crossing, and nothing is lost or
told twice. The long form kills it at every point, and says which they are."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from bot.sandbox.slack.workspace import BOT_USER_ID, Message
from tests.crash.bots import Bots
from tests.crash.preparations import Preparations
from tests.crash.trial import CALLS, FIRST, SCENARIOS, SPEND, Scenario, judge, new_world, trial


@pytest.mark.parametrize(
    ("scenario", "nth"),
    [
        pytest.param(scenario, nth, id=f"{scenario.name}, kill {nth} of {scenario.kills}")
        for scenario in SCENARIOS
        for nth in range(1, scenario.kills + 1)
    ],
)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_killed_at_this_point_the_bot_still_tells_everything_once(
    preparations: Preparations, bots: Bots, database: str, scenario: Scenario, nth: int
) -> None:
    points = await preparations.points(database, scenario)
    number = 1 + round((points - 1) * (nth - 1) / (scenario.kills - 1))
    outcome = await trial(await preparations.of(database, scenario), bots, str(number))
    print(f"point {number} of {points}: {outcome.place or 'not reached this time'}")
    assert outcome.died or nth == scenario.kills, "the number of points depends a little on timing, yet not that much"
    assert outcome.verdict.lost == ()
    assert outcome.verdict.doubled == ()
    assert outcome.trouble == ""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_the_points_lie_in_every_step_from_the_reading_to_the_noted_delivery(
    preparations: Preparations, bots: Bots, database: str
) -> None:
    passed = (await trial(await preparations.of(database, FIRST), bots, "0")).passed
    for step in ("Checker.check", "IncidentStore.record ", "Outbox.claim ", "Sender.post ", "Outbox.settle_delivered "):
        for kind in ("begun", "unseen", "done"):
            assert any(f" {kind} " in line and step in line for line in passed), (step, kind)
    for library in ("anyio/", "aiohttp/", "aiosqlite/" if database == "sqlite" else "psycopg/"):
        assert any(f"| {library}" in line for line in passed), library


async def test_the_harness_sees_a_lost_a_doubled_and_a_misplaced_message(tmp_path: Path) -> None:
    world = new_world(tmp_path, FIRST)
    workspace = world.slack.workspace
    metadata = {"event_type": "agent_usage_bot", "event_payload": {"id": "1", "kind": "alert"}}
    spend = Message(world.slack.channel(SPEND[0]).id, "1.000000", BOT_USER_ID, SPEND[2], metadata=metadata)
    workspace.post(spend)
    assert judge(world, FIRST.told).lost == (CALLS,)
    workspace.post(deepcopy(spend))
    assert judge(world, FIRST.told).doubled == (SPEND, ("", "same id", "1"))
    misplaced = Message(spend.channel, "2.000000", BOT_USER_ID, CALLS[2])
    workspace.post(misplaced)
    assert judge(world, FIRST.told).lost == (CALLS,)
    assert (SPEND[0], *CALLS[1:]) in judge(world, FIRST.told).doubled

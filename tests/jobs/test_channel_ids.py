"""Ids of channels, while Slack takes its time to list them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import elapsed
from bot.jobs.channel_ids import ChannelIds
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import SPEND_CHANNEL
from bot.sandbox.world import real_now
from bot.slack.client import Client
from bot.slack.sender import Sender
from bot.store.database import open_database
from bot.store.migrate import migrate
from bot.store.outbox import Outbox

LIST = "conversations.list"


@pytest.mark.parametrize("posts", [1, 3])
async def test_a_list_that_takes_longer_than_a_post_waits_is_there_for_the_next_post(
    tmp_path: Path, posts: int
) -> None:
    async with SimulatedSlack(real_now) as slack:
        database = open_database(f"sqlite:///{tmp_path / 'agent-usage.db'}")
        await migrate(database)
        slack.faults.add(LIST, Fault("slow", seconds=2.5), times=None)
        sender = Sender(Client(slack.bot_token, base_url=slack.api_url, retry_handlers=[]), lambda: True)
        channel_ids = ChannelIds(sender, Outbox(database, "holder"))
        for _ in range(posts):
            began = elapsed()
            found = await channel_ids.id_or_name("#voice-spend")
            assert elapsed() - began < 2.4
        assert found == ("#voice-spend" if posts == 1 else SPEND_CHANNEL)
        assert len(slack.calls_of(LIST)) <= 2  # one for each kind of channel
        await database.close()

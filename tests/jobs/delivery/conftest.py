"""A delivery loop of its own, on a real database and the simulated Slack, with short waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from bot.jobs.channel_ids import ChannelIds
from bot.jobs.deliver import Deliveries, Pace
from bot.jobs.sending import Sending
from bot.model import Message
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import Message as SlackMessage
from bot.sandbox.world import real_now
from bot.slack.client import Client
from bot.slack.sender import Sender
from bot.store.database import Database, open_database
from bot.store.leases import Lease
from bot.store.outbox import Outbox, enqueue
from bot.store.tables import incidents

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUICK = Pace(between_posts=0.0, waits=(0.05, 0.1, 0.2), between_looks=0.05)


@dataclass
class Post:
    """One process's part in delivering: its database, its sign of life, its loop."""

    database: Database
    slack: SimulatedSlack
    lease: Lease
    deliveries: Deliveries
    operations: list[str]
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, text: str, channel: str = "#voice-spend", blocks: tuple[dict[str, object], ...] = ()) -> str:
        """One message in the outbox."""
        [row_id] = await self.put_all(Message(text, blocks), channel=channel)
        return row_id

    async def put_all(self, *messages: Message, channel: str = "#voice-spend") -> list[str]:
        """Messages in the outbox, as one check decides them."""
        where: dict[str, Any] = {"kind": "alert", "action": "post", "channel": channel, "now": NOW}
        async with self.database.writing() as connection:
            return [await enqueue(connection, message=message, **where) for message in messages]

    async def incident(self, first: str, second: str) -> None:
        """An incident's message, and then its edit and the reply in its thread."""
        await self.raised(await self.opened(first), second)

    async def opened(self, text: str) -> int:
        """A new incident's message; its number."""
        values = {"rule": "Spend", "period": "day", "window_start": NOW.date(), "opened_at": NOW}
        values |= {"state": "{}", "closed": False, "channel": "#voice-spend", "face": "{}", "revision": ""}
        async with self.database.writing() as connection:
            number: int = await connection.scalar(insert(incidents).values(values).returning(incidents.c.id)) or 0
            where: dict[str, Any] = {"channel": "#voice-spend", "now": NOW, "incident_id": number}
            await enqueue(connection, kind="alert", action="post", message=Message(text), **where)
        return number

    async def raised(self, number: int, text: str) -> None:
        """The incident's edit and the reply in its thread."""
        where: dict[str, Any] = {"channel": "#voice-spend", "now": NOW, "incident_id": number}
        async with self.database.writing() as connection:
            await enqueue(connection, kind="alert", action="edit", message=Message(f"{text}, shown"), **where)
            await enqueue(connection, kind="reply", action="reply", message=Message(text), broadcast=True, **where)

    async def all_told(self, timeout: float = 10.0) -> None:
        """Wait until Slack has everything and every row knows it."""
        async with asyncio.timeout(timeout):
            while await self.deliveries.pending():
                await asyncio.sleep(0.05)

    def told(self, channel: str = "voice-spend") -> list[str]:
        """The first lines of the channel's messages."""
        return [message.text.splitlines()[0] for message in self.messages(channel)]

    def messages(self, channel: str = "voice-spend") -> list[SlackMessage]:
        return self.slack.messages(channel)


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(real_now) as slack:
        yield slack


@contextlib.asynccontextmanager
async def delivering(address: str, slack: SimulatedSlack, timeout: int = 1) -> AsyncIterator[Post]:
    """A running delivery loop; `timeout` is in seconds for one call to Slack."""
    database = open_database(address)
    lease = Lease(database, f"holder-{id(database)}")
    await lease.begin()
    client = Client(slack.bot_token, base_url=slack.api_url, timeout=timeout, retry_handlers=[])
    outbox = Outbox(database, lease.holder)
    sender, operations = Sender(client, lambda: lease.may_post), ["#voice-ops"]
    sending = Sending(outbox, sender, ChannelIds(sender, outbox), lambda: operations[0])
    deliveries = Deliveries(outbox, sending, lambda: lease.may_post, real_now, QUICK)
    post = Post(database, slack, lease, deliveries, operations)
    running = [asyncio.create_task(deliveries.run(post.stop)), asyncio.create_task(lease.run(post.stop))]
    try:
        yield post
    finally:
        post.stop.set()
        deliveries.wake()
        await asyncio.gather(*running)
        await deliveries.drain()
        with contextlib.suppress(Exception):
            await lease.end()
        await database.close()


@pytest.fixture
async def post(migrated_url: str, slack: SimulatedSlack) -> AsyncIterator[Post]:
    """A running delivery loop on SQLite and on PostgreSQL."""
    async with delivering(migrated_url, slack) as post:
        yield post

"""What waits in the outbox: what only waits for its turn is told from what Slack did not take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model import Message
from bot.store.database import Database
from bot.store.leases import Lease
from bot.store.outbox import Backlog, Outbox, enqueue

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def test_what_was_refused_is_counted_apart_from_what_was_not_tried(database: Database) -> None:
    lease, outbox = Lease(database, "this"), Outbox(database, "this")
    await lease.begin()
    assert await outbox.backlog() == Backlog(0, 0, None, None)
    async with database.writing() as connection:
        for minutes, channel in enumerate(("#a", "#b", "#b", "#c")):
            now = NOON + timedelta(minutes=minutes)
            message = Message(channel, ())
            await enqueue(connection, kind="alert", action="post", channel=channel, message=message, now=now)
    assert await outbox.backlog() == Backlog(4, 0, None, NOON)
    claimed = {delivery.channel: delivery for delivery in await outbox.claim(3, ())}
    await outbox.settle_failed(claimed["#a"], problem="#a: http_503", again_in=60, unclear=False)
    await outbox.settle_failed(claimed["#b"], problem="#b: is_archived", again_in=60, unclear=False)
    await outbox.settle_delivered(claimed["#c"], "C1", "1.2")
    assert await outbox.backlog() == Backlog(3, 2, "#b: is_archived", NOON + timedelta(minutes=2))
    await lease.end()

"""What is due, by a clock that may be set at any time: here the moments in the rows are moved instead of the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from bot.model import Message
from bot.sandbox.world import real_now
from bot.store.database import Database
from bot.store.leases import Lease
from bot.store.outbox import Delivery, Outbox, enqueue
from bot.store.tables import leases, outbox

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = 3600.0


@pytest.fixture
async def box(database: Database) -> AsyncIterator[Outbox]:
    """The outbox of a process that is alive, with one message in it."""
    lease = Lease(database, "this one")
    await lease.begin()
    async with database.writing() as connection:
        where = {"kind": "alert", "action": "post", "channel": "#voice-spend", "now": NOW}
        await enqueue(connection, message=Message("words"), **where)  # type: ignore[arg-type]
    yield Outbox(database, lease.holder)
    await lease.end()


async def refused(box: Outbox, again_in: float, *, unclear: bool = False) -> None:
    """Slack did not take what is due."""
    [delivery] = await box.claim(1, ())
    await box.settle_failed(delivery, problem="http_503", again_in=again_in, unclear=unclear)


async def clock_goes(database: Database, hours: float) -> None:
    """Ahead, or back: what was ahead of the clock is as much nearer, or farther, as is what lies behind it."""
    async with database.writing() as connection:
        moved = {name: outbox.c[name] - hours * HOUR for name in ("due", "first_sent")}
        await connection.execute(update(outbox).values(**moved))
        await connection.execute(update(leases).values(until=leases.c.until - hours * HOUR))


async def claimed(box: Outbox) -> list[Delivery]:
    return await box.claim(1, ())


async def test_a_refused_message_waits(box: Outbox) -> None:
    await refused(box, again_in=60)
    assert await claimed(box) == []


@pytest.mark.parametrize("again_in", [1.0, 60.0, HOUR], ids=["a second", "a minute", "a Retry-After of an hour"])
@pytest.mark.parametrize("hours", [-2, 2], ids=["back", "ahead"])
async def test_no_message_waits_longer_for_a_clock_that_is_set(
    box: Outbox, database: Database, again_in: float, hours: float
) -> None:
    await refused(box, again_in)
    await clock_goes(database, hours)
    assert len(await claimed(box)) == 1


async def test_no_message_waits_longer_than_anybody_may_ask_for(box: Outbox, database: Database) -> None:
    await refused(box, again_in=1e9)  # as a version did that believed any Retry-After
    assert len(await claimed(box)) == 1


async def test_a_message_whose_outcome_is_unclear_is_looked_for_from_no_moment_that_is_still_to_come(
    box: Outbox, database: Database
) -> None:
    await refused(box, again_in=1, unclear=True)
    await clock_goes(database, hours=-72)
    [delivery] = await claimed(box)
    assert delivery.unclear
    assert delivery.first_sent <= real_now().timestamp()

"""Why no message can be delivered, as monitors and the dead-man's switch are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

import pytest

from bot.events import Observers
from bot.jobs.deliver import Deliveries, DeliveryOutage
from bot.jobs.delivery_outage import DeliveryWatch
from bot.store.database import open_database
from bot.store.ledger import Ledger
from bot.store.outbox import Backlog

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG = DeliveryOutage(NOON - timedelta(hours=1), "http_503")
PATIENCE = timedelta(minutes=15)


@dataclass
class Delivering:
    """What the delivery loop knows of itself."""

    trouble: str | None = None
    outage: DeliveryOutage | None = None
    has_delivered: bool = False

    async def backlog(self) -> Backlog:
        return Backlog(3, 2, "#voice-spend: http_503", NOON)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    database = open_database(sqlite_url)
    yield Ledger(database)
    await database.close()


def watch(ledger: Ledger, deliveries: Delivering, lasts: float = 0.0) -> DeliveryWatch:
    """One look comes so many seconds after the other."""
    return DeliveryWatch(
        ledger,
        cast("Deliveries", deliveries),
        lambda: "#voice-ops",
        lambda: NOON,
        PATIENCE,
        Observers(),
        count(0.0, lasts).__next__,
    )


SINCE = ["Slack takes no message since 2026-11-23 11:00 UTC (http_503); kept for delivery: 2 messages"]


async def test_an_outage_is_said_though_messages_were_delivered_before_it(ledger: Ledger) -> None:
    delivery_watch = watch(ledger, Delivering(outage=LONG, has_delivered=True), PATIENCE.total_seconds())
    assert await delivery_watch.warnings() == []
    await delivery_watch.watch()
    assert await delivery_watch.warnings() == SINCE


async def test_an_outage_from_before_a_restart_is_said_until_the_first_delivery(ledger: Ledger) -> None:
    await watch(ledger, Delivering(outage=LONG), PATIENCE.total_seconds()).watch()
    delivering = Delivering()
    delivery_watch = watch(ledger, delivering)
    assert await delivery_watch.warnings() == SINCE
    delivering.has_delivered = True
    assert await delivery_watch.warnings() == []


async def test_a_hiccup_is_not_said(ledger: Ledger) -> None:
    delivery_watch = watch(ledger, Delivering(outage=DeliveryOutage(NOON - timedelta(minutes=1), "http_503")))
    await delivery_watch.watch()
    assert await delivery_watch.warnings() == []


async def test_what_no_time_heals_is_said_at_once(ledger: Ledger) -> None:
    delivery_watch = watch(
        ledger, Delivering(trouble="Slack refuses the token", outage=DeliveryOutage(NOON, "token_revoked"))
    )
    assert await delivery_watch.warnings() == ["Slack refuses the token; kept for delivery: 2 messages"]

"""Whether an outage of Slack's lasts is counted in seconds that pass, however the clock is set meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.events import Observers
from bot.jobs.deliver import Deliveries, DeliveryOutage
from bot.jobs.delivery_outage import DeliveryWatch
from bot.store.database import open_database
from bot.store.ledger import Ledger

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Deliveries503:
    """A Slack that has answered with 503 since noon."""

    outage: DeliveryOutage
    trouble: str | None = None
    has_delivered: bool = False


@pytest.mark.parametrize("hours", [3, -3], ids=["ahead", "back"])
async def test_an_outage_lasts_for_as_long_as_ever_though_the_clock_leaps_in_it(sqlite_url: str, hours: int) -> None:
    database = open_database(sqlite_url)
    ledger, passed = Ledger(database), [0.0]
    delivery_watch = DeliveryWatch(
        ledger,
        cast("Deliveries", Deliveries503(DeliveryOutage(NOON, "http_503"))),
        lambda: "#voice-ops",
        now=lambda: NOON + timedelta(hours=hours, seconds=passed[0]),
        patience=timedelta(minutes=15),
        observer=Observers(),
        seconds=lambda: passed[0],
    )
    noted = []
    for moment in (0.0, 899.0, 900.0):
        passed[0] = moment
        await delivery_watch.watch()
        noted.append(len(await ledger.conditions("delivery")))
    await database.close()
    assert noted == [0, 0, 1]

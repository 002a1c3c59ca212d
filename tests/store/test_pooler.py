"""Through a pooler every transaction may have another session: nothing of ours is kept in one between two of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from bot.model import Message, Reading, Span, Totals
from bot.store.database import open_database
from bot.store.leases import Lease
from bot.store.ledger import Ledger
from bot.store.migrate import migrate
from bot.store.outbox import Outbox
from tests.databases import PgBouncer, Postgres

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAYS = Span(date(2026, 11, 1), date(2026, 11, 24))
LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def address(postgres: Postgres, pgbouncer: PgBouncer) -> str:
    return pgbouncer.address(postgres.new_database())


async def test_several_processes_that_share_few_sessions_do_their_part(address: str) -> None:
    databases = [open_database(address) for _ in range(4)]
    await asyncio.gather(*(migrate(database) for database in databases))

    async def works(number: int) -> None:
        """Statements often enough, one after the other, for psycopg to prepare them where it may."""
        database, holder = databases[number], f"holder-{number}"
        lease, ledger = Lease(database, holder), Ledger(database)
        for minute in range(3):
            await lease.begin()
            at = NOW + timedelta(minutes=minute, seconds=number)
            await ledger.record_reading(Reading(DAYS, {day: Totals(number) for day in DAYS.each_day()}, at), {})
            await ledger.note("rules", holder, NOW)
            await ledger.tell("rules", holder, "#voice-ops", Message("words"), NOW)
        await lease.end()

    await asyncio.gather(*(works(number) for number in range(4)))
    assert await Outbox(databases[0], "").pending() == 4
    for database in databases:
        await database.close()


async def test_the_limits_of_a_transaction_end_with_it(address: str) -> None:
    database = open_database(address)
    async with database.writing() as connection:
        within = [await connection.scalar(text(f"SHOW {limit}")) for limit in LIMITS]
    await database.close()
    with psycopg.connect(address, autocommit=True, prepare_threshold=None) as other:
        after = [other.execute(f"SHOW {limit}".encode()).fetchone() for limit in LIMITS]
    assert within == ["15s", "15s"]
    assert after == [("0",), ("0",)]

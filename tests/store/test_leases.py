"""Signs of life: who may post, who reads usage, and how others take over."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from bot.clock import elapsed
from bot.model import Message
from bot.sandbox.world import real_now
from bot.store.database import Database, open_database
from bot.store.leases import LEASE, Lease
from bot.store.migrate import migrate
from bot.store.outbox import Outbox, enqueue
from bot.store.tables import leases
from tests.databases import Postgres


@pytest.fixture
async def shared(postgres: Postgres, migrated_template: str) -> Database:
    return open_database(postgres.new_database(migrated_template))


async def let_expire(database: Database, holder: str) -> None:
    """Let this process's signs of life be too old, as after 15 seconds."""
    async with database.writing() as connection:
        await connection.execute(update(leases).where(leases.c.holder == holder).values(until=0))


class Clocked:
    """A process whose own seconds the test holds in its hands."""

    def __init__(self, database: Database, holder: str) -> None:
        self.seconds = 0.0
        self.lease = Lease(database, holder, lambda: elapsed() + self.seconds)


async def database_clock_goes(database: Database, seconds: float, *seen_by: Clocked) -> None:
    """Ahead, or back: here what is noted by it, and these processes' own seconds, go the other way."""
    async with database.writing() as connection:
        await connection.execute(update(leases).values(until=leases.c.until - seconds))
    for each in seen_by:
        each.seconds -= seconds


async def sending(database: Database, holder: str) -> None:
    """A message that this process has claimed."""
    async with database.writing() as connection:
        where = {"kind": "alert", "action": "post", "channel": "#voice-spend", "now": real_now()}
        await enqueue(connection, message=Message("words"), **where)  # type: ignore[arg-type]
    assert len(await Outbox(database, holder).claim(1, ())) == 1


async def test_one_of_several_reads_usage_and_all_may_post(shared: Database) -> None:
    processes = [Lease(shared, f"holder-{number}") for number in range(3)]
    for lease in processes:
        await lease.begin()
    assert [lease.may_read for lease in processes] == [True, False, False]
    assert all(lease.may_post for lease in processes)
    await shared.close()


async def test_reading_is_taken_over_when_its_holder_has_been_silent_and_never_before(shared: Database) -> None:
    first, second = Lease(shared, "first"), Lease(shared, "second")
    await first.begin()
    await second.begin()
    await second.begin()
    assert not second.may_read
    await let_expire(shared, "first")
    await second.begin()
    assert second.may_read
    await first.begin()
    assert not first.may_read
    await shared.close()


async def test_the_processes_at_work_are_counted(shared: Database) -> None:
    first, second = Lease(shared, "first"), Lease(shared, "second")
    await first.begin()
    assert await first.alive() == 1
    await first.note_reading(300)
    await second.begin()
    assert (await first.alive(), await second.alive()) == (2, 2)
    await let_expire(shared, "second")
    assert await first.alive() == 1
    await let_expire(shared, "first")
    assert await first.alive() == 1  # whoever asks is there
    await shared.close()


async def test_who_takes_over_asks_when_the_interval_says_so(shared: Database) -> None:
    first, second = Lease(shared, "first"), Lease(shared, "second")
    await first.begin()
    assert await first.until_next_reading(300) == 0.0
    await first.note_reading(300)
    await first.end()
    await second.begin()
    assert second.may_read
    assert 290 < await second.until_next_reading(300) <= 300
    await shared.close()


async def test_a_process_without_a_sign_of_life_may_neither_post_nor_read(shared: Database) -> None:
    lease = Lease(shared, "new")
    assert not lease.may_post
    assert not lease.may_read
    await shared.close()


async def test_nobody_takes_over_from_a_process_that_only_a_leap_of_the_clock_makes_look_dead(shared: Database) -> None:
    """Its own lease is over as well then. Renewed, it knows of the leap, and lets others show that they live."""
    ours, theirs = Clocked(shared, "ours"), Clocked(shared, "theirs")
    for each in (ours, theirs):
        await each.lease.begin()
    await sending(shared, "theirs")
    await database_clock_goes(shared, 60, ours, theirs)
    box = Outbox(shared, "ours")
    assert await box.claim(1, ()) == []
    await ours.lease.begin()
    assert await box.claim(1, ()) == []
    await let_expire(shared, "theirs")
    assert len(await box.claim(1, ())) == 1
    await shared.close()


async def test_a_lease_that_was_written_before_the_clock_went_back_ends_no_later_than_any_other(
    shared: Database,
) -> None:
    dead, heir = Lease(shared, "dead"), Clocked(shared, "heir")
    await dead.begin()
    await database_clock_goes(shared, -7200, heir)
    await heir.lease.begin()
    assert not heir.lease.may_read
    async with shared.reading() as connection:
        left = (await connection.execute(select(leases.c.until - shared.clock()))).scalars().all()
    assert max(left) <= LEASE
    await shared.close()


async def test_the_next_reading_is_never_farther_off_than_an_interval(shared: Database) -> None:
    first = Clocked(shared, "first")
    await first.lease.begin()
    await first.lease.note_reading(300)
    await database_clock_goes(shared, -7200, first)
    assert await first.lease.until_next_reading(300) == 300
    await shared.close()


async def test_a_process_that_slept_with_its_machine_posts_nothing_until_it_has_shown_that_it_lives(
    shared: Database,
) -> None:
    sleeper = Clocked(shared, "sleeper")
    await sleeper.lease.begin()
    assert sleeper.lease.may_post
    assert sleeper.lease.may_read
    sleeper.seconds += 3600
    assert not sleeper.lease.may_post
    assert not sleeper.lease.may_read
    await sleeper.lease.begin()
    assert sleeper.lease.may_post
    await shared.close()


async def test_on_sqlite_the_second_stands_by_until_the_first_is_gone(tmp_path: object) -> None:
    database = open_database(f"sqlite:///{tmp_path}/agent-usage.db")
    await migrate(database)
    first, second = Lease(database, "first"), Lease(database, "second")
    assert await first.begin() is False
    assert await first.alive() == 1
    waiting = asyncio.create_task(second.begin())
    await asyncio.sleep(0.6)
    assert not waiting.done()
    assert not second.may_post
    await first.end()
    async with asyncio.timeout(5):
        assert await waiting is True
    assert second.may_post
    assert second.may_read
    await second.end()
    await database.close()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgres://u:p@h:5432/d?sslmode=require", "postgresql+psycopg://u:***@h:5432/d?sslmode=require"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
    ids=["as Heroku writes it", "as PostgreSQL writes it"],
)
def test_an_address_is_taken_as_it_is_written(written: str, meant: str) -> None:
    assert repr(open_database(written).engine.url) == meant


async def test_tls_is_asked_for_where_the_address_says_so(postgres: Postgres) -> None:
    from bot.errors import StoreError

    database = open_database(postgres.new_database() + "?sslmode=require")
    with pytest.raises(StoreError, match="SSL"):
        await migrate(database)
    await database.close()

"""The schema that migrations make is the one the queries use, also when several processes start together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import StoreError
from bot.store import migrate as migrating
from bot.store.database import open_database
from bot.store.migrate import HEAD, migrate
from bot.store.outbox import Outbox
from bot.store.tables import metadata

WAITING = """INSERT INTO outbox
    (id, kind, action, channel, body, broadcast, created_at, state, unclear, attempts, due) VALUES
    ('a1', 'alert', 'post', '#voice-spend', '{"text": "Over budget", "blocks": []}', false, '2026-11-27 12:00:00+00:00',
     'waiting', false, 0, 0)"""


def first_schema(connection: Connection) -> None:
    """The tables as the first migration made them."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrations_lead_to_the_tables_the_queries_use(database_url: str) -> None:
    database = open_database(database_url)
    assert await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_current_database_is_left_alone(database_url: str) -> None:
    database = open_database(database_url)
    await migrate(database)
    assert not await migrate(database)
    await database.close()


async def test_a_database_of_the_first_schema_is_taken_over_with_what_it_holds(database_url: str) -> None:
    database = open_database(database_url)
    async with database.writing() as connection:
        await connection.run_sync(first_schema)
        await connection.execute(text(WAITING))
    assert await migrate(database)
    [delivery] = await Outbox(database, "a process").claim(1, ())
    assert (delivery.channel, delivery.message.text) == ("#voice-spend", "Over budget")
    await database.close()


async def test_several_that_start_together_migrate_once(database_url: str) -> None:
    databases = [open_database(database_url) for _ in range(5)]
    done = await asyncio.gather(*(migrate(database) for database in databases))
    assert sorted(done) == [False, False, False, False, True]
    for database in databases:
        await database.close()


def test_the_named_head_is_the_newest_migration() -> None:
    folder = migrating.__file__.replace("migrate.py", "migrations")
    assert ScriptDirectory(folder).get_current_head() == HEAD


async def test_a_database_of_a_newer_version_is_refused_in_one_sentence(database_url: str) -> None:
    database = open_database(database_url)
    await migrate(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer than this program"):
        await migrate(database)
    await database.close()

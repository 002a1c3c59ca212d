"""Bringing the database to the current schema, safely when several processes start together."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.errors import DatabaseUnusable
from bot.store.database import Database
from bot.store.files import lock_of

HEAD = "0004_acts"  # the newest migration; naming it here spares every start the import of Alembic
_LOCK = 7_246_110_019  # any number of our own, for PostgreSQL's advisory lock

log = logging.getLogger(__name__)


async def migrate(database: Database) -> bool:
    """Upgrade to HEAD where needed; says whether anything was done. Raises StoreError."""
    async with database.reading() as connection:  # which also refuses a folder that can't be looked into
        found = await connection.run_sync(_revision)
    if found == HEAD:
        return False
    if found is None and database.file and lock_of(database.file).exists():
        log.warning(
            "%s was not there and is made anew, though a bot worked with it before: what it told of open windows is "
            "told again. If it was lost by mistake, stop the bot and put a backup in its place.",
            database.file,
        )
    async with database.writing() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if await connection.run_sync(_revision) == HEAD:
            return False
        await connection.run_sync(_upgrade)
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command  # only a first start and an upgrade need it: 0.2 s of every other start
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseUnusable(
            f"The database is newer than this program ({error}): deploy the version that made it."
        ) from None

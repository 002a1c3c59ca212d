"""The connection: SQLite in WAL mode or PostgreSQL behind one interface, transactions, and plain errors.

On PostgreSQL nothing is kept in the session between two transactions, so that a pooler may give each transaction
another one (https://www.pgbouncer.org/features.html, transaction pooling): no options at connect, no prepared
statements, limits that end with their transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Table, cast, event, func, literal_column
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store.failures import refuse_obstacle, store_error
from bot.store.files import OpenFiles
from bot.system.addresses import database_address

PAGES = 512  # KiB that each of up to fifteen connections to SQLite keeps in memory; by itself it takes 2,000
LOCK_PATIENCE = 5  # seconds a statement waits for another process's lock on SQLite before it fails and is tried later

# Nobody waits for ever, also not for a process that was suspended within a transaction: the server ends that one.
_LIMITS = """SELECT set_config('statement_timeout', '15s', true),
                    set_config('idle_in_transaction_session_timeout', '15s', true)"""


@dataclass(frozen=True)
class Database:
    """An engine and what differs between the two databases."""

    engine: AsyncEngine
    files: OpenFiles | None = None  # SQLite's, None on PostgreSQL

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """SQLite's file, None on PostgreSQL."""
        return self.files.file if self.files else None

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection with a consistent view. Raises StoreError."""
        with plain_errors(self.file):
            async with self._connected() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end and undone on any error. Raises StoreError."""
        with plain_errors(self.file):
            async with self._connected() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    yield connection

    def _connected(self) -> AsyncConnection:
        if self.files:
            self.files.check()  # also before a connection is opened, which would make an empty file
        return self.engine.connect()

    def insert(self, table: Table) -> Any:
        """An insert that may say what to do about a conflict, as both databases can."""
        return insert_on_sqlite(table) if self.is_sqlite else insert_on_postgresql(table)

    def clock(self) -> ColumnElement[Any]:
        """Seconds since 1970 on the database's clock, moving also within a transaction."""
        if self.is_sqlite:
            return literal_column("((julianday('now') - 2440587.5) * 86400.0)")
        return cast(func.extract("epoch", func.clock_timestamp()), Double)

    def exists(self) -> bool:
        """Whether there is something to look into, which looking would make. Raises DatabaseUnusable."""
        if self.file is None:
            return True
        refuse_obstacle(self.file)
        return self.file.exists()

    async def close(self) -> None:
        await self.engine.dispose()


def open_database(address: str) -> Database:
    """The database at DATABASE_URL; nothing is connected yet."""
    url = database_address(address)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    engine = create_async_engine(
        url,
        pool_pre_ping=True,  # a connection that the server dropped is replaced, not reported
        pool_size=5,
        connect_args={"connect_timeout": 5, "prepare_threshold": None},
    )

    @event.listens_for(engine.sync_engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(_LIMITS)

    return Database(engine)


def _open_sqlite(url: URL) -> Database:
    files = OpenFiles(Path(url.database or "").absolute())
    engine = create_async_engine(
        url.set(database=str(files.file)),
        pool_use_lifo=True,  # the connection whose pages are cached
        connect_args={"timeout": LOCK_PATIENCE},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def look_first(*_: Any) -> None:
        refuse_obstacle(files.file)  # SQLite itself would only say that it can't open it
        files.make_private()

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, where they can be begun for writing
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{PAGES}"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()  # SQLAlchemy does not yet know of it, and its thread would outlive the loop
            raise
        files.note_opened()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return Database(engine, files)


@contextlib.contextmanager
def plain_errors(file: Path | None) -> Iterator[None]:
    """What goes wrong with the database, SQLite's at this file, is a StoreError."""
    try:
        yield
    except (SQLAlchemyError, OSError, sqlite3.Error, TimeoutError) as error:
        raise store_error(error, file) from error

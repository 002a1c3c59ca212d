"""The connection: SQLite in WAL mode or PostgreSQL behind one face, transactions, and plain errors."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, event, func, literal_column, make_url
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreError

LOCK_PATIENCE = 5  # seconds a statement waits for another process's lock before it fails and is tried again later


@dataclass(frozen=True)
class Database:
    """An engine and what differs between the two databases."""

    engine: AsyncEngine
    file: Path | None  # SQLite's file, None on PostgreSQL

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection with a consistent view. Raises StoreError."""
        with _plain_errors():
            async with self.engine.connect() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end and undone on any error. Raises StoreError."""
        with _plain_errors():
            async with self.engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    yield connection

    def insert(self, table: Table) -> Any:
        """An insert that may say what to do about a conflict, as both databases can."""
        return insert_on_sqlite(table) if self.is_sqlite else insert_on_postgresql(table)

    def clock(self) -> ColumnElement[Any]:
        """Seconds since 1970 on the database's clock, moving also within a transaction."""
        if self.is_sqlite:
            return literal_column("((julianday('now') - 2440587.5) * 86400.0)")
        return func.extract("epoch", func.clock_timestamp())

    async def close(self) -> None:
        await self.engine.dispose()


def open_database(address: str) -> Database:
    """The database at DATABASE_URL; nothing is connected yet."""
    url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", address))
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    engine = create_async_engine(
        url,
        pool_pre_ping=True,  # a connection that the server dropped is replaced, not reported
        pool_size=5,
        connect_args={"connect_timeout": 5, "options": "-c statement_timeout=15000"},
    )
    return Database(engine, None)


def _open_sqlite(url: URL) -> Database:
    file = Path(url.database or "agent-usage.db").absolute()
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite", database=str(file)), connect_args={"timeout": LOCK_PATIENCE}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, where they can be begun for writing
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return Database(engine, file)


@contextlib.contextmanager
def _plain_errors() -> Any:
    try:
        yield
    except (SQLAlchemyError, OSError, sqlite3.Error, TimeoutError) as error:
        raise StoreError(f"The database did not do its part: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    """The driver's own first line, without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")

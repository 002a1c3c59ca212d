"""The one working process's lock on a SQLite database: a file beside it, and a look at whether its files are there."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

import aiosqlite

from bot.errors import DatabaseGone, DatabaseUnusable
from bot.store.database import plain_errors
from bot.store.files import PRIVATE, OpenFiles, identity_of, lock_of

log = logging.getLogger(__name__)


class FileLock:
    """The lock that is held, and a connection of its own that stays open. `was_waited_for`: another process had it
    before."""

    def __init__(self, files: OpenFiles, connection: aiosqlite.Connection, *, was_waited_for: bool) -> None:
        self.was_waited_for = was_waited_for
        self._files = files
        self._connection = connection
        self._was_gone = False

    async def look(self) -> None:
        """Raises DatabaseGone where a file is gone at two looks, since one that was put back is no loss; StoreError."""
        try:
            with plain_errors(self._files.file):
                self._files.check()
        except DatabaseGone:
            if self._was_gone:
                raise
            self._was_gone = True
            await self._empty_the_log()
        else:
            self._was_gone = False

    async def _empty_the_log(self) -> None:
        """Bring what was written last into the file it belongs to, wherever that is, so that it is not brought into
        another one that was put in its place."""
        with plain_errors(self._files.file):
            await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.asynccontextmanager
async def hold_lock(files: OpenFiles) -> AsyncIterator[FileLock]:
    """Work with the database, once no other process does. Raises StoreError."""
    async with contextlib.AsyncExitStack() as held:
        lock, waited = await _locked(files.file)
        held.enter_context(lock)
        with plain_errors(files.file):
            files.check()  # what another process held for long may be gone
            connection = await held.enter_async_context(aiosqlite.connect(files.file))
            await connection.execute_fetchall("SELECT 1 FROM sqlite_master")  # only this opens the logs beside it
            files.note_working()
        yield FileLock(files, connection, was_waited_for=waited)


async def _locked(file: Path) -> tuple[IO[Any], bool]:
    """The lock, and whether another process had it."""
    path = lock_of(file)
    waited = False
    while (lock := _lock(path)) is None:
        if not waited:
            log.warning("another agent-usage works with %s; standing by until it stops", file)
        waited = True
        await asyncio.sleep(0.5)
    return lock, waited


def _lock(path: Path) -> IO[Any] | None:
    """The locked file; None where another process has it, or has just made another one of this name."""
    try:
        lock = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w")
    except OSError as error:
        raise DatabaseUnusable(
            f"{path} can't be written ({error.strerror}): correct DATABASE_URL or the folder's rights."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(lock.fileno())
        if (held.st_dev, held.st_ino) == identity_of(path):
            return lock
    except BlockingIOError:
        pass
    except OSError as error:
        lock.close()
        raise DatabaseUnusable(
            f"{path} can't be locked ({error.strerror}): keep the database on a local disk, and correct DATABASE_URL."
        ) from None
    lock.close()
    return None

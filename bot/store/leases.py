"""Who is alive, and who reads usage.

On SQLite there is one working process: it holds a lock on a file beside the database, which the system frees the moment
it dies. Another one stands by until then. On PostgreSQL every process renews a lease, by the database's clock.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import time
from pathlib import Path
from typing import IO, Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql

from bot.errors import DatabaseUnusable, StoreError
from bot.logs import ends, repeats
from bot.store.database import Database
from bot.store.tables import leases
from bot.waiting import set_within

LEASE = 15.0  # seconds after its last sign of life that a process counts as dead (DESIGN section 5)
RENEW = 3.0  # seconds between two signs of life
POSTING_ROOM = 5.0  # seconds since the last renewal within which a post (10 s at most) still ends before the lease does
FOREVER = 1e12
READER = "reader"
NEXT_READING = "next reading"  # its `until` is when Cartesia is to be asked again

log = logging.getLogger(__name__)


class Presence:
    """This process's sign of life. `holder` is its name in the database."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self.holder = holder
        self._renewed = float("-inf")
        self._reads = False
        self._lock: IO[Any] | None = None

    @property
    def may_post(self) -> bool:
        """Whether a post begun now would end before anybody could take this process for dead."""
        return self._lock is not None or time.monotonic() - self._renewed < POSTING_ROOM

    @property
    def may_read(self) -> bool:
        """Whether it falls to this process to read usage."""
        return self._lock is not None or (self._reads and time.monotonic() - self._renewed < LEASE)

    async def begin(self) -> bool:
        """Become a working process; on SQLite this waits until no other one is, and True is then given.

        Raises StoreError.
        """
        if self._database.file is None:
            await self._renew()
            return False
        lock, waited = await _lock_beside(self._database.file)
        async with self._database.writing() as connection:
            await connection.execute(delete(leases))  # whoever was here is dead
            await connection.execute(insert(leases).values(name=self.holder, holder=self.holder, until=FOREVER))
        self._lock = lock
        return waited

    async def run(self, stop: asyncio.Event) -> None:
        """Renew until the bot stops; where a lock says it all there is nothing to renew."""
        while not await set_within(stop, RENEW):
            if self._lock is not None:
                continue
            try:
                await self._renew()
                log.info("lease: it is renewed again", extra=ends("lease"))
            except StoreError as error:
                log.error("lease: %s Trying again.", error, extra=repeats("lease", str(error)))

    async def alive(self) -> int:
        """How many processes work on this database, this one included. Raises StoreError."""
        if self._lock is not None:
            return 1
        others = select(func.count()).where(
            leases.c.name == leases.c.holder, leases.c.name != self.holder, leases.c.until > self._database.clock()
        )
        async with self._database.reading() as connection:
            return 1 + (await connection.scalar(others) or 0)

    async def until_next_reading(self) -> float:
        """Seconds until Cartesia is to be asked again, for a process that has just taken over; 0 where nobody asked.

        Where a lock says that there is one process, it asks when it starts. Raises StoreError.
        """
        if self._lock is not None:
            return 0.0
        left = select(leases.c.until - self._database.clock()).where(leases.c.name == NEXT_READING)
        async with self._database.reading() as connection:
            return max(0.0, await connection.scalar(left) or 0.0)

    async def note_reading(self, interval: float) -> None:
        """Cartesia has answered, and is asked again in `interval` seconds, whoever reads then. Raises StoreError."""
        if self._lock is not None:
            return
        until = self._database.clock() + interval
        noted = insert_on_postgresql(leases).values(name=NEXT_READING, holder="", until=until)
        async with self._database.writing() as connection:
            await connection.execute(noted.on_conflict_do_update(index_elements=["name"], set_={"until": until}))

    async def end(self) -> None:
        """Let others take over at once. Raises StoreError."""
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.holder == self.holder))
        if self._lock:
            self._lock.close()
            self._lock = None

    async def _renew(self) -> None:
        asked = time.monotonic()
        async with self._database.writing() as connection:
            await self._hold(connection, self.holder)
            self._reads = await self._hold(connection, READER)
            await connection.execute(delete(leases).where(leases.c.until < self._database.clock() - 3600))
        self._renewed = asked

    async def _hold(self, connection: Any, name: str) -> bool:
        until = self._database.clock() + LEASE
        mine = insert_on_postgresql(leases).values(name=name, holder=self.holder, until=until)
        held = await connection.execute(
            mine.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": self.holder, "until": until},
                where=or_(leases.c.holder == self.holder, leases.c.until < self._database.clock()),
            ).returning(leases.c.name)
        )
        return held.first() is not None


async def _lock_beside(file: Path) -> tuple[IO[Any], bool]:
    """The lock, and whether another process had it."""
    path = file.with_name(file.name + ".lock")
    try:
        lock = path.open("w")
    except OSError as error:
        raise DatabaseUnusable(
            f"{path} can't be written ({error.strerror}): correct DATABASE_URL or the folder's rights."
        ) from None
    waited = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waited:
                log.warning("another agent-usage works with %s; standing by until it stops", file)
            waited = True
            await asyncio.sleep(0.5)
        else:
            return lock, waited

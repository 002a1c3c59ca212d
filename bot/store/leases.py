"""Who is alive, and who reads usage.

On SQLite there is one working process (file_lock.py); another one stands by until it dies. On PostgreSQL every process
renews a lease, by the database's clock. That clock may be set, too: a lease never ends later than `LEASE` from now, and
when the clock has leapt ahead, whoever was alive before has as long again to show that he lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import elapsed
from bot.errors import DatabaseGone, StoreError
from bot.logs import ends, repeats
from bot.store.database import Database
from bot.store.file_lock import FileLock, hold_lock
from bot.store.tables import leases
from bot.system.waiting import set_within

LEASE = 15.0  # seconds after its last sign of life that a process counts as dead (docs/design.md, “Who works”)
RENEW = 3.0  # seconds between two signs of life
POSTING_ROOM = 5.0  # seconds since the last renewal within which a post (10 s at most) still ends before the lease does
LEAP = 10.0  # seconds that no slow answer explains; a smaller leap ends no lease that is renewed every three
FOREVER = 1e12
READER = "reader"
NEXT_READING = "next reading"  # its `until` is when Cartesia is to be asked again

log = logging.getLogger(__name__)


class Lease:
    """This process's sign of life. `holder` is its name in the database.

    `seconds` are counted while the machine is suspended, too: a process that slept must know that it counts as dead.
    """

    def __init__(self, database: Database, holder: str, seconds: Callable[[], float] = elapsed) -> None:
        self._database = database
        self.holder = holder
        self._seconds = seconds
        self._renewed = float("-inf")
        self._ahead: float | None = None  # how far the database's clock is ahead of `seconds`
        self._reads = False
        self._lock: FileLock | None = None
        self._held = contextlib.AsyncExitStack()

    @property
    def may_post(self) -> bool:
        """Whether a post begun now would end before anybody could take this process for dead."""
        return self._lock is not None or self._seconds() - self._renewed < POSTING_ROOM

    @property
    def may_read(self) -> bool:
        """Whether it falls to this process to read usage."""
        return self._lock is not None or (self._reads and self._seconds() - self._renewed < LEASE)

    async def begin(self) -> bool:
        """Become a working process; on SQLite this waits until no other one is, and True is then given.

        Raises StoreError.
        """
        if self._database.files is None:
            await self._renew()
            return False
        async with contextlib.AsyncExitStack() as held:
            lock = await held.enter_async_context(hold_lock(self._database.files))
            async with self._database.writing() as connection:
                await connection.execute(delete(leases))  # whoever was here is dead
                await connection.execute(insert(leases).values(name=self.holder, holder=self.holder, until=FOREVER))
            self._lock, self._held = lock, held.pop_all()
        return lock.was_waited_for

    async def run(self, stop: asyncio.Event) -> None:
        """Renew, or look after the database's files, until the bot stops. Raises DatabaseGone."""
        while not await set_within(stop, RENEW):
            try:
                await (self._lock.look() if self._lock else self._renew())
                log.info("lease: it is renewed again", extra=ends("lease"))
            except DatabaseGone:
                raise
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

    async def until_next_reading(self, interval: float) -> float:
        """Seconds until Cartesia is to be asked again, for a process that has just taken over; 0 where nobody asked.

        Never more than an `interval`. Where a lock says that there is one process, it asks when it starts. Raises
        StoreError.
        """
        if self._lock is not None:
            return 0.0
        left = select(leases.c.until - self._database.clock()).where(leases.c.name == NEXT_READING)
        async with self._database.reading() as connection:
            return min(max(0.0, await connection.scalar(left) or 0.0), interval)

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
        if self._lock:
            self._lock = None
            await self._held.aclose()
            return
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.holder == self.holder))

    async def _renew(self) -> None:
        asked = self._seconds()
        async with self._database.writing() as connection:
            await self._bound(connection)
            await self._lease(connection, self.holder)
            self._reads = await self._lease(connection, READER)
            await connection.execute(delete(leases).where(leases.c.until < self._database.clock() - 3600))
        self._renewed = asked

    async def _bound(self, connection: AsyncConnection) -> None:
        """Let no lease end later than it could be meant to, and none too early by a leap of the database's clock."""
        clock = await connection.scalar(select(self._database.clock())) or 0.0
        leap = self._leap(clock)
        alive_before = and_(leases.c.until > clock - leap, leases.c.until <= clock)
        await connection.execute(
            update(leases)
            .where(leases.c.name != NEXT_READING, or_(leases.c.until > clock + LEASE + 1, alive_before))
            .values(until=clock + LEASE)
        )

    def _leap(self, clock: float) -> float:
        """Seconds by which the database's clock was set ahead since it was last looked at, or back; 0 where it ran."""
        before, self._ahead = self._ahead, clock - self._seconds()
        leap = 0.0 if before is None else self._ahead - before
        if abs(leap) < LEAP:
            return 0.0
        log.warning("the database's clock is %+.0f s from where it was; leases are counted anew", leap)
        return leap

    async def _lease(self, connection: AsyncConnection, name: str) -> bool:
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

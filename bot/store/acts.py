"""What people did within the last ten minutes, so that a request that comes again does nothing twice.

Slack's signature holds for five minutes, and whoever has a signed request may send it again within them
(https://docs.slack.dev/authentication/verifying-requests-from-slack). What was done is known to every replica and after
a restart. Moments of clicks are Slack's and are held against each other alone, never against a clock of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import DoneBefore
from bot.model import Act
from bot.store.database import Database
from bot.store.tables import acts

KEPT: Final = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """What is done only where it was not done before.

    `keys` name it; `ts` is when, by Slack's clock. It was done before where one of the keys was claimed by something
    that is no more than `apart` seconds older.
    """

    keys: tuple[str, ...]
    ts: float = 0.0
    apart: float = 0.0

    @classmethod
    def of(cls, act: Act, *keys: str, apart: float = 0.0) -> Claim:
        """A click is held against the last one that concerned the same; a command or a submission has its trigger."""
        return cls((act.trigger_id,)) if act.ts is None else cls(keys, act.ts, apart)


class Acts:
    """Claims of what is done outside the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, claim: Claim) -> None:
        """Note that this is done now. Raises DoneBefore, and StoreError."""
        async with self._database.writing() as connection:
            await take(self._database, connection, claim)


async def take(database: Database, connection: AsyncConnection, claim: Claim) -> None:
    """Note in a transaction that this is done with it. Raises DoneBefore, which must undo the transaction."""
    now = database.clock()
    old = func.abs(now - acts.c.at) > KEPT  # also by a clock that was set back
    forgotten = select(acts.c.key).where(old).with_for_update(skip_locked=True)  # another one forgets them as well
    await connection.execute(delete(acts).where(acts.c.key.in_(forgotten)))
    for key in sorted(claim.keys):
        noted = database.insert(acts).values(key=key, ts=claim.ts, at=now)
        newer = noted.on_conflict_do_update(
            index_elements=["key"],
            set_={"ts": noted.excluded.ts, "at": now},
            where=acts.c.ts + claim.apart < noted.excluded.ts,
        )
        if await connection.scalar(newer.returning(acts.c.key)) is None:
            raise DoneBefore

"""Who was let in within the last day, by the database's clock: it outlives a restart, and replicas share it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from bot.store.database import Database
from bot.store.tables import admissions

DAY: Final = 86_400.0  # seconds that somebody counts as let in
HOUR: Final = 3_600.0  # seconds within which it is not written again


class Admissions:
    """Each method raises StoreError. `access` is the fingerprint of the rules' access: under another one nobody was
    let in yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(self, user_id: str, access: str, within: float = DAY) -> bool:
        """Whether this person was let in within so many seconds."""
        recent = func.abs(self._database.clock() - admissions.c.at) < within  # also by a clock that was set back
        async with self._database.reading() as connection:
            return bool(await connection.scalar(select(exists().where(_of(user_id, access), recent))))

    async def note(self, user_id: str, access: str) -> None:
        """This person is let in now; who was let in more than a day ago is forgotten."""
        if await self.holds(user_id, access, HOUR):
            return
        now = self._database.clock()
        noted = self._database.insert(admissions).values(user_id=user_id, access=access, at=now)
        async with self._database.writing() as connection:
            await connection.execute(delete(admissions).where(admissions.c.at < now - DAY))
            await connection.execute(
                noted.on_conflict_do_update(index_elements=["user_id"], set_={"access": access, "at": now})
            )

    async def forget(self, user_id: str) -> None:
        """This person is let in no more; nothing is written where nobody was."""
        known = admissions.c.user_id == user_id
        async with self._database.reading() as connection:
            if not await connection.scalar(select(exists().where(known))):
                return
        async with self._database.writing() as connection:
            await connection.execute(delete(admissions).where(known))


def _of(user_id: str, access: str) -> ColumnElement[bool]:
    return and_(admissions.c.user_id == user_id, admissions.c.access == access)

"""Who was let in within the last day, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from bot.store.admissions import DAY, HOUR, Admissions
from bot.store.database import Database
from bot.store.tables import admissions

ANNA, ACCESS = "U0ANNA", "everyone"


async def moved(database: Database, seconds: float) -> None:
    """As if what is noted had been noted so many seconds earlier."""
    async with database.writing() as connection:
        await connection.execute(update(admissions).values(at=admissions.c.at - seconds))


async def test_somebody_is_let_in_for_a_day_under_the_access_of_then(database: Database) -> None:
    kept = Admissions(database)
    assert not await kept.holds(ANNA, ACCESS)
    await kept.note(ANNA, ACCESS)
    assert await kept.holds(ANNA, ACCESS)
    assert not await kept.holds(ANNA, "admins only")
    assert not await kept.holds("U0BEN", ACCESS)
    await kept.note(ANNA, "admins only")
    assert not await kept.holds(ANNA, ACCESS)
    await moved(database, DAY + 1)
    assert not await kept.holds(ANNA, "admins only")


async def test_a_clock_that_was_set_back_lets_nobody_in_for_longer(database: Database) -> None:
    kept = Admissions(database)
    await kept.note(ANNA, ACCESS)
    await moved(database, -DAY - 1)
    assert not await kept.holds(ANNA, ACCESS)


@pytest.mark.parametrize(("earlier", "written"), [(HOUR / 2, False), (HOUR * 2, True)])
async def test_it_is_written_once_an_hour(database: Database, earlier: float, written: bool) -> None:
    kept = Admissions(database)
    await kept.note(ANNA, ACCESS)
    await moved(database, earlier)
    before = await at_of(database)
    await kept.note(ANNA, ACCESS)
    assert (await at_of(database) > before) is written


async def test_whoever_was_let_in_long_ago_is_forgotten_and_whoever_is_refused_at_once(database: Database) -> None:
    kept = Admissions(database)
    for number in range(3):
        await kept.note(f"U{number}", ACCESS)
    await moved(database, DAY + 1)
    await kept.note(ANNA, ACCESS)
    assert await count(database) == 1
    for _ in range(2):
        await kept.forget(ANNA)
    assert await count(database) == 0


async def at_of(database: Database) -> float:
    return await scalar(database, lambda: select(admissions.c.at))


async def count(database: Database) -> float:
    return await scalar(database, lambda: select(func.count()).select_from(admissions))


async def scalar(database: Database, query: Callable[[], object]) -> float:
    async with database.reading() as connection:
        return float(await connection.scalar(query()) or 0)  # type: ignore[call-overload] # any select

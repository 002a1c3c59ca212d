"""What was done is done once, on SQLite and on PostgreSQL alike, whichever replica is asked."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, update

from bot.errors import DoneBefore
from bot.store.acts import KEPT, Acts, Claim
from bot.store.database import Database
from bot.store.tables import acts
from tests.acts import anew, clicked


async def claims(database: Database, *wanted: Claim) -> list[bool]:
    """Whether each was new, claimed one after the other."""
    return [await claim(database, each) for each in wanted]


async def claim(database: Database, wanted: Claim) -> bool:
    try:
        await Acts(database).claim(wanted)
    except DoneBefore:
        return False
    return True


async def moved(database: Database, seconds: float) -> None:
    """As if what is noted had been noted so many seconds earlier."""
    async with database.writing() as connection:
        await connection.execute(update(acts).values(at=acts.c.at - seconds))


async def test_a_command_is_done_once_and_another_one_as_well(database: Database) -> None:
    first, second = Claim.of(anew("U1")), Claim.of(anew("U1"))
    assert await claims(database, first, first, second, first, second) == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("moments", "new"),
    [
        ((1, 1), [True, False]),
        ((1, 2), [True, True]),
        ((1, 1.000001), [True, True]),
        ((2, 1), [True, False]),
        ((1, 3, 2, 1, 3, 4), [True, True, False, False, False, True]),
    ],
    ids=["the same click", "a newer one", "newer by a microsecond", "out of order", "every old one comes again"],
)
async def test_a_click_is_done_where_it_is_newer_than_the_last_of_the_same(
    database: Database, moments: tuple[float, ...], new: list[bool]
) -> None:
    assert await claims(database, *(Claim.of(clicked(each), "alert 1") for each in moments)) == new


async def test_clicks_on_other_things_are_not_held_against_each_other(database: Database) -> None:
    one, other = Claim.of(clicked(2), "alert 1"), Claim.of(clicked(1, "U2"), "alert 2")
    assert await claims(database, one, other) == [True, True]


async def test_what_concerns_two_things_is_held_against_both_and_noted_of_neither_where_it_is_old(
    database: Database,
) -> None:
    assert await claims(database, Claim.of(clicked(5), "b")) == [True]
    assert await claims(database, Claim.of(clicked(4), "a", "b")) == [False]
    assert await claims(database, Claim.of(clicked(3), "a")) == [True]


async def test_two_clicks_by_accident_are_one_and_a_third_one_later_counts(database: Database) -> None:
    moments = (0, 0.3, 4.9, 5.1)
    shares = [Claim.of(clicked(each), "answer", apart=5.0) for each in moments]
    assert await claims(database, *shares) == [True, False, False, True]


@pytest.mark.parametrize(
    "wanted", [Claim.of(anew("U1")), Claim.of(clicked(1), "alert 1", "other")], ids=["command", "click"]
)
async def test_of_several_that_come_at_once_one_is_done(database: Database, wanted: Claim) -> None:
    done = await asyncio.gather(*(claim(database, wanted) for _ in range(6)))
    assert sorted(done) == [False] * 5 + [True]


@pytest.mark.parametrize("seconds", [KEPT + 1, -KEPT - 1], ids=["by time", "by a clock that was set back"])
async def test_it_is_forgotten_after_ten_minutes(database: Database, seconds: float) -> None:
    await claims(database, Claim.of(anew("U1")), Claim.of(clicked(9e6), "alert 1"))
    await moved(database, seconds)
    assert await claims(database, Claim.of(clicked(1), "alert 1")) == [True]
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(acts)) == 1


async def test_within_ten_minutes_it_is_known(database: Database) -> None:
    wanted = Claim.of(anew("U1"))
    await claims(database, wanted)
    await moved(database, KEPT - 5)
    assert await claims(database, wanted) == [False]

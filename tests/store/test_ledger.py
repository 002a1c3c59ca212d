"""What a check reads and keeps, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Table, func, select, update

from bot.budget.history import Readings, Restated
from bot.model import Message, Reading, Span, Totals
from bot.rules.models import Rules, ThresholdRule
from bot.store.database import Database
from bot.store.ledger import Ledger, Revision
from bot.store.outbox import enqueue
from bot.store.tables import outbox, readings, rule_revisions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
YESTERDAY = DAY - timedelta(days=1)
RULE = ThresholdRule(name="Daily spend <&>", threshold=Decimal(5000), alert_at=(Decimal(80), Decimal(100)))
RULES = Rules(channel="#voice-spend", rules=(RULE,))
DAYS = Span(YESTERDAY, DAY + timedelta(days=1))


async def count(database: Database, table: Table) -> int:
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def actions(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(outbox.c.action).order_by(outbox.c.seq))).scalars())


async def read(ledger: Ledger, course: dict[str, dict[date, int]]) -> None:
    """Keep these readings of cents, by when each was made, as a check does."""
    known: dict[date, Totals] = {}
    for moment, cents in course.items():
        days = {day: Totals(amount) for day, amount in cents.items()}
        await ledger.record_reading(Reading(DAYS, days, at(moment)), known)
        known |= days


def at(moment: str) -> datetime:
    """ "22 23:50" is a moment of November 2026."""
    return datetime.strptime(f"2026-11-{moment}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


async def test_readings_are_kept_only_where_they_changed_so_that_a_day_has_a_curve(database: Database) -> None:
    ledger = Ledger(database)
    days = {YESTERDAY: Totals(100, Decimal("1.5"), 1), DAY: Totals(10, Decimal("0.25"), 1)}
    await ledger.record_reading(Reading(DAYS, days, NOW), {})
    await ledger.record_reading(Reading(DAYS, days, NOW + timedelta(minutes=5)), days)
    grown = {**days, DAY: Totals(25, Decimal("0.75"), 2)}
    await ledger.record_reading(Reading(DAYS, grown, NOW + timedelta(minutes=10)), days)
    assert await count(database, readings) == 3
    last = await ledger.last_reading(DAYS)
    assert last is not None
    assert dict(last.days) == grown
    assert last.read_at == NOW + timedelta(minutes=10)


async def test_the_figures_of_an_earlier_moment_come_back_as_they_were_then(database: Database) -> None:
    ledger = Ledger(database)
    await read(ledger, {"23 10:00": {YESTERDAY: 9, DAY: 1}, "23 11:00": {DAY: 2}, "23 12:00": {YESTERDAY: 8, DAY: 3}})
    past = Readings(await ledger.rows(YESTERDAY))
    then = past.at(at("23 11:30"), DAYS)
    assert then is not None
    assert {day: totals.cents for day, totals in then.days.items()} == {YESTERDAY: 9, DAY: 2}
    assert then.read_at == at("23 11:00")
    assert past.at(at("23 09:59"), DAYS) is None


async def test_a_curve_is_what_was_read_of_a_day_while_it_lasted(database: Database) -> None:
    ledger = Ledger(database)
    await read(
        ledger,
        {
            "22 12:00": {YESTERDAY: 5},
            "22 23:55": {YESTERDAY: 9},
            "23 00:05": {YESTERDAY: 10, DAY: 0},
            "23 12:00": {DAY: 4},
        },
    )
    curves = await ledger.curves(YESTERDAY)
    assert {day: [(moment, totals.cents) for moment, totals in curve] for day, curve in curves.items()} == {
        YESTERDAY: [(at("22 12:00"), 5), (at("22 23:55"), 9)],
        DAY: [(at("23 00:05"), 0), (at("23 12:00"), 4)],
    }
    assert list(await ledger.curves(DAY)) == [DAY]
    past = Readings(await ledger.rows(YESTERDAY))
    assert past.curves(at("23 12:00"), YESTERDAY) == curves
    assert past.curves(at("23 11:00"), DAY) == {DAY: curves[DAY][:1]}
    assert past.curves(at("22 11:00"), YESTERDAY) == {}


@pytest.mark.parametrize(
    ("course", "moved"),
    [
        pytest.param({"22 23:55": 90, "23 00:25": 95}, None, id="a day settles within 30 minutes of its end"),
        pytest.param({"22 23:55": 90, "23 00:30": 95}, None, id="the 30th minute is within"),
        pytest.param({"22 23:55": 90, "23 00:25": 95, "23 09:00": 97}, (95, 97, "23 09:00"), id="later it is restated"),
        pytest.param({"22 23:55": 90, "23 09:00": 70}, (90, 70, "23 09:00"), id="downwards too"),
        pytest.param(
            {"22 23:55": 90, "23 09:00": 70, "23 10:00": 80},
            (90, 80, "23 10:00"),
            id="twice: from the first to the last",
        ),
        pytest.param({"22 23:55": 90, "23 09:00": 70, "23 10:00": 90}, None, id="there and back is no change"),
        pytest.param({"23 09:00": 70}, None, id="what a first start reads is none"),
        pytest.param(
            {"23 09:00": 70, "23 10:00": 75}, (70, 75, "23 10:00"), id="what changes after a first start is one"
        ),
    ],
)
async def test_a_restatement_is_what_moved_once_a_day_had_settled(
    database: Database, course: dict[str, int], moved: tuple[int, int, str] | None
) -> None:
    ledger = Ledger(database)
    await read(ledger, {moment: {YESTERDAY: cents} for moment, cents in course.items()})
    found = await ledger.restatements(Span(YESTERDAY, DAY))
    expected = [Restated(YESTERDAY, Totals(moved[0]), Totals(moved[1]), at(moved[2]))] if moved else []
    assert found == expected


async def test_restated_days_come_newest_first(database: Database) -> None:
    ledger = Ledger(database)
    older = YESTERDAY - timedelta(days=1)
    await read(ledger, {"23 09:00": {older: 1, YESTERDAY: 1}, "23 10:00": {older: 2, YESTERDAY: 2}})
    assert [each.day for each in await ledger.restatements(Span(older, DAY))] == [YESTERDAY, older]


async def test_a_rule_watches_since_it_was_new_or_what_it_watches_changed(database: Database) -> None:
    ledger, later = Ledger(database), NOW + timedelta(hours=1)
    assert await ledger.since(RULES, NOW) == {RULE.name: NOW}
    other_mentions = replace(RULES, rules=(replace(RULE, mention=("@here",)),))
    assert await ledger.since(other_mentions, later) == {RULE.name: NOW}
    other_threshold = replace(RULES, rules=(replace(RULE, threshold=Decimal(9000)),))
    assert await ledger.since(other_threshold, later) == {RULE.name: later}
    assert await ledger.known_since(RULES) == {}


async def test_a_revision_is_kept_once_and_the_last_one_and_each_by_its_digest_come_back(database: Database) -> None:
    ledger = Ledger(database)
    for digest in ("a", "a", "b"):
        await ledger.record_revision(Revision(digest, f"text of {digest}", NOW))
    assert await count(database, rule_revisions) == 2
    assert await ledger.last_revision() == Revision("b", "text of b", NOW)
    assert await ledger.revision("a") == Revision("a", "text of a", NOW)
    assert await ledger.revision("c") is None


async def test_a_condition_is_told_once_and_its_end_only_where_its_beginning_was_told(database: Database) -> None:
    ledger, words = Ledger(database), Message("words")
    await ledger.note("usage", "", NOW)
    await ledger.note("usage", "", NOW + timedelta(hours=1))
    await ledger.end("usage", "#voice-ops", words, NOW)
    assert await actions(database) == []
    await ledger.note("usage", "", NOW)
    for _ in range(2):
        await ledger.tell("usage", "", "#voice-ops", words, NOW)
    [condition] = await ledger.conditions("usage")
    assert (condition.since, condition.told) == (NOW, True)
    for _ in range(2):
        await ledger.end("usage", "#voice-ops", words, NOW)
    assert await actions(database) == ["post", "post"]


async def test_what_is_older_than_promised_goes_and_what_slack_does_not_have_yet_stays(database: Database) -> None:
    ledger, before = Ledger(database), NOW - timedelta(days=403)
    old = before.date() - timedelta(days=1)
    async with database.writing() as connection:
        for words in ("delivered", "waiting"):
            where = {"channel": "#voice-ops", "message": Message(words), "now": before - timedelta(days=1)}
            row = await enqueue(connection, kind="operations", action="post", **where)  # type: ignore[arg-type]
            await connection.execute(update(outbox).where(outbox.c.id == row).values(state=words))
    await ledger.record_reading(Reading(Span(old, DAY), {old: Totals(1), YESTERDAY: Totals(2)}, NOW), {})
    await ledger.record_revision(Revision("a", "first", before - timedelta(days=9)))
    await ledger.record_revision(Revision("b", "second", before - timedelta(days=8)))
    await ledger.prune(before)
    assert [await count(database, table) for table in (readings, outbox, rule_revisions)] == [1, 1, 1]
    assert await ledger.last_revision() == Revision("b", "second", before - timedelta(days=8))


async def test_of_processes_that_find_the_same_problem_one_tells_it_and_what_is_over_is_forgotten(
    database: Database,
) -> None:
    def message(sentences: Sequence[str]) -> Message:
        return Message("\n".join(sentences))

    async def settle(**present: str) -> bool:
        return await Ledger(database).settle("channel", present, "#voice-ops", message, NOW)

    assert sorted(await asyncio.gather(*(settle(a="A is archived", b="B is archived") for _ in range(3)))) == [
        False,
        False,
        True,
    ]
    assert not await settle(b="B is archived")
    assert [each.detail for each in await Ledger(database).conditions("channel")] == ["b"]
    assert await settle(b="B is archived", a="A is archived")
    async with database.reading() as connection:
        bodies = list((await connection.execute(select(outbox.c.body).order_by(outbox.c.seq))).scalars())
    assert [json.loads(body)["text"] for body in bodies] == ["A is archived\nB is archived", "A is archived"]

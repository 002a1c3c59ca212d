"""What a check records, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Table, func, select, update

from bot.budget.decide import Decision, Reason, Told
from bot.budget.evaluate import Standing
from bot.model import Message, Period, Reading, Span, Totals
from bot.rules.models import Level, Rules, ThresholdRule
from bot.store.database import Database
from bot.store.ledger import Ledger, Revision, Saying
from bot.store.tables import incidents, outbox, readings, rule_revisions, said
from bot.windows import Window

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
RULE = ThresholdRule(name="Daily spend <&>", threshold=Decimal(5000), alert_at=(Decimal(80), Decimal(100)))
WINDOW = Window(DAY, Period.DAY)
RULES = Rules(channel="#voice-spend", rules=(RULE,))


def saying(amount: int = 5000, day: date = DAY) -> Saying:
    standing = Standing(
        RULE, Window(day, Period.DAY), Totals(cents=5320), 5320, Level(Decimal(100), Decimal(amount)), False
    )
    keys = (Told(True, Decimal(amount)), Told(False, Decimal(amount) * 8 / 10))
    return Saying(Decision(standing, Reason.CROSSED, keys), "#voice-spend", Message("state"), Message("news"))


async def count(database: Database, table: Table) -> int:
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def actions(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(outbox.c.action).order_by(outbox.c.seq))).scalars())


async def test_what_is_said_and_its_message_are_recorded_together_and_once(database: Database) -> None:
    ledger = Ledger(database)
    assert await ledger.record(saying(), NOW)
    assert not await ledger.record(saying(), NOW)
    assert await actions(database) == ["post"]
    told = await ledger.said_within([WINDOW])
    assert told == {(RULE.name, WINDOW): frozenset({Told(True, Decimal(5000)), Told(False, Decimal(4000))})}


async def test_a_further_level_edits_the_incident_and_replies_in_its_thread(database: Database) -> None:
    ledger = Ledger(database)
    await ledger.record(saying(4000), NOW)
    assert await ledger.record(saying(5000), NOW)
    assert await actions(database) == ["post", "edit", "reply"]
    assert await count(database, incidents) == 1


async def test_of_several_processes_that_record_the_same_decision_one_does(database: Database) -> None:
    ledgers = [Ledger(database) for _ in range(5)]
    recorded = await asyncio.gather(*(ledger.record(saying(), NOW) for ledger in ledgers))
    assert sorted(recorded) == [False, False, False, False, True]
    assert await actions(database) == ["post"]


async def test_readings_are_kept_only_where_they_changed_so_that_a_day_has_a_curve(database: Database) -> None:
    ledger, span = Ledger(database), Span(DAY - timedelta(days=1), DAY + timedelta(days=1))
    days = {DAY - timedelta(days=1): Totals(100, Decimal("1.5"), 1), DAY: Totals(10, Decimal("0.25"), 1)}
    await ledger.record_reading(Reading(span, days, NOW), {})
    await ledger.record_reading(Reading(span, days, NOW + timedelta(minutes=5)), days)
    grown = {**days, DAY: Totals(25, Decimal("0.75"), 2)}
    await ledger.record_reading(Reading(span, grown, NOW + timedelta(minutes=10)), days)
    assert await count(database, readings) == 3
    last = await ledger.last_reading(span)
    assert last is not None
    assert dict(last.days) == grown
    assert last.read_at == NOW + timedelta(minutes=10)


async def test_a_rule_watches_since_it_was_new_or_what_it_watches_changed(database: Database) -> None:
    ledger, later = Ledger(database), NOW + timedelta(hours=1)
    assert await ledger.since(RULES, NOW) == {RULE.name: NOW}
    other_mentions = replace(RULES, rules=(replace(RULE, mention=("@here",)),))
    assert await ledger.since(other_mentions, later) == {RULE.name: NOW}
    other_threshold = replace(RULES, rules=(replace(RULE, threshold=Decimal(9000)),))
    assert await ledger.since(other_threshold, later) == {RULE.name: later}
    assert await ledger.known_since(RULES) == {}


async def test_a_revision_is_kept_once_and_the_last_one_comes_back(database: Database) -> None:
    ledger = Ledger(database)
    for digest in ("a", "a", "b"):
        await ledger.record_revision(Revision(digest, f"text of {digest}", NOW))
    assert await count(database, rule_revisions) == 2
    assert await ledger.last_revision() == Revision("b", "text of b", NOW)


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
    old, older = before.date() - timedelta(days=1), before.date() - timedelta(days=2)
    await ledger.record(saying(day=old), before - timedelta(days=1))
    async with database.writing() as connection:
        await connection.execute(update(outbox).values(state="delivered"))
    await ledger.record(saying(day=older), before - timedelta(days=2))
    await ledger.record(saying(), NOW)
    days = {old: Totals(1), DAY: Totals(2)}
    await ledger.record_reading(Reading(Span(old, DAY + timedelta(days=1)), days, NOW), {})
    await ledger.record_revision(Revision("a", "first", before - timedelta(days=9)))
    await ledger.record_revision(Revision("b", "second", before - timedelta(days=8)))
    await ledger.prune(before)
    counts = [await count(database, table) for table in (readings, incidents, said, outbox, rule_revisions)]
    assert counts == [1, 2, 4, 2, 1]

"""What is said of incidents and what people do about them, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table, func, select, update

from bot.budget.decide import Reason, after, decide
from bot.budget.evaluate import Inputs, standing_in
from bot.budget.incident import Acknowledgement, Incident, Snooze
from bot.budget.sums import Sums
from bot.model import Message, Period, Reading, Span, Totals
from bot.rules.models import ThresholdRule
from bot.store.acts import Claim
from bot.store.database import Database
from bot.store.incidents import IncidentStore, Notification, StoredIncident
from bot.store.ledger import Ledger, Revision
from bot.store.tables import decisions, incidents, outbox, rule_revisions
from bot.windows import Window
from tests.acts import anew

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
CHANNEL = "#voice-spend"


@pytest.fixture
def store(database: Database) -> IncidentStore:
    return IncidentStore(database)


def notification(
    spent: int, stored: StoredIncident | None = None, *, rule: str = "Daily spend <&>", day: date = DAY, **more: Any
) -> Notification:
    """What a check says when so many cents of $50 (told from 80%) were spent on this day."""
    budget = ThresholdRule(name=rule, threshold=Decimal(5000), alert_at=(Decimal(80), Decimal(100)))
    now = datetime.combine(day, NOW.timetz())
    reading = Reading(Span(day, day + timedelta(days=1)), {day: Totals(spent)}, now)
    standing = standing_in(budget, Window(day, Period.DAY), Inputs(Sums(reading)))
    assert standing is not None
    [decision] = decide([standing], {stored.key: stored.state} if stored else {}, now)
    state = after(decision, now)
    assert state is not None, decision.reason
    base_message = Message(f"{decision.reason} {spent}\nmore", ({"type": "divider"},))
    return Notification(
        decision,
        stored,
        state,
        CHANNEL,
        base_message,
        post=lambda number: Message(f"alert {number} at {spent}"),
        revision="first",
        read_at=now,
        **{"reply": Message(f"reply at {spent}") if decision.reason.speaks else None, **more},
    )


async def the_one(store: IncidentStore) -> StoredIncident:
    [stored] = await store.latest(9)
    return stored


async def said(database: Database) -> list[str]:
    """Every message of the outbox: what is done with it, its text, and `aloud` where the channel sees a reply."""
    query = select(outbox.c.action, outbox.c.body, outbox.c.broadcast).order_by(outbox.c.seq)
    async with database.reading() as connection:
        return [
            f"{row.action}{' aloud' if row.broadcast else ''}: {row.body.split(chr(34))[3]}"
            for row in await connection.execute(query)
        ]


async def delivered(database: Database, **values: Any) -> None:
    """Let Slack have everything that waits, or change it otherwise."""
    async with database.writing() as connection:
        await connection.execute(update(outbox).values(**(values or {"state": "delivered"})))


async def count(database: Database, table: Table) -> int:
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def act(
    store: IncidentStore, change: Callable[[StoredIncident], Incident | None], number: int = 1
) -> StoredIncident | None:
    return await store.act(
        number,
        change,
        lambda stored: Message(f"edit of {stored.id}"),
        lambda stored: Message(f"answer of {stored.id}"),
        Claim.of(anew("U1")),
        NOW,
    )


def acknowledge(stored: StoredIncident) -> Incident | None:
    return None if stored.state.acknowledged else replace(stored.state, acknowledged=Acknowledgement("U1", NOW))


# What is said


async def test_what_is_said_and_its_message_are_recorded_together_and_once(
    database: Database, store: IncidentStore
) -> None:
    news = notification(5320)
    assert await store.record(news, NOW)
    assert not await store.record(news, NOW)
    assert await said(database) == ["post: alert 1 at 5320"]
    stored = await the_one(store)
    assert (stored.state, stored.base_message, stored.channel, stored.revision) == (
        news.state,
        news.base_message,
        CHANNEL,
        "first",
    )
    assert await count(database, decisions) == 1


async def test_of_several_processes_that_record_the_same_decision_one_does(
    database: Database, store: IncidentStore
) -> None:
    stores = [IncidentStore(database) for _ in range(5)]
    recorded = await asyncio.gather(*(each.record(notification(4000), NOW) for each in stores))
    assert sorted(recorded) == [False, False, False, False, True]
    higher = notification(5000, await the_one(store))
    recorded = await asyncio.gather(*(each.record(higher, NOW) for each in stores))
    assert sorted(recorded) == [False, False, False, False, True]
    assert await said(database) == ["post: alert 1 at 4000", "edit: alert 1 at 5000", "reply aloud: reply at 5000"]
    assert await count(database, decisions) == 2


async def test_a_further_level_edits_the_incident_and_replies_in_its_thread_and_in_the_channel(
    database: Database, store: IncidentStore
) -> None:
    await store.record(notification(4000), NOW)
    assert await store.record(notification(5000, await the_one(store)), NOW)
    assert await said(database) == ["post: alert 1 at 4000", "edit: alert 1 at 5000", "reply aloud: reply at 5000"]
    stored = await the_one(store)
    assert (stored.version, stored.base_message.text) == (2, "RAISED 5000\nmore")


async def test_an_edit_without_a_word_replies_nothing_and_is_no_decision(
    database: Database, store: IncidentStore
) -> None:
    await store.record(notification(4000), NOW)
    stored = await the_one(store)
    quarter = replace(stored, state=replace(stored.state, shown_at=NOW - timedelta(minutes=15)))
    refresh = notification(4100, quarter)
    assert refresh.decision.refreshes
    assert await store.record(replace(refresh, stored=stored), NOW)
    assert await said(database) == ["post: alert 1 at 4000", "edit: alert 1 at 4100"]
    assert await count(database, decisions) == 1


async def test_a_copy_goes_to_the_other_channel(database: Database, store: IncidentStore) -> None:
    await store.record(notification(5000, copy=("#finance", Message("copied"))), NOW)
    assert await said(database) == ["post: alert 1 at 5000", "copy: copied"]
    assert [each.channel for each in await store.deliveries_of(1)] == [CHANNEL, "#finance"]


@pytest.mark.parametrize(
    ("begun", "left"),
    [
        pytest.param({"attempts": 0}, ["edit: alert 1 at 5000"], id="nobody has begun to send it"),
        pytest.param(
            {"attempts": 1}, ["edit: alert 1 at 4500", "edit: alert 1 at 5000"], id="it failed and waits to be repeated"
        ),
        pytest.param(
            {"attempts": 1, "state": "sending", "holder": "x"},
            ["edit: alert 1 at 4500", "edit: alert 1 at 5000"],
            id="it is being sent",
        ),
    ],
)
async def test_an_edit_that_nobody_began_to_send_is_replaced_by_the_next(
    database: Database, store: IncidentStore, begun: dict[str, object], left: list[str]
) -> None:
    await store.record(notification(4000), NOW)
    stored = await the_one(store)
    later = replace(stored.state, shown_at=NOW - timedelta(minutes=15))
    await store.record(replace(notification(4500, replace(stored, state=later)), stored=stored), NOW)
    await delivered(database, **begun)
    await store.record(notification(5000, await the_one(store)), NOW)
    assert [words for words in await said(database) if words.startswith("edit")] == left


async def test_each_decision_that_spoke_is_on_record_with_the_incident_before_it(
    database: Database, store: IncidentStore
) -> None:
    await store.record(notification(4000), NOW)
    before = await the_one(store)
    await store.record(notification(5000, before), NOW)
    first, second = await store.decisions_of(1)
    assert (first.reason, first.before, first.headline) == (Reason.CROSSED, None, "CROSSED 4000")
    assert (second.reason, second.before, second.headline) == (Reason.RAISED, before.state, "RAISED 5000")
    assert (second.at, second.read_at, second.revision, second.removed) == (NOW, NOW, "first", False)
    assert await store.decisions_of(2) == []


async def test_each_message_is_on_record_with_what_became_of_it(database: Database, store: IncidentStore) -> None:
    await store.record(notification(4000), NOW)
    await delivered(database, state="delivered", attempts=1, delivered_at=5.5)
    await store.record(notification(5000, await the_one(store)), NOW)
    await act(store, acknowledge)
    deliveries = await store.deliveries_of(1)
    assert [(each.action, each.state, each.attempts, each.delivered_at) for each in deliveries] == [
        ("post", "delivered", 1, 5.5),
        ("reply", "waiting", 0, None),
        ("edit", "waiting", 0, None),
        ("reply", "waiting", 0, None),
    ]
    assert await store.deliveries_of(2) == []


# What people do


async def test_what_a_person_does_edits_the_message_and_is_said_in_its_thread(
    database: Database, store: IncidentStore
) -> None:
    await store.record(notification(5000), NOW)
    acted = await act(store, acknowledge)
    assert acted == await the_one(store)
    assert acted is not None
    assert acted.state.acknowledged == Acknowledgement("U1", NOW)
    assert await said(database) == ["post: alert 1 at 5000", "edit: edit of 1", "reply: answer of 1"]


async def test_what_changes_nothing_writes_nothing(database: Database, store: IncidentStore) -> None:
    await store.record(notification(5000), NOW)
    first = await act(store, acknowledge)
    assert await act(store, acknowledge) == first
    assert len(await said(database)) == 3


async def test_there_is_nothing_to_do_about_a_number_that_no_alert_has(
    database: Database, store: IncidentStore
) -> None:
    assert await act(store, acknowledge, number=7) is None
    assert await act(store, acknowledge, number=-1) is None
    assert await said(database) == []


async def test_a_check_that_has_not_seen_a_click_writes_nothing_and_the_next_keeps_both(
    database: Database, store: IncidentStore
) -> None:
    await store.record(notification(4000), NOW)
    seen = await the_one(store)
    await act(store, acknowledge)
    assert not await store.record(notification(5000, seen), NOW)
    assert await count(database, decisions) == 1
    assert await store.record(notification(5000, await the_one(store)), NOW)
    stored = await the_one(store)
    assert stored.state.acknowledged is not None
    assert stored.base_message.text.startswith("RAISED 5000")


async def test_a_click_that_meets_a_check_changes_what_the_check_left(store: IncidentStore) -> None:
    await store.record(notification(4000), NOW)
    higher = notification(5000, await the_one(store))
    told, _ = await asyncio.gather(store.record(higher, NOW), act(store, acknowledge))
    if not told:  # the click came first
        assert await store.record(notification(5000, await the_one(store)), NOW)
    stored = await the_one(store)
    assert stored.state.acknowledged is not None
    assert stored.base_message.text.startswith("RAISED 5000")


async def test_many_people_at_once_are_all_heard(database: Database, store: IncidentStore) -> None:
    await store.record(notification(5000), NOW)

    def snooze(by: str) -> Callable[[StoredIncident], Incident]:
        return lambda stored: replace(stored.state, snooze=Snooze(by, NOW, "an hour", until=NOW))

    people = [f"U{number}" for number in range(12)]
    acted = await asyncio.gather(*(act(IncidentStore(database), snooze(by)) for by in people))
    assert sorted(each.state.snooze.by for each in acted if each and each.state.snooze) == sorted(people)
    assert (await the_one(store)).version == 13


# Finding


async def test_an_incident_is_found_by_its_number_and_each_rules_newest_is_known(store: IncidentStore) -> None:
    assert await store.newest() == {}
    for number, name in enumerate(["Daily spend", "%", "Daily spend"]):
        assert await store.record(notification(5000, rule=name, day=DAY + timedelta(days=number)), NOW)
    assert await store.newest() == {"Daily spend": 3, "%": 2}
    found = [await store.numbered(number) for number in (2, 3, 4, 10**17)]
    assert [stored and stored.key[0] for stored in found] == ["%", "Daily spend", None, None]


async def test_watched_are_the_incidents_of_these_windows_and_those_that_are_open(
    database: Database, store: IncidentStore
) -> None:
    long_ago = DAY - timedelta(days=30)
    for number, day in enumerate((DAY, long_ago, long_ago)):
        await store.record(notification(5000, rule=f"Rule {number}", day=day), NOW)
    async with database.writing() as connection:
        await connection.execute(update(incidents).where(incidents.c.rule != "Rule 1").values(closed=True))
    watched = await store.watched([Window(DAY, Period.DAY)])
    assert sorted(name for name, _ in watched) == ["Rule 0", "Rule 1"]


# Letting go


async def test_what_is_older_than_promised_goes_and_what_an_incident_refers_to_stays(
    database: Database, store: IncidentStore
) -> None:
    ledger, before = Ledger(database), NOW - timedelta(days=403)
    old, older = before.date() - timedelta(days=1), before.date() - timedelta(days=2)
    for number, digest in enumerate(("unused", "of the old", "of the waiting", "of its decision", "of today", "last")):
        moment = before - timedelta(days=9 - number)
        await ledger.record_revision(Revision(digest, digest, moment))
    await store.record(notification(5000, day=old, rule="Old"), NOW)
    await delivered(database)
    await store.record(notification(5000, day=older, rule="Waiting"), NOW)
    await store.record(notification(4000, rule="Today"), NOW)
    async with database.writing() as connection:
        for name, digest in {"Old": "of the old", "Waiting": "of the waiting", "Today": "of today"}.items():
            changed = update(incidents).where(incidents.c.rule == name).values(revision=digest)
            await connection.execute(changed)
        today = select(incidents.c.id).where(incidents.c.rule == "Today").scalar_subquery()
        await connection.execute(
            update(decisions).where(decisions.c.incident_id == today).values(revision="of its decision")
        )
    await ledger.prune(before)
    assert sorted(stored.key[0] for stored in await store.latest(9)) == ["Today", "Waiting"]
    assert [await count(database, table) for table in (decisions, outbox)] == [2, 2]
    async with database.reading() as connection:
        left = list((await connection.execute(select(rule_revisions.c.digest).order_by(rule_revisions.c.id))).scalars())
    assert left == ["of the waiting", "of its decision", "of today", "last"]

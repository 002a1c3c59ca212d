"""What a check reads and records: readings, since when rules watch, what was said, and what the bot suffers from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget.decide import Decision, Said, Told
from bot.model import Message, Period, Reading, Span, Totals
from bot.rules.models import Rules
from bot.store.database import Database
from bot.store.outbox import enqueue
from bot.store.tables import conditions, incidents, known_rules, outbox, readings, rule_revisions, said
from bot.windows import Window, utc_day

ConditionName = Literal["rules", "usage"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What the bot itself suffers from: since when, in which detail, and whether the operations channel was told."""

    detail: str
    since: datetime
    told: bool


@dataclass(frozen=True, slots=True)
class Saying:
    """A decision that speaks, and its messages: the incident's own, and the reply for its thread where it has one."""

    decision: Decision
    channel: str
    post: Message
    reply: Message


@dataclass(frozen=True, slots=True)
class Revision:
    """One good version of the rules file."""

    digest: str
    text: str
    in_force_from: datetime


class Ledger:
    """Each method is one transaction, and raises StoreError where the database did not do its part."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_reading(self, span: Span) -> Reading | None:
        """The newest figure of each day in the span, as one reading; None where nothing was ever read."""
        newest = (
            select(readings.c.day, func.max(readings.c.read_at).label("read_at"))
            .where(readings.c.day >= span.start, readings.c.day < span.end)
            .group_by(readings.c.day)
            .subquery()
        )
        query = select(readings).join(
            newest, and_(readings.c.day == newest.c.day, readings.c.read_at == newest.c.read_at)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return None
        days = {row.day: Totals(row.cents, Decimal(row.minutes), row.calls) for row in rows}
        return Reading(span, days, max(row.read_at for row in rows))

    async def record_reading(self, reading: Reading, known: Mapping[date, Totals]) -> None:
        """Keep the days whose figures differ from the known ones; nothing is written where none does."""
        changed = [
            {
                "day": day,
                "read_at": reading.read_at,
                "cents": new.cents,
                "minutes": str(new.minutes),
                "calls": new.calls,
            }
            for day, new in reading.days.items()
            if known.get(day) != new
        ]
        if changed:
            async with self._database.writing() as connection:
                await connection.execute(self._insert(readings).on_conflict_do_nothing(), changed)

    async def said_within(self, windows: Collection[Window]) -> Said:
        """What was told so far, for each rule in each of these windows."""
        query = (
            select(incidents.c.rule, incidents.c.period, incidents.c.window_start, said.c.breach, said.c.amount)
            .join(said, said.c.incident_id == incidents.c.id)
            .where(incidents.c.window_start.in_({window.start for window in windows}))
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        told: dict[tuple[str, Window], frozenset[Told]] = {}
        for row in rows:
            key = (row.rule, Window(row.window_start, Period(row.period)))
            told[key] = told.get(key, frozenset()) | {Told(row.breach, Decimal(row.amount))}
        return told

    async def record(self, saying: Saying, now: datetime) -> bool:
        """What is said and the messages that say it, together or not at all; False where it had been said meanwhile."""
        async with self._database.writing() as connection:
            incident_id, is_new = await self._incident(connection, saying.decision, now)
            if not await self._note_told(connection, incident_id, saying.decision, now):
                return False
            where: dict[str, Any] = {"channel": saying.channel, "now": now, "incident_id": incident_id}
            if is_new:
                await enqueue(connection, kind="alert", action="post", message=saying.post, **where)
            else:
                await enqueue(connection, kind="alert", action="edit", message=saying.post, **where)
                await enqueue(connection, kind="reply", action="reply", message=saying.reply, **where)
        return True

    async def known_since(self, rules: Rules) -> dict[str, datetime]:
        """Since when each rule watches what it watches now; new and changed rules are absent."""
        async with self._database.reading() as connection:
            known = {row.name: row for row in await connection.execute(select(known_rules))}
        return {
            rule.name: known[rule.name].since
            for rule in rules.rules
            if rule.name in known and known[rule.name].fingerprint == rule.fingerprint
        }

    async def since(self, rules: Rules, now: datetime) -> dict[str, datetime]:
        """The same, where new and changed rules begin at `now` and are noted."""
        known = await self.known_since(rules)
        changed = [rule for rule in rules.rules if rule.name not in known]
        if changed:
            upsert = self._insert(known_rules).values(
                [{"name": rule.name, "fingerprint": rule.fingerprint, "since": now} for rule in changed]
            )
            async with self._database.writing() as connection:
                await connection.execute(
                    upsert.on_conflict_do_update(
                        index_elements=["name"],
                        set_={"fingerprint": upsert.excluded.fingerprint, "since": upsert.excluded.since},
                        where=known_rules.c.fingerprint != upsert.excluded.fingerprint,
                    )
                )
        return {**{rule.name: now for rule in changed}, **known}

    async def last_revision(self) -> Revision | None:
        """The last good rules."""
        query = select(rule_revisions).order_by(rule_revisions.c.id.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return Revision(row.digest, row.text, row.in_force_from) if row else None

    async def record_revision(self, revision: Revision) -> None:
        """Keep a good version of the rules, unless it is the last one kept."""
        last = await self.last_revision()
        if last and last.digest == revision.digest:
            return
        async with self._database.writing() as connection:
            await connection.execute(
                insert(rule_revisions).values(
                    digest=revision.digest, text=revision.text, in_force_from=revision.in_force_from
                )
            )

    async def conditions(self, name: ConditionName) -> list[Condition]:
        """What is noted under this name."""
        query = select(conditions).where(conditions.c.name == name).order_by(conditions.c.since)
        async with self._database.reading() as connection:
            return [
                Condition(row.detail, row.since, row.told_at is not None) for row in await connection.execute(query)
            ]

    async def note(self, name: ConditionName, detail: str, since: datetime) -> None:
        """A condition has begun; nothing happens where it is noted already."""
        async with self._database.writing() as connection:
            await connection.execute(
                self._insert(conditions).values(name=name, detail=detail, since=since).on_conflict_do_nothing()
            )

    async def tell(
        self, name: ConditionName, detail: str, channel: str | None, message: Message, now: datetime
    ) -> None:
        """Tell the operations channel of a noted condition, once."""
        async with self._database.writing() as connection:
            first = await connection.execute(
                update(conditions)
                .where(conditions.c.name == name, conditions.c.detail == detail, conditions.c.told_at.is_(None))
                .values(told_at=now)
                .returning(conditions.c.name)
            )
            if first.first() is not None and channel:
                await enqueue(connection, kind="operations", action="post", channel=channel, message=message, now=now)

    async def end(self, name: ConditionName, channel: str | None, message: Message, now: datetime) -> None:
        """The condition is over: tell of it where its beginning was told."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(conditions).where(conditions.c.name == name).returning(conditions.c.told_at)
            )
            if any(gone.scalars()) and channel:
                await enqueue(connection, kind="operations", action="post", channel=channel, message=message, now=now)

    async def prune(self, before: datetime) -> None:
        """Let go of readings, delivered messages, closed incidents and old revisions from before then.

        Kept are messages that Slack does not have yet, with their incidents, and always the last revision.
        """
        day = utc_day(before)
        undelivered = select(outbox.c.incident_id).where(
            outbox.c.state != "delivered", outbox.c.incident_id.is_not(None)
        )
        newest = select(func.max(rule_revisions.c.id)).scalar_subquery()
        old: dict[Any, ColumnElement[bool]] = {
            readings: readings.c.day < day,
            incidents: and_(incidents.c.window_start < day, incidents.c.id.not_in(undelivered)),
            outbox: and_(outbox.c.created_at < before, outbox.c.state == "delivered", outbox.c.incident_id.is_(None)),
            rule_revisions: and_(rule_revisions.c.in_force_from < before, rule_revisions.c.id != newest),
        }
        async with self._database.reading() as connection:
            counts = {table: await connection.scalar(select(func.count()).where(old[table])) for table in old}
        if any(counts.values()):
            async with self._database.writing() as connection:
                for table, condition in old.items():
                    await connection.execute(delete(table).where(condition))

    async def _incident(self, connection: AsyncConnection, decision: Decision, now: datetime) -> tuple[int, bool]:
        """The incident's number, and whether it was opened just now."""
        rule, window = decision.standing.rule, decision.standing.window
        place = {"rule": rule.name, "period": window.period.value, "window_start": window.start}
        opened = await connection.execute(
            self._insert(incidents).values(**place, opened_at=now).on_conflict_do_nothing().returning(incidents.c.id)
        )
        if (row := opened.first()) is not None:
            return row.id, True
        found = await connection.execute(select(incidents.c.id).filter_by(**place))
        return found.scalar_one(), False

    async def _note_told(
        self, connection: AsyncConnection, incident_id: int, decision: Decision, now: datetime
    ) -> bool:
        """Whether the decision's own key was not told before; the levels below it count as told with it."""
        rows = [
            {
                "incident_id": incident_id,
                "breach": told.breach,
                "amount": format(told.amount, "f"),
                "reason": decision.reason.value,
                "value": str(decision.standing.value),
                "said_at": now,
            }
            for told in decision.tells
        ]
        first = await connection.execute(
            self._insert(said).values(rows[0]).on_conflict_do_nothing().returning(said.c.amount)
        )
        told_now = first.first() is not None
        if rows[1:]:
            await connection.execute(self._insert(said).on_conflict_do_nothing(), rows[1:])
        return told_now

    def _insert(self, table: Any) -> Any:
        return insert_on_sqlite(table) if self._database.is_sqlite else insert_on_postgresql(table)

"""What a check reads and keeps: readings, since when rules watch, revisions, and what the bot suffers from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget.history import Curves, Restated
from bot.model import Message, Reading, Span, Totals
from bot.rules.models import Rules
from bot.store.database import Database
from bot.store.outbox import UNDELIVERED, enqueue
from bot.store.tables import conditions, decisions, incidents, known_rules, outbox, readings, rule_revisions
from bot.windows import midnight, utc_day

ConditionName = Literal["rules", "usage", "delivery", "account", "channel"]
_AT_ONCE = 500  # rows
_SETTLING = timedelta(minutes=30)  # after a day, in which its last calls may still be counted


@dataclass(frozen=True, slots=True)
class Condition:
    """What the bot itself suffers from: since when, in which detail, and whether the operations channel was told."""

    detail: str
    since: datetime
    told: bool


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
        """The newest figure of each day in the span, as one reading; None where there was none."""
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
        days = {row.day: _totals(row) for row in rows}
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
                await connection.execute(self._database.insert(readings).on_conflict_do_nothing(), changed)

    async def curves(self, since: date) -> Curves:
        """Each day's figures from that day on as they were read while it lasted, the oldest first."""
        found = await self.rows(since)
        lasted = {day: [row for row in rows if utc_day(row[0]) == day] for day, rows in found.items()}
        return {day: curve for day, curve in lasted.items() if curve}

    async def rows(self, since: date) -> Curves:
        """Each day's figures from that day on with the moments they were first read, the oldest first.

        They come in parts, with others' work in between: nine weeks of a check a minute are some 90,000.
        """
        query = select(readings).where(readings.c.day >= since).order_by(readings.c.day, readings.c.read_at)
        found: Curves = {}
        async with self._database.reading() as connection:
            async for rows in (await connection.stream(query)).partitions(_AT_ONCE):
                for row in rows:
                    found.setdefault(row.day, []).append((row.read_at, _totals(row)))
        return found

    async def restatements(self, span: Span) -> list[Restated]:
        """How each closed day of the span moved after it had ended, the newest day first."""
        query = (
            select(readings)
            .where(readings.c.day >= span.start, readings.c.day < span.end)
            .order_by(readings.c.day.desc(), readings.c.read_at)
        )
        days: Curves = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                days.setdefault(row.day, []).append((row.read_at, _totals(row)))
        moved = ((day, change) for day, rows in days.items() if (change := _moved(day, rows)))
        return [Restated(day, *change) for day, change in moved]

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
            upsert = self._database.insert(known_rules).values(
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

    async def revision(self, digest: str) -> Revision | None:
        """The version of the rules with this digest."""
        query = select(rule_revisions).where(rule_revisions.c.digest == digest).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return Revision(row.digest, row.text, row.in_force_from) if row else None

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
                self._database.insert(conditions).values(name=name, detail=detail, since=since).on_conflict_do_nothing()
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

    async def end(
        self, name: ConditionName, channel: str | None, message: Message, now: datetime, *, but: str = ""
    ) -> None:
        """The condition is over, in every detail `but` this: tell of it where its beginning was told."""
        over = conditions.c.detail != but if but else true()
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(conditions).where(conditions.c.name == name, over).returning(conditions.c.told_at)
            )
            if any(gone.scalars()) and channel:
                await enqueue(connection, kind="operations", action="post", channel=channel, message=message, now=now)

    async def settle(
        self,
        name: ConditionName,
        present: Mapping[str, str],
        channel: str | None,
        message: Callable[[Sequence[str]], Message],
        now: datetime,
    ) -> bool:
        """Exactly these conditions hold under the name now: detail and what to tell of it.

        What is new is told to the operations channel in one message, what is over is let go of in silence. True where
        something was told.
        """
        noted = {each.detail for each in await self.conditions(name)}
        if noted == present.keys():
            return False
        async with self._database.writing() as connection:
            over = conditions.c.detail.not_in(list(present))
            await connection.execute(delete(conditions).where(conditions.c.name == name, over))
            new = [each for each in present if each not in noted and await self._begins(connection, name, each, now)]
            if new and channel:
                told = message([present[each] for each in new])
                await enqueue(connection, kind="operations", action="post", channel=channel, message=told, now=now)
        return bool(new)

    async def _begins(self, connection: AsyncConnection, name: ConditionName, detail: str, now: datetime) -> bool:
        """Note a condition as told; False where another process did."""
        noted = self._database.insert(conditions).values(name=name, detail=detail, since=now, told_at=now)
        first = await connection.execute(noted.on_conflict_do_nothing().returning(conditions.c.name))
        return first.first() is not None

    async def prune(self, before: datetime) -> None:
        """Let go of readings, delivered messages, closed incidents and old revisions from before then.

        Kept are messages that Slack does not have yet, with their incidents, and always the last revision and those
        that an incident was judged by.
        """
        day = utc_day(before)
        undelivered = select(outbox.c.incident_id).where(UNDELIVERED, outbox.c.incident_id.is_not(None))
        newest = select(func.max(rule_revisions.c.id)).scalar_subquery()
        old: dict[Any, ColumnElement[bool]] = {
            readings: readings.c.day < day,
            incidents: and_(incidents.c.window_start < day, incidents.c.id.not_in(undelivered)),
            outbox: and_(outbox.c.created_at < before, outbox.c.state == "delivered", outbox.c.incident_id.is_(None)),
            rule_revisions: and_(
                rule_revisions.c.in_force_from < before,
                rule_revisions.c.id != newest,
                rule_revisions.c.digest.not_in(select(incidents.c.revision)),
                rule_revisions.c.digest.not_in(select(decisions.c.revision)),
            ),
        }
        async with self._database.reading() as connection:
            counts = {table: await connection.scalar(select(func.count()).where(old[table])) for table in old}
        if any(counts.values()):
            async with self._database.writing() as connection:
                for table, condition in old.items():
                    await connection.execute(delete(table).where(condition))


def _totals(row: Any) -> Totals:
    return Totals(row.cents, Decimal(row.minutes), row.calls)


def _moved(day: date, rows: list[tuple[datetime, Totals]]) -> tuple[Totals, Totals, datetime] | None:
    """What the day was when it had just ended, what it is, and when that was first read; None where it stayed."""
    settled = midnight(day + timedelta(days=1)) + _SETTLING
    before = [totals for read_at, totals in rows if read_at <= settled] or [rows[0][1]]
    read_at, last = rows[-1]
    return (before[-1], last, read_at) if last != before[-1] else None

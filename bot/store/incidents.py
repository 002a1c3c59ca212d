"""Incidents: what was said of each rule in each window, the decisions behind it, and what people did about it.

One incident is one row with a version. Whoever changes it, a check or a person's click, names the version it saw; a row
that has changed meanwhile is not written, so of several processes that judge the same figures one tells them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget.decide import Decision, Reason
from bot.budget.history import Attempted, Recorded
from bot.budget.incident import Incident
from bot.model import Message, Period
from bot.store.acts import Claim, take
from bot.store.database import Database
from bot.store.outbox import body_of, enqueue
from bot.store.tables import decisions, incidents, outbox
from bot.windows import Window

_STATE: TypeAdapter[Incident] = TypeAdapter(Incident)

IncidentKey = tuple[str, Window]
"""What an incident is about: a rule's name and a window."""


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident as it is stored. `base_message` is its message without buttons and without what people did about it;
    `revision` is the digest of the rules it was last judged by."""

    id: int
    version: int
    key: IncidentKey
    state: Incident
    base_message: Message
    channel: str
    revision: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A decision to carry out: what the incident becomes, its message (made with the incident's number), the reply for
    its thread and whether the channel sees that reply, and a copy for another channel."""

    decision: Decision
    stored: StoredIncident | None
    state: Incident
    channel: str
    base_message: Message
    post: Callable[[int], Message]
    revision: str
    read_at: datetime
    reply: Message | None = None
    copy: tuple[str, Message] | None = None


class IncidentStore:
    """Each method is one transaction, and raises StoreError where the database did not do its part."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def watched(self, windows: Collection[Window]) -> dict[IncidentKey, StoredIncident]:
        """The incidents in these windows, and those in any window that are still open."""
        starts = {window.start for window in windows}
        query = select(incidents).where(or_(incidents.c.window_start.in_(starts), incidents.c.closed.is_(False)))
        async with self._database.reading() as connection:
            return {stored.key: stored for row in await connection.execute(query) if (stored := _stored(row))}

    async def latest(self, limit: int) -> list[StoredIncident]:
        """The newest incidents, the newest first."""
        query = select(incidents).order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [_stored(row) for row in await connection.execute(query)]

    async def numbered(self, number: int) -> StoredIncident | None:
        """The incident of this number."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(incidents).where(incidents.c.id == number))).first()
            return _stored(row) if row else None

    async def newest(self) -> dict[str, int]:
        """The number of the newest incident of each rule that ever had one, by the rule's name."""
        query = select(incidents.c.rule, func.max(incidents.c.id).label("newest")).group_by(incidents.c.rule)
        async with self._database.reading() as connection:
            return {row.rule: row.newest for row in await connection.execute(query)}

    async def record(self, notification: Notification, now: datetime) -> bool:
        """What is said and the messages that say it, together or not at all; False where it had been said meanwhile."""
        decision, stored = notification.decision, notification.stored
        async with self._database.writing() as connection:
            number = await (
                self._open(connection, notification)
                if stored is None
                else _update(connection, stored, notification.state)
            )
            if number is None:
                return False
            changed = {
                "channel": notification.channel if stored is None else stored.channel,
                "face": body_of(notification.base_message),
                "revision": notification.revision,
            }
            await connection.execute(update(incidents).where(incidents.c.id == number).values(**changed))
            if decision.reason.speaks:
                await connection.execute(
                    insert(decisions).values(incident_id=number, at=now, **_record_of(notification))
                )
            await _say(connection, number, changed["channel"], notification, now)
        return True

    async def act(
        self,
        number: int,
        change: Callable[[StoredIncident], Incident | None],
        post: Callable[[StoredIncident], Message],
        reply: Callable[[StoredIncident], Message],
        claim: Claim,
        now: datetime,
    ) -> StoredIncident | None:
        """Carry out what a person wants: the changed incident, with its message edited and a line in its thread.

        None where there is no such incident; the incident stays as it is where `change` gives None. Raises DoneBefore.
        """
        async with self._database.writing() as connection:
            locked = select(incidents).where(incidents.c.id == number).with_for_update()  # several may click at once
            row = (await connection.execute(locked)).first()
            if row is None:
                return None
            await take(self._database, connection, claim)
            stored = _stored(row)
            if (state := change(stored)) is None:
                return stored
            await _update(connection, stored, state)
            acted = replace(stored, version=stored.version + 1, state=state)
            where: dict[str, Any] = {"channel": stored.channel, "now": now, "incident_id": number}
            await _edit(connection, post(acted), **where)
            await enqueue(connection, kind="reply", action="reply", message=reply(acted), **where)
            return acted

    async def decisions_of(self, number: int) -> list[Recorded]:
        """Every decision that spoke of this incident, the first one first."""
        query = select(decisions).where(decisions.c.incident_id == number).order_by(decisions.c.id)
        async with self._database.reading() as connection:
            return [
                Recorded(
                    row.at,
                    row.read_at,
                    Reason(row.reason),
                    row.headline,
                    row.revision,
                    row.removed,
                    _STATE.validate_json(row.before) if row.before else None,
                )
                for row in await connection.execute(query)
            ]

    async def deliveries_of(self, number: int) -> list[Attempted]:
        """Every message of this incident, the first one first."""
        columns = (outbox.c[field.name] for field in fields(Attempted))  # without the bodies, which are long
        query = select(*columns).where(outbox.c.incident_id == number).order_by(outbox.c.seq)
        async with self._database.reading() as connection:
            return [Attempted(*row) for row in await connection.execute(query)]

    async def _open(self, connection: AsyncConnection, notification: Notification) -> int | None:
        """The new incident's number; None where another process has opened it."""
        standing = notification.decision.standing
        opened = await connection.execute(
            self._database.insert(incidents)
            .values(
                rule=standing.rule.name,
                period=standing.window.period.value,
                window_start=standing.window.start,
                opened_at=notification.state.opened_at,
                **_state_columns(notification.state),
                channel=notification.channel,
                face="",
                revision=notification.revision,
            )
            .on_conflict_do_nothing()
            .returning(incidents.c.id)
        )
        number: int | None = opened.scalar()
        return number


async def _update(connection: AsyncConnection, stored: StoredIncident, state: Incident) -> int | None:
    """Write the state over the version that was seen; None where the row has changed since."""
    changed = await connection.execute(
        update(incidents)
        .where(incidents.c.id == stored.id, incidents.c.version == stored.version)
        .values(version=stored.version + 1, **_state_columns(state))
        .returning(incidents.c.id)
    )
    number: int | None = changed.scalar()
    return number


async def _say(
    connection: AsyncConnection, number: int, channel: str, notification: Notification, now: datetime
) -> None:
    where: dict[str, Any] = {"channel": channel, "now": now, "incident_id": number}
    if notification.stored is None:
        await enqueue(connection, kind="alert", action="post", message=notification.post(number), **where)
    else:
        await _edit(connection, notification.post(number), **where)
        if notification.reply:
            broadcast = notification.decision.reason.is_news
            await enqueue(
                connection, kind="reply", action="reply", message=notification.reply, broadcast=broadcast, **where
            )
    if notification.copy:
        there, message = notification.copy
        await enqueue(connection, kind="alert", action="copy", message=message, **{**where, "channel": there})


async def _edit(connection: AsyncConnection, message: Message, **where: Any) -> None:
    """One edit shows the present state: those that nobody has begun to send are not needed any more."""
    await connection.execute(
        delete(outbox).where(
            outbox.c.incident_id == where["incident_id"],
            outbox.c.action == "edit",
            outbox.c.state == "waiting",
            outbox.c.attempts == 0,
        )
    )
    await enqueue(connection, kind="alert", action="edit", message=message, **where)


def _state_columns(state: Incident) -> dict[str, Any]:
    return {"state": _STATE.dump_json(state).decode(), "closed": state.closed}


def _record_of(notification: Notification) -> dict[str, Any]:
    decision = notification.decision
    return {
        "reason": decision.reason.value,
        "read_at": notification.read_at,
        "headline": notification.base_message.text.partition("\n")[0],
        "revision": notification.revision,
        "removed": decision.standing.removed,
        "before": _STATE.dump_json(decision.before).decode() if decision.before else None,
    }


def _stored(row: Any) -> StoredIncident:
    base_message = json.loads(row.face)
    start: date = row.window_start
    return StoredIncident(
        row.id,
        row.version,
        (row.rule, Window(start, Period(row.period))),
        _STATE.validate_json(row.state),
        Message(base_message["text"], tuple(base_message["blocks"])),
        row.channel,
        row.revision,
    )

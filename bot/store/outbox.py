"""The outbox: messages recorded with the decision they tell, claimed under a lease, settled once.

A row is `waiting`, `sending` (claimed, and noted as such before the post) or `delivered`. A row that was left `sending`
by a dead process comes back marked `unclear`: Slack may have it, so nobody posts it before looking (docs/design.md, “An
outbox row”).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Message
from bot.store.database import Database
from bot.store.leases import POSTING_ROOM
from bot.store.tables import leases, outbox
from bot.system.waiting import LONGEST_ASKED

MessageKind = Literal["alert", "reply", "report", "operations"]
Action = Literal["post", "reply", "edit", "copy"]

UNDELIVERED = outbox.c.state.in_(("waiting", "sending"))
"""What Slack does not have yet; not as "anything but delivered", for which no database has an index."""

_EDITS = "edits in "


@dataclass(frozen=True, slots=True)
class Root:
    """Where an incident's message stands in Slack; `ts` is empty where Slack never said it, and `rerouted` is why it
    stands in the operations channel, else None."""

    channel: str
    ts: str
    rerouted: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claimed row. `channel` is as the rules name it, `first_sent` when it was first tried (seconds since 1970).

    `target` is the id of the channel it was last sent to, empty where it was sent to a name, None where it never was
    sent; `rerouted` why that was the operations channel, else None.
    """

    seq: int
    id: str
    kind: MessageKind
    action: Action
    channel: str
    message: Message
    attempts: int
    unclear: bool
    first_sent: float
    target: str | None
    rerouted: str | None
    root: Root | None
    broadcast: bool

    @property
    def lane(self) -> str:
        """What is served one at a time: a channel's posts, and apart from them its edits."""
        return f"{_EDITS}{self.channel}" if self.action == "edit" else self.channel


@dataclass(frozen=True, slots=True)
class Backlog:
    """What Slack does not have yet: how many rows, how many of them it did not take when they were tried and the newest
    problem among these, and since when the oldest of the others waits for its turn."""

    pending: int
    refused: int
    problem: str | None
    untried_since: datetime | None


def body_of(message: Message) -> str:
    """The message as it is kept."""
    return json.dumps({"text": message.text, "blocks": list(message.blocks)}, ensure_ascii=False)


async def enqueue(
    connection: AsyncConnection,
    *,
    kind: MessageKind,
    action: Action,
    channel: str,
    message: Message,
    now: datetime,
    incident_id: int | None = None,
    broadcast: bool = False,
) -> str:
    """Add one message within the caller's transaction; returns its id. `broadcast` shows a reply in the channel too."""
    row_id = secrets.token_hex(5)
    await connection.execute(
        insert(outbox).values(
            id=row_id,
            kind=kind,
            action=action,
            channel=channel,
            body=body_of(message),
            broadcast=broadcast,
            created_at=now,
            incident_id=incident_id,
        )
    )
    return row_id


class Outbox:
    """Claiming and settling, for one process named `holder`."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        due = _due(database.clock(), holder)
        self._one_due = due.limit(1)
        self._due = due.limit(200).with_for_update(skip_locked=True, of=outbox)

    async def claim(self, limit: int, busy: Collection[str]) -> list[Delivery]:
        """Up to `limit` due rows, at most one a lane, none of a busy lane.

        Within an incident its message comes first, then replies in order and, apart from them, edits in order: what
        Slack does with an edit never holds up a reply, which is how a higher level is heard.
        """
        lanes = {"busy": list(busy)}
        async with self._database.reading() as connection:
            if not (await connection.execute(self._one_due, lanes)).first():
                return []
        async with self._database.writing() as connection:
            rows = (await connection.execute(self._due, lanes)).all()
            first = {row.lane: row for row in reversed(rows)}
            return [await self._take(connection, row) for row in list(first.values())[:limit]]

    async def channel_posted_to(self, channel: str) -> str | None:
        """The id of the channel that an earlier row of this name went to."""
        query = (
            select(outbox.c.posted_channel)
            .where(outbox.c.channel == channel, outbox.c.action == "post", outbox.c.rerouted.is_(None))
            .where(outbox.c.state == "delivered")
            .order_by(outbox.c.seq.desc())
            .limit(1)
        )
        async with self._database.reading() as connection:
            found: str | None = await connection.scalar(query)
        return found

    async def settle_delivered(self, delivery: Delivery, channel: str, ts: str) -> None:
        """Note that Slack has it. Does nothing where another process has settled the row meanwhile."""
        await self._settle(
            delivery,
            state="delivered",
            posted_channel=channel,
            posted_ts=ts,
            delivered_at=self._database.clock(),
            problem=None,
            unclear=False,
        )

    async def settle_superseded(self, delivery: Delivery) -> None:
        """Note that an edit is not to be made any more: it stands where its message stood."""
        root = delivery.root
        await self.settle_delivered(delivery, root.channel if root else "", root.ts if root else "")

    async def note_target(self, delivery: Delivery, target: str, rerouted: str | None) -> None:
        """Note, before it is sent, where the row goes: an unclear outcome is then looked for where it really went.

        `target` is a channel's id, or empty for a name; `rerouted` the refusal for which it goes to the operations
        channel, None where it goes to its own.
        """
        noted = update(outbox).where(outbox.c.seq == delivery.seq).values(posted_channel=target, rerouted=rerouted)
        async with self._database.writing() as connection:
            await connection.execute(noted)

    async def settle_failed(self, delivery: Delivery, *, problem: str, again_in: float, unclear: bool) -> None:
        """Give the row back, to be tried again in `again_in` seconds."""
        due = self._database.clock() + again_in
        await self._settle(delivery, state="waiting", problem=problem, unclear=unclear, due=due, wait=again_in)

    async def backlog(self) -> Backlog:
        """What Slack does not have yet."""
        untried = outbox.c.problem.is_(None)
        counts = select(
            func.count(), func.count(outbox.c.problem), func.min(case((untried, outbox.c.created_at)))
        ).where(UNDELIVERED)
        newest = select(outbox.c.problem).where(UNDELIVERED, ~untried).order_by(outbox.c.seq.desc()).limit(1)
        async with self._database.reading() as connection:
            pending, refused, untried_since = (await connection.execute(counts)).one()
            return Backlog(pending, refused, await connection.scalar(newest) if refused else None, untried_since)

    async def pending(self) -> int:
        """How many rows Slack does not have yet."""
        async with self._database.reading() as connection:
            undelivered = select(func.count()).select_from(outbox).where(UNDELIVERED)
            return await connection.scalar(undelivered) or 0

    async def _take(self, connection: AsyncConnection, row: Any) -> Delivery:
        unclear = row.unclear or row.state == "sending"
        clock = await connection.scalar(select(self._database.clock())) or 0.0
        first_sent = min(row.first_sent or clock, clock)  # the clock may have been ahead then
        await connection.execute(
            update(outbox)
            .where(outbox.c.seq == row.seq)
            .values(
                state="sending",
                holder=self._holder,
                unclear=unclear,
                attempts=row.attempts + 1,
                first_sent=first_sent,
            )
        )
        body = json.loads(row.body)
        return Delivery(
            seq=row.seq,
            id=row.id,
            kind=row.kind,
            action=row.action,
            channel=row.channel,
            message=Message(body["text"], tuple(body["blocks"])),
            attempts=row.attempts + 1,
            unclear=unclear,
            first_sent=first_sent,
            target=row.posted_channel,
            rerouted=row.rerouted,
            root=await _root(connection, row.incident_id) if row.action in ("edit", "reply") else None,
            broadcast=row.broadcast,
        )

    async def _settle(self, delivery: Delivery, **values: Any) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                update(outbox)
                .where(outbox.c.seq == delivery.seq, outbox.c.holder == self._holder, outbox.c.state == "sending")
                .values(holder=None, **values)
            )


def _due(clock: ColumnElement[Any], holder: str) -> Select[Any]:
    """The rows that may be sent now, with their lanes, in none of the lanes `busy`. Made once: it is asked often.

    The clock may be set at any time. A row that is due later than after its whole wait was given back by a clock that
    was ahead, and waits no longer; neither does one that was given back for longer than anybody may ask. Where the
    asker itself seems to be as good as dead, so may others who are not.
    """
    lane = case((outbox.c.action == "edit", literal(_EDITS) + outbox.c.channel), else_=outbox.c.channel)
    alive = select(leases.c.holder).where(leases.c.until > clock)
    is_alive = select(leases.c.name).where(leases.c.name == holder, leases.c.until > clock + POSTING_ROOM).exists()
    too_late = or_(outbox.c.due > clock + outbox.c.wait + 1, outbox.c.due > clock + LONGEST_ASKED)
    waited = or_(outbox.c.due <= clock, too_late)
    earlier = outbox.alias("earlier")
    kept_in_order = (
        select(earlier.c.seq)
        .where(
            earlier.c.incident_id == outbox.c.incident_id,
            earlier.c.seq < outbox.c.seq,
            earlier.c.state != "delivered",
            or_(earlier.c.action == "post", earlier.c.action == outbox.c.action),
        )
        .exists()
    )
    return (
        select(outbox, lane.label("lane"))
        .where(
            or_(
                and_(outbox.c.state == "waiting", waited),
                and_(outbox.c.state == "sending", outbox.c.holder.not_in(alive), is_alive),
            ),
            lane.not_in(bindparam("busy", expanding=True)),
            ~kept_in_order,
        )
        .order_by(outbox.c.seq)
    )


async def _root(connection: AsyncConnection, incident_id: int | None) -> Root | None:
    """The incident's message: the first one in the channel that its last one went to.

    That is the message it was opened with, until a reply found that channel dead and was posted elsewhere.
    """
    told = (
        select(outbox.c.posted_channel, outbox.c.posted_ts, outbox.c.rerouted)
        .where(outbox.c.incident_id == incident_id, outbox.c.action.in_(("post", "reply")))
        .where(outbox.c.state == "delivered")
    )
    last = told.order_by(outbox.c.seq.desc()).limit(1).subquery()
    here = told.where(outbox.c.posted_channel == last.c.posted_channel)
    row = (await connection.execute(here.order_by(outbox.c.posted_ts == "", outbox.c.seq).limit(1))).first()
    return Root(row.posted_channel, row.posted_ts, row.rerouted) if row else None

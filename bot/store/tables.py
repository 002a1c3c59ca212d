"""The tables. Times are UTC; amounts that may be fractions are exact decimal text; `due` and `until` are seconds
since 1970 on the database's own clock, so that replicas whose clocks differ agree on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A moment with its zone: SQLite forgets zones, so it is written in UTC and read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's signature
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's signature
        moment: datetime | None = value
        return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


RowNumber = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in INTEGER columns

readings = Table(
    "readings",
    metadata,
    Column("day", Date, primary_key=True),
    Column("read_at", UtcTime, primary_key=True),
    Column("cents", BigInteger, nullable=False),
    Column("minutes", Text, nullable=False),
    Column("calls", BigInteger, nullable=False),
    comment="one row each time a day's figure was read and had changed, so that a day has a curve",
)

rule_revisions = Table(
    "rule_revisions",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("in_force_from", UtcTime, nullable=False),
    comment="every good version of the rules, the last one in force",
)

known_rules = Table(
    "known_rules",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("since", UtcTime, nullable=False),
    comment="since when each rule watches what it watches now: windows closed before that are history, not news",
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("rule", String(80), nullable=False),
    Column("period", String(8), nullable=False),
    Column("window_start", Date, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("state", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("channel", String(120), nullable=False),
    Column("face", Text, nullable=False),
    Column("revision", String(64), nullable=False),
    UniqueConstraint("rule", "period", "window_start"),
    Index(None, "closed"),
    Index(None, "window_start"),
    comment="one rule in one window: one Slack message and its thread; `state` is what was said and what people did, "
    "the key that keeps every alert told once, and `version` counts its changes",
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("incident_id", ForeignKey(incidents.c.id, ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("read_at", UtcTime, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("headline", Text, nullable=False),
    Column("revision", String(64), nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("before", Text),
    Index(None, "incident_id"),
    comment="every decision that spoke, with what it was made from: `before` is the incident's state before it",
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", RowNumber, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("action", String(8), nullable=False),
    Column("incident_id", ForeignKey(incidents.c.id, ondelete="CASCADE")),
    Column("channel", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("broadcast", Boolean, nullable=False, default=False),
    Column("created_at", UtcTime, nullable=False),
    Column("state", String(10), nullable=False, default="waiting"),
    Column("holder", String(40)),
    Column("unclear", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due", Double, nullable=False, default=0.0),
    Column("wait", Double, nullable=False, default=0.0),
    Column("first_sent", Double),
    Column("problem", Text),
    Column("rerouted", String(60)),
    Column("posted_channel", String(40)),
    Column("posted_ts", String(40)),
    Column("delivered_at", Double),
    Index(None, "state", "due"),
    Index(None, "incident_id", "seq"),
    comment="messages to Slack: waiting, sending (claimed by holder), delivered",
)

admissions = Table(
    "admissions",
    metadata,
    Column("user_id", String(40), primary_key=True),
    Column("access", String(16), nullable=False),
    Column("at", Double, nullable=False),
    comment="who was let in, under which access and when: within a day they may ask although Slack does not answer",
)

acts = Table(
    "acts",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("ts", Double, nullable=False),
    Column("at", Double, nullable=False),
    comment="what people did within the last ten minutes, and when by Slack's clock, so that nothing is done twice",
)

conditions = Table(
    "conditions",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("detail", String(64), primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("told_at", UtcTime),
    comment="what the bot itself suffers from (blind, bad rules), so that it is told once, also across restarts",
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("until", Double, nullable=False),
    comment="who reads usage, and which processes are alive",
)

"""The first tables."""

import sqlalchemy as sa
from alembic import op

from bot.store.tables import UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "conditions",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=64), nullable=False),
        sa.Column("since", UtcTime(timezone=True), nullable=False),
        sa.Column("told_at", UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", "detail", name=op.f("pk_conditions")),
        comment="what the bot itself suffers from (blind, bad rules), so that it is told once, also across restarts",
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("window_start", sa.Date(), nullable=False),
        sa.Column("opened_at", UtcTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=120), nullable=False),
        sa.Column("face", sa.Text(), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("rule", "period", "window_start", name=op.f("uq_incidents_rule_period_window_start")),
        comment="one rule in one window: one Slack message and its thread; `state` is what was said and what people "
        "did, the key that keeps every alert told once, and `version` counts its changes",
    )
    op.create_index(op.f("ix_incidents_closed"), "incidents", ["closed"], unique=False)
    op.create_index(op.f("ix_incidents_window_start"), "incidents", ["window_start"], unique=False)
    op.create_table(
        "known_rules",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("since", UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_known_rules")),
        comment="since when each rule watches what it watches now: windows closed before that are history, not news",
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
        comment="who reads usage, and which processes are alive",
    )
    op.create_table(
        "readings",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("read_at", UtcTime(timezone=True), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "read_at", name=op.f("pk_readings")),
        comment="one row each time a day's figure was read and had changed, so that a day has a curve",
    )
    op.create_table(
        "rule_revisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("in_force_from", UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_revisions")),
        comment="every good version of the rules, the last one in force",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("broadcast", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("unclear", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("first_sent", sa.Double(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("rerouted", sa.String(length=60), nullable=True),
        sa.Column("posted_channel", sa.String(length=40), nullable=True),
        sa.Column("posted_ts", sa.String(length=40), nullable=True),
        sa.Column("delivered_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_outbox_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        comment="messages to Slack: waiting, sending (claimed by holder), delivered",
    )
    op.create_index(op.f("ix_outbox_incident_id_seq"), "outbox", ["incident_id", "seq"], unique=False)
    op.create_index(op.f("ix_outbox_state_due"), "outbox", ["state", "due"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcTime(timezone=True), nullable=False),
        sa.Column("read_at", UtcTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_decisions_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        comment="every decision that spoke, with what it was made from: `before` is the incident's state before it",
    )
    op.create_index(op.f("ix_decisions_incident_id"), "decisions", ["incident_id"], unique=False)

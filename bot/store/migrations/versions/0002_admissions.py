"""Who was let in within the last day."""

import sqlalchemy as sa
from alembic import op

revision = "0002_admissions"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "admissions",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_admissions")),
        comment="who was let in, under which access and when: within a day they may ask although Slack does not answer",
    )

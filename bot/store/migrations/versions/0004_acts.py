"""What people did within the last ten minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0004_acts"
down_revision = "0003_waits"


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("ts", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_acts")),
        comment="what people did within the last ten minutes, and when by Slack's clock, so that nothing is done twice",
    )

"""How long a message waits before it is tried again, so that a clock which is set cannot make it wait longer."""

import sqlalchemy as sa
from alembic import op

revision = "0003_waits"
down_revision = "0002_admissions"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("wait", sa.Double(), nullable=False, server_default="0"))

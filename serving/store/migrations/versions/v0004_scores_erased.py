"""A session's scores can be erased by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A session's scores can be erased by themselves."""
    op.add_column("sessions", sa.Column("scores_erased_at", sa.DateTime(timezone=True), nullable=True))

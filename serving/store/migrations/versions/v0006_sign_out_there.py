"""A browser session keeps what its provider wants to see at the sign-out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A browser session keeps what its provider wants to see at the sign-out."""
    op.add_column("browser_sessions", sa.Column("id_token", sa.Text(), nullable=True))

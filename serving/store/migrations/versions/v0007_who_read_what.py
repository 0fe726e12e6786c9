"""Who has read what is looked up in the audit log."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who has read what is looked up in the audit log."""
    op.create_index("ix_audit_entries_subject_actor_at", "audit_entries", ["subject", "actor", "at"], unique=False)

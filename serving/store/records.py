"""What must be provable afterwards: the audit log, deletion receipts; and webhooks."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.base import Base, UtcTime, new_id, now


class AuditEntry(Base):
    """One act, chained to the one before by its hash. No content of sessions stands here."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject_actor_at", "subject", "actor", "at"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    """ISO time as hashed."""
    organisation_id: Mapped[str | None] = mapped_column(String(40), index=True, default=None)
    actor: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    """JSON as hashed."""
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """Number and hash of the last entry: whoever cuts the log's end off would have to change this too."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class Receipt(Base):
    """What was erased, when, by whom; it outlives the session."""

    __tablename__ = "receipts"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("del"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    session_id: Mapped[str] = mapped_column(String(40), index=True)
    reason: Mapped[str] = mapped_column(String(60))
    """`asked`, or the clock that ran out."""
    person_id: Mapped[str | None] = mapped_column(String(40), default=None)
    erased: Mapped[dict[str, object]] = mapped_column(JSON)
    """Objects with their hashes, and rows by table."""
    at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Webhook(Base):
    """Where to report that a job ended. Its secret signs what is sent, so it is kept as it is."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("hook"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(100))
    created_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

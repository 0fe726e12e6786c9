"""Erasure with its receipt, and comments on scores."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, status
from pydantic import AwareDatetime, Field

from serving import comments, erasure, permissions, reads
from serving.dependencies import At, Transaction, Who
from serving.forms import Cursor, Long
from serving.permissions import May
from serving.store.opinions import Comment
from serving.store.records import Receipt
from serving.views import Page, ReceiptView
from serving.wire import Wire

router = APIRouter(tags=["erasure and comments"])


class CommentRequest(Wire):
    """What is said, and about what: `session`, `utterance N`, `element ID` or `measure ID`."""

    about: str = Field(default="session", max_length=100)
    is_contest: bool = False
    """The score is disputed, not merely commented on."""
    text: Long = Field(min_length=1)


class CommentView(Wire):
    """A comment as it stands with the score."""

    id: str
    about: str
    is_contest: bool
    text: str
    person: str
    at: AwareDatetime

    @classmethod
    def of(cls, comment: Comment, person: str) -> CommentView:
        return cls(
            id=comment.id,
            about=comment.about,
            is_contest=comment.is_contest,
            text=comment.text,
            person=person,
            at=comment.at,
        )


@router.delete("/sessions/{session_id}")
def erase(at: At, who: Who, session_id: str) -> ReceiptView:
    """Erases a session: objects, rows and what the database's log still held. The receipt stays."""
    who.must(May.ERASE)
    with at.begin() as db:
        row = permissions.session_of(db, who, session_id)
    return ReceiptView.of(erasure.erase_session(at, row, "asked", who.person_id))


@router.get("/receipts")
def list_receipts(db: Transaction, who: Who, query: Annotated[Cursor, Query()]) -> Page[ReceiptView]:
    """Receipts of all erasures, newest first."""
    who.must(May.ADMINISTER)
    rows = sa.select(Receipt).where(Receipt.organisation_id == who.organisation_id).order_by(Receipt.id.desc())
    if (after := query.after()) is not None:
        rows = rows.where(Receipt.id < after)
    found = db.scalars(rows.limit(query.limit + 1)).all()
    return Page(
        items=tuple(ReceiptView.of(row) for row in found[: query.limit]),
        next_cursor=query.next([row.id for row in found]),
    )


@router.post("/sessions/{session_id}/comments", status_code=status.HTTP_201_CREATED)
def comment(at: At, db: Transaction, who: Who, session_id: str, asked: CommentRequest) -> CommentView:
    """Comments on a score, or contests it; it stays with the score."""
    row = permissions.session_of(db, who, session_id)
    made = comments.add(at, db, who, row, asked.about, asked.text, is_contest=asked.is_contest)
    return CommentView.of(made, who.name)


@router.get("/sessions/{session_id}/comments")
def list_comments(db: Transaction, who: Who, session_id: str) -> tuple[CommentView, ...]:
    """A session's comments, oldest first."""
    row = permissions.session_of(db, who, session_id)
    found = comments.of(db, who, row)
    reads.note(db, who, row.id, reads.COMMENTS)
    return tuple(CommentView.of(one, one.person.name) for one in found)

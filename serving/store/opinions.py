"""Second opinions: blind reviews, adjudications, comments, and who has seen which scores."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from serving.store.base import Base, UtcTime, new_id, now
from serving.store.people import Person


class ReviewState(StrEnum):
    """An open review is being coded; a submitted one is never changed again."""

    OPEN = "open"
    SUBMITTED = "submitted"


class Review(Base):
    """One coder's own coding of one session by one codebook."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("session_id", "person_id", "codebook"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("rev"))
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    codebook: Mapped[str] = mapped_column(String(100))
    session_version: Mapped[int]
    """The version whose utterances are coded and whose scores it will be compared with."""
    is_blind: Mapped[bool]
    """The coder had not seen the machine's scores of the session when the review was opened."""
    state: Mapped[ReviewState] = mapped_column(String(20), default=ReviewState.OPEN)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)
    saved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    submitted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)

    person: Mapped[Person] = relationship(lazy="joined")


class ReviewCode(Base):
    """The coder's main code of one utterance."""

    __tablename__ = "review_codes"

    review_id: Mapped[str] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True)
    utterance: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60))


class ReviewRating(Base):
    """The coder's rating of one element, 1 to 5."""

    __tablename__ = "review_ratings"

    review_id: Mapped[str] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True)
    element: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[float]


class Adjudication(Base):
    """An agreed value beside the machine's and the coder's; appended, the latest of a subject stands."""

    __tablename__ = "adjudications"
    __table_args__ = (Index("ix_adjudications_session_id_id", "session_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("adj"))
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    review_id: Mapped[str] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    utterance: Mapped[int | None] = mapped_column(default=None)
    element: Mapped[str | None] = mapped_column(String(60), default=None)
    machine: Mapped[str | None] = mapped_column(String(60), default=None)
    coder: Mapped[str | None] = mapped_column(String(60), default=None)
    agreed: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Comment(Base):
    """What a worker or coach says about a score; a contest stays beside it until it is answered, and after."""

    __tablename__ = "comments"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("com"))
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    about: Mapped[str] = mapped_column(String(100))
    """`session`, or what it is about: `utterance 12`, `element <id>`, `measure <id>`."""
    is_contest: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

    person: Mapped[Person] = relationship(lazy="joined")


class ScoreView(Base):
    """That somebody has been shown a session's machine scores: their later review is not blind."""

    __tablename__ = "score_views"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    first_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

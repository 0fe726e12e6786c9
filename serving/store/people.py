"""Organisations, teams, people, and what lets people in."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from serving.store.base import Base, UtcTime, new_id, now


class PersonRole(StrEnum):
    """What somebody does with the service. (`Role` is who somebody is in a visit.)"""

    UPLOADER = "uploader"
    CODER = "coder"
    COACH = "coach"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


class Organisation(Base):
    """One service. The clocks are days after upload; `None` keeps."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("org"))
    name: Mapped[str] = mapped_column(String(200), unique=True)
    keep_audio_days: Mapped[int | None] = mapped_column(default=None)
    keep_transcript_days: Mapped[int | None] = mapped_column(default=None)
    keep_scores_days: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Team(Base):
    """Whose members see each other's sessions, as far as their roles let them."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("team"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(200))


class Person(Base):
    """Somebody who uses the service, or a worker whose sessions are scored in it."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("person"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), default=None)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[PersonRole] = mapped_column(String(20))
    is_active: Mapped[bool] = mapped_column(default=True)
    sign_in_name: Mapped[str | None] = mapped_column(String(255), default=None, unique=True, index=True)
    """What the identity provider calls this person, as an administrator wrote it down (`oidc_account_claim`)."""
    oidc_subject: Mapped[str | None] = mapped_column(String(400), default=None, unique=True)
    """`issuer subject` of the identity provider, kept at the first sign-in; from then on it alone counts."""
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    team: Mapped[Team | None] = relationship(lazy="joined")


class Token(Base):
    """A bearer token. Only the digest of its secret is kept; the secret has 256 random bits, so a plain
    SHA-256 is as good as a slow hash."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    label: Mapped[str] = mapped_column(String(200), default="")
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)

    person: Mapped[Person] = relationship(lazy="joined")


class BrowserSession(Base):
    """A signed-in browser. Its cookie's digest is the key; `csrf` must come back with every change."""

    __tablename__ = "browser_sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    token_id: Mapped[str | None] = mapped_column(ForeignKey("tokens.id"), default=None)
    """The token it was opened with: revoking that ends the session too."""
    csrf: Mapped[str] = mapped_column(String(64))
    id_token: Mapped[str | None] = mapped_column(Text, default=None)
    """`Identity.hint` of the sign-in. It names somebody, so it goes with this row and is nowhere else."""
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    person: Mapped[Person] = relationship(lazy="joined")
    token: Mapped[Token | None] = relationship(lazy="joined")


class SignInAttempt(Base):
    """A browser that was sent to the identity provider. Its return takes the row out, so that it counts once."""

    __tablename__ = "sign_in_attempts"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of what the provider sends back."""
    browser: Mapped[str] = mapped_column(String(64))
    """Digest of the cookie of the browser that began."""
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    target: Mapped[str] = mapped_column(String(500))
    """Where to go afterwards."""
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


class SignInFailure(Base):
    """One failed sign-in, kept as long as it counts for the lock-out."""

    __tablename__ = "sign_in_failures"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    address: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

"""Sessions, the jobs that score them, what the jobs made, and what people corrected."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from serving.store.base import Base, UtcTime, new_id, now


class SessionState(StrEnum):
    """Where a session stands."""

    WAITING = "waiting"
    SCORED = "scored"
    FAILED = "failed"
    CANCELED = "canceled"


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})


class JobKind(StrEnum):
    """What a job is for."""

    SCORE = "score"
    RECOMPUTE = "recompute"
    """Codes and ratings anew, after roles or text were corrected."""
    TRANSCRIBE = "transcribe"
    """Words alone, for the transcription route; nothing is kept afterwards."""


class SessionRow(Base):
    """One session: what is known of it besides its content, which lies in objects."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_team_id_id", "team_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ses"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), default=None)
    uploaded_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), default=None, index=True)
    """Whose practice is scored."""
    name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(300))
    """The uploaded file's name."""
    kind: Mapped[str] = mapped_column(String(20))
    """`sound` or `transcript`."""
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    duration: Mapped[float | None] = mapped_column(default=None)
    target: Mapped[str | None] = mapped_column(String(500), default=None)
    visit_type: Mapped[str] = mapped_column(String(100), default="")
    family: Mapped[str] = mapped_column(String(100), default="")
    """The service's own reference of the family; never a name, the upload form says."""
    state: Mapped[SessionState] = mapped_column(String(20), default=SessionState.WAITING)
    codebook: Mapped[str] = mapped_column(String(100))
    """`Codebook.key`."""
    version: Mapped[int] = mapped_column(default=0)
    """Rises with every scoring and every correction; 0 while there is no result."""
    part: Mapped[int] = mapped_column(default=0)
    """Its place in a file that held several sessions."""
    first_id: Mapped[str | None] = mapped_column(String(40), default=None)
    """The session whose upload this one came with."""
    audio_erased_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    transcript_erased_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    scores_erased_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Job(Base):
    """One durable job. Its row holds ids, times and sanitised messages, never speech."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_organisation_id_state_id", "organisation_id", "state", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("job"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"), index=True)
    created_by: Mapped[str] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[JobKind] = mapped_column(String(20), default=JobKind.SCORE)
    state: Mapped[JobState] = mapped_column(String(20), default=JobState.QUEUED)
    stage: Mapped[str] = mapped_column(String(20), default="receive")
    share: Mapped[float] = mapped_column(default=0.0)
    """How much of the stage is done."""
    progress: Mapped[float] = mapped_column(default=0.0)
    priority: Mapped[int] = mapped_column(default=100)
    """1 goes first. Never unset: the engine would take that for the most urgent."""
    workflow_id: Mapped[str] = mapped_column(String(80), index=True)
    worker: Mapped[str | None] = mapped_column(String(100), default=None)
    is_dead_letter: Mapped[bool] = mapped_column(default=False)
    """Its worker died again and again over it; it waits for a person."""
    error_kind: Mapped[str | None] = mapped_column(String(60), default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    options: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    """`score`: `ScoreOptions` as given; `order`: where a transcription's upload lies."""
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)

    session: Mapped[SessionRow | None] = relationship(lazy="joined")


class StageRun(Base):
    """A stage that a job has finished; written once a job and stage, however often it ran."""

    __tablename__ = "stage_runs"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(20), primary_key=True)
    worker: Mapped[str] = mapped_column(String(100))
    seconds: Mapped[float]
    finished_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Artefact(Base):
    """An object that belongs to a session: the recording, or a part of a version's result."""

    __tablename__ = "artefacts"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """0 for what was uploaded."""
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class Correction(Base):
    """One change that a person made to one field of a session; appended, never altered."""

    __tablename__ = "corrections"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("cor"))
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    """The session's version that the change made."""
    utterance: Mapped[int | None] = mapped_column(default=None)
    """`Utterance.id`; `None` where a whole speaker's role was changed."""
    field: Mapped[str] = mapped_column(String(20))
    """`role`, `speaker`, `text` or `code`."""
    speaker: Mapped[str | None] = mapped_column(String(200), default=None)
    before: Mapped[str | None] = mapped_column(Text, default=None)
    after: Mapped[str | None] = mapped_column(Text, default=None)
    reason: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)


class IdempotencyKey(Base):
    """An upload's key: the same person's same key gives the same job."""

    __tablename__ = "idempotency_keys"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Digest of what was uploaded with it."""
    job_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime, default=now)

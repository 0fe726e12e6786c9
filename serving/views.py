"""What goes out over the wire where the library's own values do not serve."""

from __future__ import annotations

import datetime as dt
from typing import Generic, Literal, TypeVar

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue

from msw_ml.session import Value
from serving.store.records import Receipt
from serving.store.sessions import Correction, Job, JobKind, JobState, SessionRow, SessionState

Item = TypeVar("Item")


class Page(Value, Generic[Item]):
    """Part of a list. `next_cursor` is `null` at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class SessionView(Value):
    """A session without its content and scores."""

    id: str
    name: str
    source: str
    kind: Literal["sound", "transcript"]
    state: SessionState
    version: int
    duration: float | None
    size: int
    team: str | None
    worker: str | None
    family: str
    visit_type: str
    target: str | None
    codebook: str
    has_audio: bool
    has_transcript: bool
    created_at: AwareDatetime
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "ses_019ab2f0c1d27f4c0a8e55d0b1c2d3e4",
                    "name": "Visit 12",
                    "source": "visit12.m4a",
                    "kind": "sound",
                    "state": "scored",
                    "version": 1,
                    "duration": 3120.4,
                    "size": 25165824,
                    "team": None,
                    "worker": None,
                    "family": "F-104",
                    "visit_type": "",
                    "target": "bedtimes",
                    "codebook": "msw 1.0",
                    "has_audio": True,
                    "has_transcript": True,
                    "created_at": "2026-11-24T08:00:00Z",
                }
            ]
        },
    )

    @classmethod
    def of(cls, row: SessionRow) -> SessionView:
        return cls(
            id=row.id,
            name=row.name,
            source=row.source,
            kind="sound" if row.kind == "sound" else "transcript",
            state=SessionState(row.state),
            version=row.version,
            duration=row.duration,
            size=row.size,
            team=row.team_id,
            worker=row.worker_id,
            family=row.family,
            visit_type=row.visit_type,
            target=row.target,
            codebook=row.codebook,
            has_audio=row.kind == "sound" and row.audio_erased_at is None,
            has_transcript=row.version > 0 and row.transcript_erased_at is None,
            created_at=row.created_at,
        )


class JobView(Value):
    """How far a job is."""

    id: str
    kind: JobKind
    state: JobState
    stage: str
    progress: float = Field(ge=0, le=1)
    stage_progress: float = Field(ge=0, le=1)
    eta_seconds: float | None
    """Time left, where enough is done to tell; `null` else."""
    sessions: tuple[str, ...]
    """The sessions it makes: more than one where the file held several."""
    worker: str | None
    is_dead_letter: bool
    error_kind: str | None
    error: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "job_019ab2f0c1d27f4c0a8e55d0b1c2d3e4",
                    "kind": "score",
                    "state": "running",
                    "stage": "listen",
                    "progress": 0.41,
                    "stage_progress": 0.45,
                    "eta_seconds": 210.0,
                    "sessions": ["ses_019ab2f0c1d27f4c0a8e55d0b1c2d3e4"],
                    "worker": "w1",
                    "is_dead_letter": False,
                    "error_kind": None,
                    "error": None,
                    "created_at": "2026-11-24T08:00:00Z",
                    "started_at": "2026-11-24T08:00:01Z",
                    "finished_at": None,
                }
            ]
        },
    )

    @classmethod
    def of(cls, job: Job, sessions: tuple[str, ...], at: dt.datetime) -> JobView:
        return cls(
            id=job.id,
            kind=JobKind(job.kind),
            state=JobState(job.state),
            stage=job.stage,
            progress=job.progress,
            stage_progress=job.share,
            eta_seconds=_eta(job, at),
            sessions=sessions,
            worker=job.worker,
            is_dead_letter=job.is_dead_letter,
            error_kind=job.error_kind,
            error=job.error,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )


class CorrectionView(Value):
    """One change as it stands in the history."""

    id: str
    version: int
    field: str
    utterance: int | None
    speaker: str | None
    before: str | None
    after: str | None
    reason: str
    person: str
    at: AwareDatetime

    @classmethod
    def of(cls, one: Correction, person: str) -> CorrectionView:
        return cls(
            id=one.id,
            version=one.version,
            field=one.field,
            utterance=one.utterance,
            speaker=one.speaker,
            before=one.before,
            after=one.after,
            reason=one.reason,
            person=person,
            at=one.at,
        )


class CorrectionResult(Value):
    """The corrected session, and the job that codes it again where one is needed."""

    session: SessionView
    job: str | None


class ReceiptView(Value):
    """Proof of an erasure."""

    id: str
    session: str
    reason: str
    person: str | None
    erased: dict[str, JsonValue]
    at: AwareDatetime

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptView:
        return cls.model_validate(
            {
                "id": receipt.id,
                "session": receipt.session_id,
                "reason": receipt.reason,
                "person": receipt.person_id,
                "erased": receipt.erased,
                "at": receipt.at,
            }
        )


def _eta(job: Job, at: dt.datetime) -> float | None:
    if job.state == JobState.RUNNING and job.started_at is not None and job.progress >= 0.03:
        elapsed = (at - job.started_at).total_seconds()
        return round(max(0.0, elapsed * (1 - job.progress) / job.progress), 1)
    return 0.0 if JobState(job.state).is_final else None

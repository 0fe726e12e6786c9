"""What goes over the wire where the library's own values do not serve."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, ValidationError

from msw_ml.batch.options import ScoreOptions
from msw_ml.session import Role, Value
from serving.problems import from_validation, invalid
from serving.store.sessions import Job, JobKind, JobState, SessionRow, SessionState

Item = TypeVar("Item")
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]

PRIORITIES = {"urgent": 10, "normal": 100, "low": 1000}
"""Places in the queue; 1 is kept for what somebody waits for."""
WAITING_FOR_IT = 1


class Page(Value, Generic[Item]):
    """Part of a list. `next_cursor` is `null` at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class Cursor(Value):
    """How much of a list to give, and where to go on."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=100)

    def after(self) -> str | None:
        """The id after which to go on. Raises 422 for a cursor that is none of ours."""
        if self.cursor is None:
            return None
        try:
            return base64.urlsafe_b64decode(self.cursor.encode()).decode("ascii")
        except ValueError as error:
            raise invalid("cursor", "take the next_cursor of the list before") from error

    def next(self, ids: list[str]) -> str | None:
        """The cursor behind the last of `limit` ids, where there are more than that."""
        if len(ids) <= self.limit:
            return None
        return base64.urlsafe_b64encode(ids[self.limit - 1].encode()).decode("ascii")


class SessionQuery(Cursor):
    """Which sessions to list."""

    q: str = Field(default="", max_length=200)
    """Words in name, file name, family or type of visit."""
    state: SessionState | None = None


class JobQuery(Cursor):
    """Which jobs to list."""

    state: JobState | None = None


class UploadForm(Value):
    """The fields beside the file of `POST /v1/sessions`; all may be left out."""

    name: Short = ""
    """What the session is called; the file's name by default."""
    worker: Short = ""
    """Id or name of the person whose practice it is."""
    team: Short = ""
    """Id or name of the team; the uploader's by default. Only administrators choose another."""
    family: Short = ""
    """The service's own reference, never a name."""
    visit_type: Short = ""
    priority: Literal["urgent", "normal", "low"] = "normal"
    speakers: int | None = Field(default=None, ge=1, le=12)
    target: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = None
    """The behaviour that change talk is about."""
    segment_minutes: float | None = Field(default=None, gt=0, le=600)
    seed: int = Field(default=1, ge=0, le=2**31)
    units: Literal["as-given", "split"] | None = None

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Visit 12", "family": "F-104", "speakers": 2, "target": "bedtimes"}]},
    )

    @classmethod
    def of(cls, fields: dict[str, str]) -> UploadForm:
        """From the text fields of a form; empty ones count as left out. Raises 422."""
        try:
            return cls.model_validate({name: value for name, value in fields.items() if value != ""})
        except ValidationError as error:
            raise from_validation(error) from error

    @property
    def options(self) -> ScoreOptions:
        return ScoreOptions(
            speakers=self.speakers,
            target=self.target,
            segment_minutes=self.segment_minutes,
            seed=self.seed,
            units=self.units,
        )


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


class CorrectionItem(Value):
    """One change: the role of a speaker or utterance, or an utterance's speaker, text or code."""

    field: Literal["role", "speaker", "text", "code"]
    utterance: int | None = Field(default=None, ge=0)
    speaker: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Whose role it is, where no utterance is named."""
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class CorrectionRequest(Value):
    """Changes to a session, made together: all of them or none."""

    version: int
    """The version that was looked at; 409 where somebody else has changed the session since."""
    changes: tuple[CorrectionItem, ...] = Field(min_length=1, max_length=500)
    reason: Long = ""
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "version": 1,
                    "changes": [{"field": "role", "speaker": "S2", "value": Role.WORKER.value}],
                    "reason": "swapped",
                }
            ]
        },
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


class ReceiptView(Value):
    """Proof of an erasure."""

    id: str
    session: str
    reason: str
    person: str | None
    erased: dict[str, object]
    at: AwareDatetime


def _eta(job: Job, at: dt.datetime) -> float | None:
    if job.state == JobState.RUNNING and job.started_at is not None and job.progress >= 0.03:
        elapsed = (at - job.started_at).total_seconds()
        return round(max(0.0, elapsed * (1 - job.progress) / job.progress), 1)
    return 0.0 if JobState(job.state).is_final else None

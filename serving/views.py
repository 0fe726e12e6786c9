"""What goes out over the wire where the library's own values do not serve."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, Field, JsonValue

from serving.store.records import Receipt
from serving.store.sessions import Correction, Job, JobKind, JobState, SessionRow, SessionState
from serving.wire import Wire

Item = TypeVar("Item")


class Page(Wire, Generic[Item]):
    """Part of a list."""

    items: tuple[Item, ...]
    next_cursor: str | None = None
    """What to send as `cursor` for the next part; `null` where this was the last."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """What a list of these is called in the description."""
        return f"PageOf{params[0].__name__}"


class SessionView(Wire):
    """A session without its content and scores."""

    id: str
    name: str
    source: str
    """The uploaded file's name."""
    kind: Literal["sound", "transcript"]
    state: SessionState
    version: int
    """0 until there is a result, 1 as the software made it, one more with every correction."""
    duration: float | None
    """Seconds."""
    size: int
    """Bytes of the upload."""
    team: str | None
    worker: str | None
    """The id of the person whose practice it is."""
    family: str
    visit_type: str
    target: str | None
    """The behaviour that change talk is about."""
    codebook: str
    has_audio: bool
    has_transcript: bool
    created_at: AwareDatetime

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


class JobView(Wire):
    """How far a job is."""

    id: str
    kind: JobKind
    state: JobState
    stage: str
    """One of receive, listen, code, rate, write; whole for a short transcript."""
    progress: float = Field(ge=0, le=1)
    """Of the whole job."""
    stage_progress: float = Field(ge=0, le=1)
    eta_seconds: float | None
    """Time left, where enough is done to tell; `null` else."""
    sessions: tuple[str, ...]
    """The sessions it makes: more than one where the file held several."""
    worker: str | None
    is_dead_letter: bool
    """Its workers died over it several times; it is taken up again only by hand."""
    error_kind: str | None
    error: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None

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


class Peaks(Wire):
    """A recording's waveform, as it is drawn."""

    seconds: float
    """How long one peak is."""
    peaks: tuple[int, ...]
    """The loudest sample of each, 0 to 255."""


class CorrectionView(Wire):
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


class CorrectionResult(Wire):
    """The corrected session, and the job that codes it again where one is needed."""

    session: SessionView
    job: str | None


class ReceiptView(Wire):
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

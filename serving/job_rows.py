"""A worker's side of the rows: what a job's stage needs to know, how far it is, how it ended."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from msw_ml.batch.options import ScoreOptions
from msw_ml.formats.session_json import load, session_json
from msw_ml.pipeline import Pipeline
from msw_ml.session import ScoredSession
from serving.corrections import with_corrected_codes
from serving.job_control import end, hold
from serving.job_queue import JobQueue
from serving.results import CORRECTED, MACHINE, PEAKS, RECORDING, Version, advance
from serving.stage_names import SHORT_BYTES, STAGES, WHOLE, overall
from serving.stage_process import StageCanceled, StageFailed
from serving.stages import Order, heard_part
from serving.store.base import Db, new_id, now
from serving.store.objects import Objects, StorageAway
from serving.store.sessions import Artefact, Job, JobKind, JobState, SessionRow, SessionState, StageRun

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
PATIENCE = 600.0
"""Seconds that a worker waits for a database or a storage that is away before it gives a stage up."""


class JobRows:
    """Reads and writes the rows of one worker's jobs; a database or storage that is away is waited for."""

    def __init__(
        self, engine: sa.Engine, objects: Objects, worker: str, max_hours: float, pipeline: Callable[[], Pipeline]
    ) -> None:
        self._engine = engine
        self._objects = objects
        self._worker = worker
        self._max_hours = max_hours
        self._pipeline = pipeline
        self._queue = JobQueue(engine)

    def begin_stage(self, job_id: str, stage: str) -> Order:
        """Marks a job as running and gives the order of its stage, or of all of them where it is short.

        Raises `StageCanceled` if it was stopped.
        """

        def begin(db: Db) -> Order:
            job = hold(db, job_id)
            if job is None:
                raise StageCanceled
            job.state, job.stage, job.share, job.worker = JobState.RUNNING, stage, 0.0, self._worker
            job.progress = overall(stage, 0.0)
            job.started_at = job.started_at or now()
            return self._order(db, job, stage)

        return self._patiently(begin)

    def keep_going(self, job_id: str, stage: str, share: float) -> bool:
        """Writes the progress; `False` where the job was stopped. A database that is away stops nothing."""
        moved = sa.update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING)
        moved = moved.values(stage=stage, share=share, progress=overall(stage, share))
        try:
            with Session(self._engine) as db, db.begin():
                return db.execute(moved.returning(Job.id)).first() is not None
        except (OperationalError, InterfaceError):
            return True

    def end_stages(self, job_id: str, seconds: Mapping[str, float]) -> None:
        """Notes finished stages; after the last one the results become rows and the job succeeds."""

        def finish(db: Db) -> None:
            job = hold(db, job_id)
            if job is None:
                raise StageCanceled
            last = list(seconds)[-1]
            is_last = last == STAGES[-1]
            known = set(db.scalars(sa.select(StageRun.stage).where(StageRun.job_id == job_id)))
            if is_last and last not in known:
                self._publish(db, job)
            for stage, took in seconds.items():
                if stage not in known:
                    db.add(StageRun(job_id=job_id, stage=stage, worker=self._worker, seconds=round(took, 3)))
            job.stage, job.share, job.progress = last, 1.0, overall(last, 1.0)
            if is_last:
                end(db, self._queue, job, JobState.SUCCEEDED)

        self._patiently(finish)

    def fail(self, job_id: str, failure: StageFailed) -> None:
        """Ends a job with its reason, unless it was stopped before."""

        def give_up(db: Db) -> None:
            job = hold(db, job_id)
            if job is not None:
                job.error_kind, job.error = failure.kind, failure.message
                end(db, self._queue, job, JobState.FAILED)

        self._patiently(give_up)

    def tidy(self, job_id: str, *, is_canceled: bool = False) -> None:
        """Removes the intermediate results of a job that succeeded or was stopped.

        With `is_canceled` only if its row says that it was cancelled.
        """

        def remove(db: Db) -> None:
            job = db.get(Job, job_id)
            if job is None or job.kind == JobKind.TRANSCRIBE or (is_canceled and job.state != JobState.CANCELED):
                return
            self._objects.erase(work_folder(job))

        self._patiently(remove)

    def _patiently(self, work: Callable[[Db], T]) -> T:
        """Does something in a transaction, again and again while the database or the storage is away."""
        ends, wait = time.monotonic() + PATIENCE, 0.2
        while True:
            try:
                with Session(self._engine) as db, db.begin():
                    return work(db)
            except (OperationalError, InterfaceError, StorageAway) as error:
                if time.monotonic() > ends:
                    raise
                what = "storage" if isinstance(error, StorageAway) else "database"
                _LOG.warning("the %s cannot be reached; trying again in %.1f s", what, wait)
                time.sleep(wait)
                wait = min(10.0, wait * 2)

    def _order(self, db: Db, job: Job, stage: str) -> Order:
        options = ScoreOptions.model_validate(job.options.get("score", {}))
        given = job.options.get("order")
        if isinstance(given, dict):  # a transcription: the upload is all there is
            return Order.model_validate(
                {**given, "job": job.id, "kind": job.kind, "stage": stage, "folder": work_folder(job)}
                | {"options": options, "max_hours": self._max_hours}
            )
        if job.session_id is None:
            raise StageCanceled
        row = db.get_one(SessionRow, job.session_id)
        name, version = (CORRECTED, row.version) if job.kind == JobKind.RECOMPUTE else (RECORDING, 0)
        upload = db.get(Artefact, (row.id, version, name))
        if upload is None:
            raise StageFailed("UploadGone", "the upload was erased before it could be scored", is_transient=False)
        is_sound = row.kind == "sound"
        is_short = job.kind == JobKind.SCORE and not is_sound and upload.size <= SHORT_BYTES
        return Order(
            job=job.id,
            kind=JobKind(job.kind),
            stage=WHOLE if is_short and stage == STAGES[0] else stage,
            folder=work_folder(job),
            upload=upload.key,
            source=row.source,
            sha256=upload.sha256,
            name=row.name,
            is_sound=is_sound,
            peaks=peaks_key(row.id),
            options=options,
            max_hours=self._max_hours,
        )

    def _publish(self, db: Db, job: Job) -> None:
        if job.session_id is None:
            return
        first = db.get_one(SessionRow, job.session_id)
        data = self._objects.get(f"{work_folder(job)}/scored.json")
        scored = TypeAdapter(list[ScoredSession]).validate_json(data)
        if job.kind == JobKind.RECOMPUTE:
            self._publish_again(db, first, scored[0])
            return
        for place, session in enumerate(scored):
            row = first if place == 0 else _further(db, first, session, place)
            self._write(db, row, session, session)
        if self._objects.is_there(peaks_key(first.id)):
            peaks = self._objects.get(peaks_key(first.id))
            digest = hashlib.sha256(peaks).hexdigest()
            db.merge(
                Artefact(
                    session_id=first.id, version=0, name=PEAKS, key=peaks_key(first.id), sha256=digest, size=len(peaks)
                )
            )

    def _publish_again(self, db: Db, row: SessionRow, machine: ScoredSession) -> None:
        """After a correction: people's codes come back on top. A session that was corrected once more since
        has another job in the queue, so this one's result is left."""
        latest = db.get_one(Artefact, (row.id, row.version, CORRECTED))
        held = load(self._objects.get(latest.key).decode("utf-8"), CORRECTED)
        if heard_part(held) == heard_part(machine):
            self._write(db, row, machine, with_corrected_codes(machine, db, row, self._pipeline()))

    def _write(self, db: Db, row: SessionRow, machine: ScoredSession, corrected: ScoredSession) -> None:
        version = Version(self._objects, row.id, advance(db, row, row.version))
        text = session_json(machine)
        version.add(db, MACHINE, text)
        version.add(db, CORRECTED, text if corrected is machine else session_json(corrected))
        row.version, row.state = version.number, SessionState.SCORED
        row.duration = machine.recording.duration


def _further(db: Db, first: SessionRow, session: ScoredSession, place: int) -> SessionRow:
    """A row for a further session of the same file."""
    kept = {column.name: getattr(first, column.name) for column in SessionRow.__table__.columns}
    kept.update(
        id=new_id("ses"), name=session.recording.name[:200], part=place, first_id=first.id, version=0,
        state=SessionState.WAITING, created_at=now(),
    )  # fmt: skip
    row = SessionRow(**kept)
    db.add(row)
    db.flush()
    return row


def work_folder(job: Job) -> str:
    """Where a job's intermediate results lie."""
    return f"sessions/{job.session_id}/stages/{job.id}" if job.session_id else f"transcriptions/{job.id}"


def peaks_key(session_id: str) -> str:
    """Where the drawn waveform of a session lies."""
    return f"sessions/{session_id}/upload/{PEAKS}"

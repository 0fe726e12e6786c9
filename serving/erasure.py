"""Erasing sessions, or parts of them: objects, rows, the write-ahead log; a receipt proves it.

What PostgreSQL's own log and anybody's backups still hold is beyond this service: README.md says how long.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from msw_ml.formats.session_json import load, session_json
from msw_ml.session import ScoredSession
from serving import audit
from serving.audit import Act
from serving.job_control import end, hold
from serving.results import CORRECTED, MACHINE, PEAKS, RECORDING, without_scores, without_words
from serving.service import Service
from serving.store.base import Base, Db, new_id, now
from serving.store.database import forget_erased
from serving.store.opinions import Review
from serving.store.records import Receipt
from serving.store.sessions import Artefact, Correction, IdempotencyKey, Job, JobState, SessionRow, StageRun

OPINIONS = frozenset({"reviews", "review_codes", "review_ratings", "adjudications", "comments", "score_views"})


def erase_session(service: Service, row: SessionRow, reason: str, person: str | None) -> Receipt:
    """Erases a whole session and everything that hangs on it. Jobs on it are stopped first."""
    with service.begin() as db:
        jobs = db.scalars(sa.select(Job).where(Job.session_id == row.id)).all()
        for job in jobs:
            if hold(db, job.id) is not None:
                end(db, service.queue, job, JobState.CANCELED)
    workflows = [job.workflow_id for job in jobs]
    for workflow in workflows:
        service.queue.cancel(workflow)
    with service.begin() as db:
        hashes = _hashes(db, row.id)
        rows = _erase_rows(db, row, [job.id for job in jobs])
        receipt = _receipt(db, row, reason, person, {"objects": hashes, "rows": rows})
        service.objects.erase(f"sessions/{row.id}")  # before the commit: no receipt for what a lost storage still holds
    service.queue.forget(workflows)
    forget_erased(service.engine)
    return receipt


def erase_audio(service: Service, row: SessionRow, reason: str, person: str | None) -> Receipt:
    """Erases the sound and its drawn waveform; transcript and scores stay."""
    with service.begin() as db:
        held = db.scalars(
            sa.select(Artefact).where(Artefact.session_id == row.id, Artefact.name.in_((RECORDING, PEAKS)))
        ).all()
        hashes: dict[str, object] = {one.key: one.sha256 for one in held}
        for one in held:
            db.delete(one)
        db.execute(sa.update(SessionRow).where(SessionRow.id == row.id).values(audio_erased_at=now()))
        receipt = _receipt(db, row, reason, person, {"objects": hashes, "rows": {"artefacts": len(held)}})
        service.objects.erase(f"sessions/{row.id}/upload")
    forget_erased(service.engine)
    return receipt


def erase_transcript(service: Service, row: SessionRow, reason: str, person: str | None) -> Receipt:
    """Erases every word: of the results, of corrections, and of an uploaded transcript. Scores stay."""

    def rows(db: Db) -> dict[str, int]:
        texts = sa.update(Correction).where(Correction.session_id == row.id, Correction.field == "text")
        changed = len(db.execute(texts.values(before=None, after=None).returning(Correction.id)).all())
        return {"corrections": changed}

    uploads = () if row.kind == "sound" else (RECORDING,)
    return _rewrite(service, row, _Rewriting(without_words, uploads, rows, "transcript_erased_at", reason, person))


def erase_scores(service: Service, row: SessionRow, reason: str, person: str | None) -> Receipt:
    """Erases what the machine and people made of the session: scores, reviews, comments. Who said what stays."""

    def rows(db: Db) -> dict[str, int]:
        counts = _erase_opinions(db, row.id)
        codes = sa.delete(Correction).where(Correction.session_id == row.id, Correction.field == "code")
        counts["corrections"] = len(db.execute(codes.returning(Correction.id)).all())
        return counts

    return _rewrite(service, row, _Rewriting(without_scores, (), rows, "scores_erased_at", reason, person))


@dataclass(frozen=True)
class _Rewriting:
    """How the content of a session is thinned out."""

    change: Callable[[ScoredSession], ScoredSession]
    uploads: tuple[str, ...]
    """Artefacts that go altogether."""
    rows: Callable[[Db], dict[str, int]]
    column: str
    reason: str
    person: str | None


def _rewrite(service: Service, row: SessionRow, how: _Rewriting) -> Receipt:
    with service.begin() as db:
        db.execute(sa.update(SessionRow).where(SessionRow.id == row.id).values({how.column: now()}))
        erased: dict[str, object] = {}
        for one in db.scalars(sa.select(Artefact).where(Artefact.session_id == row.id)).all():
            if one.name in how.uploads:
                erased[one.key] = one.sha256
                db.delete(one)
            elif one.name in (CORRECTED, MACHINE):
                erased[one.key] = one.sha256
                session = load(service.objects.get(one.key).decode("utf-8"), one.name)
                fresh = f"sessions/{row.id}/v{one.version}-{secrets.token_hex(4)}/{one.name}"
                kept = service.objects.put(fresh, session_json(how.change(session)))
                one.key, one.sha256, one.size = kept.key, kept.sha256, kept.size
        content = {"objects": erased, "rows": {name: count for name, count in how.rows(db).items() if count}}
        receipt = _receipt(db, row, how.reason, how.person, content)
    for key in erased:
        service.objects.erase_one(key)
    forget_erased(service.engine)
    return receipt


def _erase_opinions(db: Db, session_id: str) -> dict[str, int]:
    reviews = sa.select(Review.id).where(Review.session_id == session_id)
    counts: dict[str, int] = {}
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in OPINIONS:
            by_review = "session_id" not in table.columns
            condition = table.c.review_id.in_(reviews) if by_review else table.c.session_id == session_id
            counts[table.name] = db.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
            db.execute(sa.delete(table).where(condition))
    return counts


def _erase_rows(db: Db, row: SessionRow, jobs: list[str]) -> dict[str, int]:
    """Everything of every table that belongs to the session or its jobs; how many rows by table."""
    db.execute(sa.update(SessionRow).where(SessionRow.first_id == row.id).values(first_id=None))
    counts = _erase_opinions(db, row.id)
    for model, condition in (
        (IdempotencyKey, IdempotencyKey.job_id.in_(jobs)),
        (StageRun, StageRun.job_id.in_(jobs)),
        (Correction, Correction.session_id == row.id),
        (Artefact, Artefact.session_id == row.id),
    ):
        counts[model.__tablename__] = db.scalar(sa.select(sa.func.count()).select_from(model).where(condition)) or 0
        db.execute(sa.delete(model).where(condition))
    db.execute(sa.update(Job).where(Job.id.in_(jobs)).values(session_id=None, options={}, error=None))
    db.execute(sa.delete(SessionRow).where(SessionRow.id == row.id))
    return {name: count for name, count in counts.items() if count} | {"sessions": 1}


def _hashes(db: Db, session_id: str) -> dict[str, object]:
    query = sa.select(Artefact.key, Artefact.sha256).where(Artefact.session_id == session_id)
    return {row.key: row.sha256 for row in db.execute(query)}


def _receipt(db: Db, row: SessionRow, reason: str, person: str | None, erased: dict[str, object]) -> Receipt:
    receipt = Receipt(
        id=new_id("del"),
        organisation_id=row.organisation_id,
        session_id=row.id,
        reason=reason,
        person_id=person,
        erased=erased,
        at=now(),
    )
    db.add(receipt)
    act = Act(actor=person or "system", action="session.erase", subject=row.id, organisation=row.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"receipt": receipt.id, "reason": reason}}))
    return receipt

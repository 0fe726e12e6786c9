"""From an upload to a session with its job in the queue: in one transaction, once for each idempotency key."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from serving import at_the_door, audit, permissions
from serving.audit import Act
from serving.forms import PRIORITIES, UploadForm
from serving.permissions import May, Principal
from serving.problems import Problem, invalid
from serving.results import RECORDING
from serving.service import Service
from serving.stage_names import SHORT_BYTES
from serving.store.base import Db, new_id
from serving.store.objects import Kept
from serving.store.people import Person, Team
from serving.store.sessions import Artefact, IdempotencyKey, Job, SessionRow
from serving.uploads import Upload


def upload_key(session_id: str) -> str:
    """Where an upload lies."""
    return f"sessions/{session_id}/upload/{RECORDING}"


def take_in(service: Service, who: Principal, session_id: str, upload: Upload, key: str | None) -> Job:
    """Keeps an upload and enqueues its job; the same key gives the job that it gave before.

    Raises 413 (transcripts have a limit of their own), 415, 422 (fields, a transcript made to do harm, or a key that
    was used for something else) and 503. Nothing is left behind by an upload that was refused, nor by a second one
    with the same key: that is found out by the key's row, which can be inserted once, without a look beforehand that
    every first upload would pay for.
    """
    try:
        form = UploadForm.of(upload.fields)
        kind = upload.kind
        if kind == "transcript" and upload.incoming.size > service.settings.max_transcript_mb << 20:
            raise Problem(413, f"a transcript may have {service.settings.max_transcript_mb} MB")
        with service.begin() as db:
            session = _session(db, service, who, form, upload)
            session.id, session.kind = session_id, kind
        kept = upload.incoming.keep()
    finally:
        upload.incoming.drop()
    fingerprint = _fingerprint(upload)
    try:
        if kind == "transcript":
            at_the_door.check(service.objects, kept.key, session.source)
        return _enqueue(service, who, session, _Order(form, kept, key, fingerprint))
    except IntegrityError:
        service.objects.erase(f"sessions/{session_id}")
        with service.begin() as db:
            before = _known(db, who, key or "", fingerprint)
        if before is None:
            raise
        return before
    except BaseException:
        service.objects.erase(f"sessions/{session_id}")
        raise


class _Order:
    """What one upload asks for."""

    def __init__(self, form: UploadForm, kept: Kept, key: str | None, fingerprint: str) -> None:
        self.form = form
        self.kept = kept
        self.key = key
        self.fingerprint = fingerprint


def _enqueue(service: Service, who: Principal, session: SessionRow, order: _Order) -> Job:
    job = Job(
        id=new_id("job"),
        organisation_id=who.organisation_id,
        session_id=session.id,
        created_by=who.person_id,
        priority=PRIORITIES[order.form.priority],
        options={"score": order.form.options.model_dump(mode="json")},
    )
    job.workflow_id = job.id
    with service.begin_in_turn() as db:
        db.add(session)
        db.flush()
        db.add(job)
        db.add(_artefact(session, order.kept))
        if order.key is not None:
            db.add(IdempotencyKey(person_id=who.person_id, key=order.key, fingerprint=order.fingerprint, job_id=job.id))
        db.flush()
        is_short = session.kind == "transcript" and session.size <= SHORT_BYTES
        service.queue.add(db, job.id, job.workflow_id, job.priority, is_short=is_short)
        act = Act(actor=who.person_id, action="session.create", subject=session.id, organisation=who.organisation_id)
        audit.record(db, act.model_copy(update={"detail": {"size": session.size, "sha256": session.sha256}}))
    return job


def _artefact(session: SessionRow, kept: Kept) -> Artefact:
    return Artefact(session_id=session.id, version=0, name=RECORDING, key=kept.key, sha256=kept.sha256, size=kept.size)


def _session(db: Db, service: Service, who: Principal, form: UploadForm, upload: Upload) -> SessionRow:
    return SessionRow(
        organisation_id=who.organisation_id,
        team_id=_team(db, who, form.team),
        uploaded_by=who.person_id,
        worker_id=_worker(db, who, form.worker),
        name=form.name or upload.source.rpartition(".")[0] or upload.source,
        source=upload.source,
        sha256=upload.incoming.sha256,
        size=upload.incoming.size,
        target=form.target,
        visit_type=form.visit_type,
        family=form.family,
        codebook=service.codebook.key,
    )


def _team(db: Db, who: Principal, team: str) -> str | None:
    if not team or team == who.team_id:
        return who.team_id
    found = db.scalar(
        sa.select(Team).where(Team.organisation_id == who.organisation_id, sa.or_(Team.id == team, Team.name == team))
    )
    if found is None or (found.id != who.team_id and not who.may(May.ADMINISTER)):
        raise invalid("team", "this is not your team; leave it out")
    return found.id


def _worker(db: Db, who: Principal, worker: str) -> str | None:
    """Whose visit it was, of those whom this person may hand in for. Others are refused as if there were none."""
    if not worker:
        return None
    named = sa.or_(Person.id == worker, Person.name == worker)
    found = db.scalar(permissions.handed_in_for(who).where(named))
    if found is None:
        raise invalid("worker", "nobody whom you may hand in for goes by this id or name; ask an administrator")
    return found.id


def _known(db: Db, who: Principal, key: str, fingerprint: str) -> Job | None:
    entry = db.get(IdempotencyKey, (who.person_id, key))
    if entry is None:
        return None
    if entry.fingerprint != fingerprint:
        raise Problem(422, "this Idempotency-Key was used for another upload; take a new one")
    return db.get(Job, entry.job_id)


def _fingerprint(upload: Upload) -> str:
    content = [upload.source, upload.incoming.sha256, *(f"{n}={v}" for n, v in sorted(upload.fields.items()))]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()

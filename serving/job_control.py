"""What people do to jobs: cancel, take up again; and what the server does for those that were given up."""

from __future__ import annotations

import sqlalchemy as sa

from serving import audit, listing, permissions
from serving.audit import Act
from serving.job_queue import JobQueue
from serving.permissions import May, Principal
from serving.problems import Problem
from serving.service import Service
from serving.store.base import Db, now
from serving.store.records import Webhook
from serving.store.sessions import Job, JobKind, JobState, SessionRow, SessionState, StageRun
from serving.views import JobView


def cancel(service: Service, who: Principal, job_id: str) -> JobView:
    """The row first: a worker looks at it twice a second and ends the stage. Then the queue."""
    with service.begin() as db:
        job = permissions.job_of(db, who, job_id)
        _must_own(job, who)
        if (held := hold(db, job_id)) is not None:
            end(db, service.queue, held, JobState.CANCELED)
            audit.record(db, _act("job.cancel", job, who))
        view = listing.job_views(db, [job])[0]
    if view.state is JobState.CANCELED:
        service.queue.cancel(job.workflow_id)
    return view


def retry(service: Service, who: Principal, job_id: str) -> JobView:
    """Raises 409 where the job has not failed."""
    with service.begin() as db:
        job = permissions.job_of(db, who, job_id)
        _must_own(job, who)
        if job.state != JobState.FAILED:
            raise Problem(409, f"only a failed job can be taken up again; this one is {job.state}")
        finished = sa.select(sa.func.count()).select_from(StageRun).where(StageRun.job_id == job.id)
        old, stage = job.workflow_id, db.scalars(finished).one()
        job.state, job.error, job.error_kind = JobState.QUEUED, None, None
        job.is_dead_letter, job.finished_at = False, None
        _mark(db, job, SessionState.WAITING)
        audit.record(db, _act("job.retry", job, who))
    workflow_id = service.queue.retry(old, stage)
    with service.begin() as db:
        db.execute(sa.update(Job).where(Job.id == job_id).values(workflow_id=workflow_id))
        return listing.job_views(db, [db.get_one(Job, job_id)])[0]


def hold(db: Db, job_id: str) -> Job | None:
    """A job that has not ended, locked until the transaction ends; `None` where it has ended or is gone.

    The write comes first: on SQLite a mere reading locks nothing, and somebody else may end the job meanwhile.
    """
    active = sa.update(Job).where(Job.id == job_id, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    if db.execute(active.values(share=Job.share).returning(Job.id)).first() is None:
        return None
    return db.get_one(Job, job_id, populate_existing=True)


def end(db: Db, queue: JobQueue, job: Job, state: JobState) -> None:
    """Ends a job, says so at its sessions where those have no result yet, and to the webhooks."""
    job.state, job.finished_at = state, now()
    _mark(db, job, SessionState(state.value) if state is not JobState.SUCCEEDED else SessionState.SCORED)
    db.flush()
    hooks = sa.select(Webhook.id).where(Webhook.organisation_id == job.organisation_id)
    for hook in db.scalars(hooks).all() if job.kind != JobKind.TRANSCRIBE else ():
        queue.report(db, hook, job.id, job.workflow_id)


def bury_given_up(service: Service) -> int:
    """Marks jobs whose workers died over them again and again as dead letters; how many there were."""
    given_up = service.queue.given_up()
    with service.begin() as db:
        ids = db.scalars(sa.select(Job.id).where(Job.workflow_id.in_(given_up))).all()
        jobs = [job for job in (hold(db, job_id) for job_id in ids) if job is not None]
        for job in jobs:
            end(db, service.queue, job, JobState.FAILED)
            job.is_dead_letter = True
            job.error_kind = "WorkerDied"
            job.error = "its worker process died over it several times, perhaps for lack of memory; retry it by hand"
    return len(jobs)


def _mark(db: Db, job: Job, state: SessionState) -> None:
    if job.session_id is not None:
        theirs = sa.or_(SessionRow.id == job.session_id, SessionRow.first_id == job.session_id)
        db.execute(sa.update(SessionRow).where(theirs, SessionRow.version == 0).values(state=state))


def _must_own(job: Job, who: Principal) -> None:
    if job.created_by != who.person_id and not who.may(May.ERASE):
        raise Problem(403, "this job was started by somebody else; ask them, your coach or an administrator")


def _act(action: str, job: Job, who: Principal) -> Act:
    return Act(actor=who.person_id, action=action, subject=job.id, organisation=who.organisation_id)

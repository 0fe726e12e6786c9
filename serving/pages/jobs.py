"""The jobs page: what is under way, and what can be done about it."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import Response

from serving import job_control, listing
from serving.dependencies import At, Transaction, Who
from serving.forms import JobQuery
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May, visible
from serving.store.sessions import Job, JobState, SessionRow

router = pages_router()


@router.get("/jobs")
def jobs(request: Request, db: Transaction, who: Who) -> Response:
    """The page; its list can be had alone for htmx."""
    given = {name: value for name, value in request.query_params.items() if name in JobQuery.model_fields and value}
    if given.get("state") not in set(JobState):
        given.pop("state", None)
    query = JobQuery.model_validate(given)
    found = listing.jobs(db, who, query)
    firsts = {session for job in found.items for session in job.sessions}
    names = sa.select(SessionRow.id, SessionRow.name).where(SessionRow.id.in_(firsts), visible(who))
    makers = sa.select(Job.id, Job.created_by).where(Job.id.in_([job.id for job in found.items]))
    may_all = who.may(May.ERASE)
    return page(
        request,
        "jobs_rows.html" if "hx-request" in request.headers else "jobs.html",
        who,
        jobs=found.items,
        query=query,
        next_cursor=found.next_cursor,
        names=dict(db.execute(names).all()),
        manages={id_ for id_, maker in db.execute(makers) if may_all or maker == who.person_id},
        is_moving=any(not job.state.is_final for job in found.items),
        states=JobState,
    )


@router.post("/jobs/{job_id}/cancel")
def cancel(at: At, who: Who, job_id: str) -> Response:
    """Stops a job."""
    job_control.cancel(at, who, job_id)
    return Response(headers={"HX-Refresh": "true"})


@router.post("/jobs/{job_id}/retry")
def retry(at: At, who: Who, job_id: str) -> Response:
    """Takes a failed job up again."""
    job_control.retry(at, who, job_id)
    return Response(headers={"HX-Refresh": "true"})

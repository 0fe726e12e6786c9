"""/v1/jobs: how far they are, and stopping them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serving import job_control, listing, permissions
from serving.dependencies import At, Transaction, Who
from serving.forms import JobQuery
from serving.views import JobView, Page

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("")
def list_jobs(db: Transaction, who: Who, query: Annotated[JobQuery, Query()]) -> Page[JobView]:
    """The jobs that you may know of, newest first."""
    return listing.jobs(db, who, query)


@router.get("/{job_id}")
def get_job(db: Transaction, who: Who, job_id: str) -> JobView:
    """State, stage, progress and time left."""
    return listing.job_views(db, [permissions.job_of(db, who, job_id)])[0]


@router.post("/{job_id}/cancel")
def cancel_job(at: At, who: Who, job_id: str) -> JobView:
    """Stops a job: work on it ends within two seconds. A job that has ended stays as it is."""
    return job_control.cancel(at, who, job_id)


@router.post("/{job_id}/retry")
def retry_job(at: At, who: Who, job_id: str) -> JobView:
    """Takes a failed job up again at the stage that failed."""
    return job_control.retry(at, who, job_id)

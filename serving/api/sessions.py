"""/v1/sessions: upload, list, look."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status

from serving import intake, listing, permissions
from serving.api.upload_docs import UPLOAD_BODY
from serving.dependencies import At, Transaction, Who
from serving.forms import SessionQuery
from serving.permissions import May
from serving.store.base import new_id, now
from serving.uploads import receive
from serving.views import JobView, Page, SessionView

router = APIRouter(prefix="/sessions", tags=["sessions"])
POLL_SECONDS = 2


@router.post("", status_code=status.HTTP_202_ACCEPTED, openapi_extra=UPLOAD_BODY)
async def upload(
    request: Request,
    response: Response,
    at: At,
    who: Who,
    idempotency_key: Annotated[str | None, Header(max_length=255, min_length=1)] = None,
) -> JobView:
    """Takes in a recording or a transcript and enqueues its job.

    The same `Idempotency-Key` with the same content gives the same job, however often it is sent.
    """
    who.must(May.UPLOAD)
    session_id = new_id("ses")
    upload_ = await receive(request, at, intake.upload_key(session_id))
    job = await asyncio.to_thread(intake.take_in, at, who, session_id, upload_, idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    response.headers["Retry-After"] = str(POLL_SECONDS)
    return JobView.of(job, (job.session_id,) if job.session_id else (), now())


@router.get("")
def list_sessions(db: Transaction, who: Who, query: Annotated[SessionQuery, Query()]) -> Page[SessionView]:
    """The sessions that you may know of, newest first."""
    return listing.sessions(db, who, query)


@router.get("/{session_id}")
def get_session(db: Transaction, who: Who, session_id: str) -> SessionView:
    """A session without content and scores."""
    return SessionView.of(permissions.session_of(db, who, session_id))

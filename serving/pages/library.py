"""The library: what was handed in, how far it is, and the place to hand in more."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import Response

from msw_ml.session import Value
from serving import listing, permissions
from serving.dependencies import Transaction, Who
from serving.forms import SessionQuery
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May, Principal
from serving.store.base import Db
from serving.store.opinions import Review, ReviewState
from serving.store.people import Person
from serving.store.sessions import Job, JobState, SessionState
from serving.views import JobView, SessionView

router = pages_router()


class Row(Value):
    """A session in the list."""

    session: SessionView
    job: JobView | None
    """The job under way, or the one that failed."""
    worker: str | None
    review: ReviewState | None
    """Of whoever is looking."""


class Filters(SessionQuery):
    """The list's query; an empty choice is none."""

    @classmethod
    def of(cls, request: Request) -> Filters:
        given = {name: value for name, value in request.query_params.items() if name in cls.model_fields and value}
        if given.get("state") not in set(SessionState):
            given.pop("state", None)
        return cls.model_validate({**given, "q": given.get("q", "")[:200], "limit": 50})


@router.get("/library")
def library(request: Request, db: Transaction, who: Who) -> Response:
    """The page; its list can be had alone for htmx."""
    query = Filters.of(request)
    found = listing.sessions(db, who, query)
    rows = _rows(db, who, found.items)
    is_fragment = "hx-request" in request.headers
    return page(
        request,
        "library_rows.html" if is_fragment else "library.html",
        who,
        rows=rows,
        query=query,
        next_cursor=found.next_cursor,
        is_moving=any(row.job is not None and not row.job.state.is_final for row in rows),
        states=SessionState,
        may_upload=who.may(May.UPLOAD),
        may_review=who.may(May.REVIEW),
        erased=request.query_params.get("erased", "")[:60],
        workers=_workers(db, who) if not is_fragment else (),
    )


def latest_jobs(db: Db, sessions: Sequence[str]) -> dict[str, JobView]:
    """Session → the last job about it."""
    query = sa.select(Job).where(Job.session_id.in_(sessions)).order_by(Job.id)
    jobs = {job.session_id: job for job in db.scalars(query) if job.session_id is not None}
    views = listing.job_views(db, list(jobs.values()))
    return dict(zip(jobs, views, strict=True))


def _rows(db: Db, who: Principal, sessions: Sequence[SessionView]) -> list[Row]:
    ids = [session.id for session in sessions]
    jobs = latest_jobs(db, ids)
    names = sa.select(Person.id, Person.name).where(Person.id.in_({one.worker for one in sessions if one.worker}))
    workers = dict(db.execute(names).all())
    own = sa.select(Review).where(Review.session_id.in_(ids), Review.person_id == who.person_id)
    reviews = {review.session_id: ReviewState(review.state) for review in db.scalars(own)}
    return [
        Row(
            session=session,
            job=job if (job := jobs.get(session.id)) and job.state is not JobState.SUCCEEDED else None,
            worker=workers.get(session.worker or ""),
            review=reviews.get(session.id),
        )
        for session in sessions
    ]


def _workers(db: Db, who: Principal) -> tuple[str, ...]:
    """Names to choose from when handing in."""
    if not who.may(May.UPLOAD):
        return ()
    return tuple(person.name for person in db.scalars(permissions.handed_in_for(who).order_by(Person.name)))

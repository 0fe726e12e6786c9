"""The session page: sound, transcript, codes, ratings, and the utterances behind every figure."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import Form, Query, Request
from fastapi.responses import Response

from serving import comments, corrections, permissions, reads, results, reviews
from serving.dependencies import At, Transaction, Who
from serving.erasure import erase_session
from serving.forms import Long
from serving.pages import reading
from serving.pages.library import latest_jobs
from serving.pages.rendering import page
from serving.pages.routing import go, pages_router
from serving.permissions import May, Principal
from serving.service import Service
from serving.store.base import Db
from serving.store.people import Person
from serving.store.sessions import SessionRow
from serving.views import JobView, SessionView

router = pages_router()


@router.get("/sessions/{session_id}")
def session(
    request: Request, at: At, db: Transaction, who: Who, session_id: str, scores: Annotated[str, Query()] = ""
) -> Response:
    """The page; before there is a result it shows how far the job is."""
    row = permissions.session_of(db, who, session_id)
    job = latest_jobs(db, [row.id]).get(row.id)
    obstacle = permissions.content_obstacle(who, row)
    if obstacle is not None or row.version == 0:
        return page(
            request,
            "session_waiting.html",
            who,
            session=SessionView.of(row),
            job=job,
            obstacle=obstacle,
            can_manage=_manages(who, job, db),
        )
    found = reading.read(at, db, who, row, wants_scores=scores == "show")
    return page(request, "session.html", who, **_content(at, db, who, row, found), job=job)


@router.get("/sessions/{session_id}/progress")
def progress(request: Request, db: Transaction, who: Who, session_id: str) -> Response:
    """How far the job is; the page reloads itself when it has ended."""
    row = permissions.session_of(db, who, session_id)
    job = latest_jobs(db, [row.id]).get(row.id)
    if job is None or job.state.is_final:
        return Response(headers={"HX-Refresh": "true"})
    return page(request, "session_progress.html", who, session=SessionView.of(row), job=job)


@router.get("/sessions/{session_id}/behind")
def behind(
    request: Request,
    at: At,
    db: Transaction,
    who: Who,
    session_id: str,
    kind: Annotated[str, Query(pattern="code|measure|element|cue")],
    name: Annotated[str, Query(max_length=100)],
) -> Response:
    """The utterances behind a count, a measure, a rating or a sign, each to be played."""
    row = permissions.session_of(db, who, session_id)
    permissions.must_see_scores(db, who, row)
    results.must_have(row, words=True, scores=True)
    scored = results.current(at, db, row)
    title, numbers = reading.behind(scored, at.codebook, kind, name)
    reads.note(db, who, row.id, reads.SCORES)
    by_id = {said.line.id: said for said in reading.lines(scored, at.codebook)}
    return page(
        request,
        "session_behind.html",
        who,
        title=title,
        lines=[by_id[number] for number in numbers if number in by_id],
        session=SessionView.of(row),
        kind=kind,
    )


@router.post("/sessions/{session_id}/comments")
def comment(
    at: At,
    db: Transaction,
    who: Who,
    session_id: str,
    text: Annotated[Long, Form(min_length=1)],
    about: Annotated[str, Form(max_length=100)] = "session",
    contest: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Adds a comment, or a contest that stays with the score."""
    row = permissions.session_of(db, who, session_id)
    comments.add(at, db, who, row, about, text, is_contest=bool(contest))
    return Response(headers={"HX-Refresh": "true"})


@router.post("/sessions/{session_id}/review")
def begin_review(request: Request, at: At, db: Transaction, who: Who, session_id: str) -> Response:
    """Opens a blind review and goes there."""
    row = permissions.session_of(db, who, session_id)
    review = reviews.open_review(at, db, who, row)
    return go(request, f"/reviews/{review.id}")


@router.post("/sessions/{session_id}/erase")
def erase(request: Request, at: At, who: Who, session_id: str) -> Response:
    """Erases a session for good and shows the receipt's number."""
    who.must(May.ERASE)
    with at.begin() as db:
        row = permissions.session_of(db, who, session_id)
    receipt = erase_session(at, row, "asked", who.person_id)
    return go(request, f"/library?erased={receipt.id}")


def _content(at: Service, db: Db, who: Principal, row: SessionRow, found: reading.Reading) -> dict[str, object]:
    has_scores = found.obstacle is None and not found.is_choice
    worker = db.scalar(sa.select(Person.name).where(Person.id == row.worker_id)) if row.worker_id else None
    return {
        "session": SessionView.of(row),
        "scored": found.session,
        "worker": worker,
        "obstacle": found.obstacle,
        "is_choice": found.is_choice,
        "has_scores": has_scores,
        "has_words": row.transcript_erased_at is None,
        "lines": reading.lines(found.session, at.codebook) if row.transcript_erased_at is None else (),
        "figures": reading.figures(found.session, at.codebook) if has_scores else {},
        "history": corrections.history(db, row, with_codes=has_scores),
        "codes": reading.codes(at.codebook) if has_scores else {},
        "elements": {element.id: element.name for element in at.codebook.elements},
        "comments": comments.of(db, who, row) if has_scores else (),
        "own_review": reading.own_review(db, who, row),
        "reviews": [one for one in reviews.reviews_of(db, who, row) if one.state == "submitted"] if has_scores else (),
        "may_correct": who.may(May.CORRECT) and row.transcript_erased_at is None and row.scores_erased_at is None,
        "may_review": who.may(May.REVIEW) and row.transcript_erased_at is None,
        "may_erase": who.may(May.ERASE),
    }


def _manages(who: Principal, job: JobView | None, db: Db) -> bool:
    """Whether somebody may cancel or retry the job."""
    if job is None:
        return False
    return permissions.job_of(db, who, job.id).created_by == who.person_id or who.may(May.ERASE)

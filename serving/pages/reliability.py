"""The reliability page: agreement over the submitted reviews, as `msw agree` reports it."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import Query, Request
from fastapi.responses import Response

from evaluation import page as report_page
from msw_ml.session import Value
from serving import comparing, permissions
from serving.dependencies import At, Transaction, Who
from serving.headers import REPORT_POLICY
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May, Principal, visible
from serving.problems import Problem
from serving.service import Service
from serving.store.base import Db
from serving.store.opinions import Review, ReviewState
from serving.store.sessions import SessionRow

router = pages_router()
MOST = 1000
_ALONE = {"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"}
Chosen = Annotated[list[str] | None, Query(max_length=MOST)]


class Reviewed(Value):
    """A session with submitted reviews."""

    id: str
    name: str
    coders: tuple[str, ...]
    blind: int


@router.get("/reliability")
def reliability(request: Request, at: At, db: Transaction, who: Who) -> Response:
    """Which sessions there are, and what the agreement over them says."""
    who.must(May.COMPARE)
    found = _reviewed(at, db, who)
    report, obstacle = None, ""
    if found:
        try:
            report = comparing.agreement(at, db, comparing.chosen(at, db, who, [one.id for one in found]))
        except Problem as problem:
            obstacle = problem.detail
    return page(request, "reliability.html", who, sessions=found, report=report, obstacle=obstacle)


@router.get("/reliability/report")
def report(at: At, db: Transaction, who: Who, session: Chosen = None) -> Response:
    """The page of `msw agree` over the chosen sessions, over all by default."""
    who.must(May.COMPARE)
    chosen = session or [one.id for one in _reviewed(at, db, who)]
    made = comparing.agreement(at, db, comparing.chosen(at, db, who, chosen))
    return Response(report_page.render(made), media_type="text/html; charset=utf-8", headers=_ALONE)


def _reviewed(at: Service, db: Db, who: Principal) -> list[Reviewed]:
    """Sessions with submitted reviews whose scores this person may see, newest first."""
    query = (
        sa.select(SessionRow)
        .where(
            visible(who),
            SessionRow.scores_erased_at.is_(None),
            SessionRow.id.in_(
                sa.select(Review.session_id).where(
                    Review.state == ReviewState.SUBMITTED, Review.codebook == at.codebook.key
                )
            ),
        )
        .order_by(SessionRow.id.desc())
        .limit(MOST)
    )
    found = []
    for row in db.scalars(query):
        if permissions.content_obstacle(who, row) or permissions.scores_obstacle(db, who, row):
            continue
        submitted = comparing.submitted(at, db, who, row)
        coders = tuple(review.person.name for review in submitted)
        found.append(
            Reviewed(id=row.id, name=row.name, coders=coders, blind=sum(review.is_blind for review in submitted))
        )
    return found

"""The groups page: what managers see, figures of groups of at least five workers; and the same as a report."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import Response

from msw_ml.reports.drawing_workers import FEW_WORKERS
from msw_ml.reports.service import SMALLEST_GROUP, Shown
from serving import groups as grouping
from serving.dependencies import At, Transaction, Who
from serving.headers import REPORT_POLICY
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May, Principal, visible
from serving.problems import Problem
from serving.store.base import Db

router = pages_router()


@router.get("/groups")
def groups(request: Request, at: At, db: Transaction, who: Who) -> Response:
    """The page; where nothing may be shown yet it says why."""
    who.must(May.SEE_GROUPS)
    shown: Shown | None = None
    obstacle = ""
    try:
        shown = grouping.figures(at, db, who)
    except Problem as problem:
        obstacle = problem.detail
    return page(
        request,
        "groups.html",
        who,
        shown=shown,
        obstacle=obstacle,
        smallest=SMALLEST_GROUP,
        few=FEW_WORKERS,
        book=at.codebook,
        has_own_visits=_has_unlinked_visits(db, who),
    )


@router.get("/groups/report")
def report(at: At, db: Transaction, who: Who) -> Response:
    """The service report, a document of its own to be kept or printed."""
    headers = {"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return Response(grouping.report(at, db, who), media_type="text/html; charset=utf-8", headers=headers)


def _has_unlinked_visits(db: Db, who: Principal) -> bool:
    """Whether somebody whom the navigation leads to no library has visits of their own in it."""
    return not who.may(May.UPLOAD) and db.scalar(sa.select(sa.exists().where(visible(who)))) is True

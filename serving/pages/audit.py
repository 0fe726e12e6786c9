"""The audit page: who did what, and who has read what; as a file, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse

from serving import administration, audit, audit_trail, reads
from serving.audit_trail import TrailQuery
from serving.dependencies import At, Transaction, Who
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May

router = pages_router()
ACTS = {
    "browser.sign_in": "signed in",
    "job.cancel": "stopped a job",
    "job.retry": "took a failed job up again",
    "person.change": "changed a person",
    "person.create": "added a person",
    "person.link": "tied the account to the organisation's sign-in",
    "person.sign_in_name": "changed a sign-in name",
    "retention.change": "set the clocks",
    "review.adjudicate": "settled a difference",
    "review.open": "began a review",
    "review.submit": "submitted a review",
    "score.contest": "contested a score",
    "session.comment": "commented on scores",
    "session.correct": "corrected",
    "session.create": "handed in",
    "session.erase": "erased",
    "team.create": "added a team",
    "token.create": "made a token",
    "token.revoke": "ended a token",
    "webhook.create": "added a webhook",
    "webhook.remove": "removed a webhook",
}
READS = {
    reads.PAGE: "opened the page, without scores",
    reads.SCORES: "opened the page, with scores",
    reads.SOUND: "was sent the sound or its waveform",
    reads.CORRECTIONS: "read the corrections",
    reads.COMMENTS: "read the comments",
    reads.REVIEW: "opened a review",
    reads.COMPARISON: "opened a comparison",
    reads.AGREEMENT: "took it into an agreement report",
    reads.FIGURES: "looked at figures of groups",
}


class Shown(TrailQuery):
    """What the page shows."""

    check: bool = False
    """Say also whether the chain is whole: that reads the whole log."""


@router.get("/administration/audit")
def trail(request: Request, db: Transaction, who: Who, query: Annotated[Shown, Query()]) -> Response:
    """The page."""
    found = audit_trail.entries(db, who, query)
    return page(
        request,
        "audit.html",
        who,
        entries=found[: query.limit],
        next_cursor=query.next([str(one.number) for one in found]),
        query=query,
        people=administration.people(db, who),
        verdict=audit.verify(db) if query.check else None,
        deed=deed,
    )


@router.get("/administration/audit.csv")
def file(at: At, who: Who, query: Annotated[TrailQuery, Query()]) -> Response:
    """All that the page would show, as a file."""
    who.must(May.ADMINISTER)

    def lines() -> Iterator[str]:
        with at.begin() as db:
            yield from audit_trail.export(db, who, query)

    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def deed(entry: audit_trail.Entry) -> str:
    """What was done, in words; a file's name where a file was read."""
    if entry.action not in reads.ACTIONS:
        return ACTS.get(entry.action, entry.action)
    kind = str(entry.detail.get("kind", ""))
    return READS.get(kind, f"read {kind}")

"""The review page: coding and rating blind. Nothing that the machine made of the session is read for it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from msw_ml.codebook import Codebook
from msw_ml.session import Role, Value
from serving import permissions, reads, reviews
from serving.dependencies import At, Transaction, Who
from serving.pages import reading
from serving.pages.reading import Code
from serving.pages.rendering import page
from serving.pages.routing import go, pages_router
from serving.problems import not_found
from serving.store.opinions import ReviewState
from serving.views import SessionView

router = pages_router()
KEYS = "1234567890qwertzuiop"
"""Keys for codes, in codebook order; they hold only while an utterance has the focus."""


class Keyed(Value):
    """A code with the key that gives it."""

    key: str
    code: Code


@router.get("/reviews/{review_id}")
def review(request: Request, at: At, db: Transaction, who: Who, review_id: str) -> Response:
    """One's own open review; a submitted one leads to the comparison."""
    found = reviews.review_of(db, who, review_id)
    if found.state == ReviewState.SUBMITTED:
        return go(request, f"/reviews/{found.id}/compare")
    if found.person_id != who.person_id:
        raise not_found("review")
    row = permissions.session_of(db, who, found.session_id)
    book = reviews.book_of(at, found.codebook.split()[0])
    units = reviews.units(at, db, found)
    reads.note(db, who, row.id, reads.REVIEW)
    said = reviews.opinion(db, found)
    to_code = [unit for unit in units if book.is_coded(unit.role)]
    return page(
        request,
        "review.html",
        who,
        review=found,
        session=SessionView.of(row),
        book=book,
        units=units,
        keyed=keyed(book),
        names={b.id: b.name for b in book.behaviours},
        said=said,
        to_code=len(to_code),
        coded=sum(unit.id in said.codes for unit in to_code),
        groups=[(group, [e for e in book.elements if e.group == group.id]) for group in book.groups],
    )


def keyed(book: Codebook) -> dict[Role, list[Keyed]]:
    """Role → its codes with their keys; roles that are not coded are left out."""
    codes = reading.codes(book)
    found = {}
    for role in Role:
        own = book.codes(role)
        if own:
            keys = KEYS.ljust(len(own))
            found[role] = [Keyed(key=keys[place].strip(), code=codes[id_]) for place, id_ in enumerate(own)]
    return found

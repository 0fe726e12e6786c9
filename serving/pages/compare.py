"""The comparison: machine and coder side by side, what they disagree on, and what was agreed in the end."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import Form, Request
from fastapi.responses import Response
from pydantic import Field

from msw_ml.session import Role, Value
from serving import comparing, reviews
from serving.dependencies import At, Transaction, Who
from serving.forms import Long
from serving.pages import reading
from serving.pages.rendering import page
from serving.pages.routing import go, pages_router
from serving.permissions import May, Principal
from serving.problems import Problem
from serving.service import Service
from serving.store.base import Db
from serving.store.opinions import Adjudication, Review, ReviewState
from serving.store.people import Person
from serving.views import SessionView

router = pages_router()


class Agreed(Value):
    """The form by which people agree on a value."""

    agreed: str = Field(max_length=60)
    reason: Long = ""
    utterance: int | None = None
    element: str = Field(default="", max_length=60)


@router.get("/reviews/{review_id}/compare")
def compare(request: Request, at: At, db: Transaction, who: Who, review_id: str) -> Response:
    """The page; an open review leads back to the coding."""
    found = reviews.review_of(db, who, review_id)
    if found.state != ReviewState.SUBMITTED:
        return go(request, f"/reviews/{found.id}")
    return page(request, "compare.html", who, **_content(at, db, who, found))


@router.post("/reviews/{review_id}/adjudications")
def adjudicate(at: At, db: Transaction, who: Who, review_id: str, form: Annotated[Agreed, Form()]) -> Response:
    """Adds an agreed value; the machine's and the coder's stay."""
    found = reviews.review_of(db, who, review_id)
    comparing.opened(db, who, found)
    if (form.utterance is None) == (not form.element):
        raise Problem(422, "name either an utterance or an element")
    subject = form.element if form.utterance is None else form.utterance
    comparing.adjudicate(at, db, who, found, subject, form.agreed, form.reason)
    return Response(headers={"HX-Refresh": "true"})


def _content(at: Service, db: Db, who: Principal, review: Review) -> dict[str, object]:
    row = comparing.opened(db, who, review)
    compared = comparing.compare(at, db, review)
    settled = sa.select(Adjudication, Person.name).join(Person, Person.id == Adjudication.person_id)
    settled = settled.where(Adjudication.review_id == review.id).order_by(Adjudication.id)
    history: dict[int | str, list[tuple[Adjudication, str]]] = {}
    for one, name in db.execute(settled):
        history.setdefault(one.element or "" if one.utterance is None else one.utterance, []).append((one, name))
    book, codes = at.codebook, reading.codes(at.codebook)
    return {
        "review": review,
        "session": SessionView.of(row),
        "compared": compared,
        "units": {unit.id: unit for unit in reviews.units(at, db, review)},
        "codes": codes,
        "codes_of": {role: [codes[id_] for id_ in book.codes(role)] for role in Role if book.codes(role)},
        "elements": {element.id: element.name for element in book.elements},
        "history": history,
        "may_adjudicate": who.may(May.ADJUDICATE),
    }

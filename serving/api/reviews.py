"""/v1/reviews: blind coding, comparison, adjudication; /v1/agreement."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response, status
from pydantic import AwareDatetime, Field

from evaluation import page
from evaluation.findings import Report
from serving import comparing, permissions, reads, reviews
from serving.comparing import Comparison
from serving.dependencies import At, Transaction, Who
from serving.forms import Level, Long
from serving.permissions import May
from serving.problems import Problem
from serving.reviews import Unit
from serving.store.base import Db
from serving.store.opinions import Review, ReviewState
from serving.wire import Wire

router = APIRouter(tags=["reviews"])


class ReviewRequest(Wire):
    """Which session to code, and by which codebook."""

    session: str
    codebook: str | None = None
    """Id of a codebook; the service's own by default."""


class ReviewView(Wire):
    """A review with all that its coder has said so far."""

    id: str
    session: str
    coder: str
    codebook: str
    state: ReviewState
    is_blind: bool
    """The coder had not seen the machine's scores when the review was opened."""
    codes: dict[int, str]
    ratings: dict[str, float]
    saved_at: AwareDatetime | None
    submitted_at: AwareDatetime | None

    @classmethod
    def of(cls, db: Db, review: Review) -> ReviewView:
        said = reviews.opinion(db, review)
        return cls(
            id=review.id,
            session=review.session_id,
            coder=review.person.name,
            codebook=review.codebook,
            state=ReviewState(review.state),
            is_blind=review.is_blind,
            codes=said.codes,
            ratings=said.ratings,
            saved_at=review.saved_at,
            submitted_at=review.submitted_at,
        )


class SaveRequest(Wire):
    """What was coded since the last time; `null` takes an entry back."""

    codes: dict[int, str | None] = Field(default_factory=dict, max_length=5000)
    ratings: dict[str, Level | None] = Field(default_factory=dict, max_length=50)
    """Element → a whole number from 1 to 5."""


class Submitted(Wire):
    """A submitted review, and how many utterances of coded roles it left without a code."""

    review: ReviewView
    uncoded: int


class AdjudicationRequest(Wire):
    """The agreed value of one utterance or one element, with the reason."""

    utterance: int | None = Field(default=None, ge=0)
    element: str | None = Field(default=None, max_length=60)
    agreed: str = Field(min_length=1, max_length=60)
    reason: Long = Field(min_length=1)


class AgreementRequest(Wire):
    """Which sessions to compare over; their submitted reviews and the machine take part."""

    sessions: tuple[str, ...] = Field(min_length=1, max_length=1000)


@router.post("/reviews", status_code=status.HTTP_201_CREATED)
def open_review(at: At, db: Transaction, who: Who, asked: ReviewRequest, response: Response) -> ReviewView:
    """Opens your review of a session; from now until you submit it no route shows you the machine's scores."""
    row = permissions.session_of(db, who, asked.session)
    review = reviews.open_review(at, db, who, row, asked.codebook)
    response.headers["Location"] = f"/v1/reviews/{review.id}"
    return ReviewView.of(db, review)


@router.get("/sessions/{session_id}/reviews")
def list_reviews(db: Transaction, who: Who, session_id: str) -> tuple[ReviewView, ...]:
    """A session's reviews: your own, and those of others once submitted where you may compare."""
    row = permissions.session_of(db, who, session_id)
    found = reviews.reviews_of(db, who, row)
    if found:
        reads.note(db, who, row.id, reads.REVIEW)
    return tuple(ReviewView.of(db, one) for one in found)


@router.get("/reviews/{review_id}")
def get_review(db: Transaction, who: Who, review_id: str) -> ReviewView:
    """A review."""
    return ReviewView.of(db, _read(db, who, review_id))


@router.get("/reviews/{review_id}/units")
def get_units(at: At, db: Transaction, who: Who, review_id: str) -> tuple[Unit, ...]:
    """The utterances to code, without anything of the machine's."""
    return reviews.units(at, db, _read(db, who, review_id))


@router.put("/reviews/{review_id}")
def save_review(at: At, db: Transaction, who: Who, review_id: str, asked: SaveRequest) -> ReviewView:
    """Saves what was coded since the last time. Sent twice it is the same."""
    review = reviews.review_of(db, who, review_id)
    reviews.must_be_own(review, who)
    reviews.save(at, db, review, asked.codes, asked.ratings)
    return ReviewView.of(db, review)


@router.post("/reviews/{review_id}/submit")
def submit_review(at: At, db: Transaction, who: Who, review_id: str) -> Submitted:
    """Submits your review for good; the comparison opens."""
    review = reviews.review_of(db, who, review_id)
    left = reviews.submit(at, db, who, review)
    return Submitted(review=ReviewView.of(db, review), uncoded=left)


@router.get("/reviews/{review_id}/comparison")
def compare(at: At, db: Transaction, who: Who, review_id: str) -> Comparison:
    """Machine and coder side by side, disagreements that would change most first."""
    review = reviews.review_of(db, who, review_id)
    comparing.opened(db, who, review)
    return comparing.compare(at, db, review)


@router.post("/reviews/{review_id}/adjudications", status_code=status.HTTP_201_CREATED)
def adjudicate(at: At, db: Transaction, who: Who, review_id: str, asked: AdjudicationRequest) -> Comparison:
    """Adds an agreed value beside the machine's and the coder's; both stay."""
    review = reviews.review_of(db, who, review_id)
    comparing.opened(db, who, review)
    if (asked.utterance is None) == (asked.element is None):
        raise Problem(422, "name either an utterance or an element")
    subject = asked.utterance if asked.utterance is not None else asked.element or ""
    comparing.adjudicate(at, db, who, review, subject, asked.agreed, asked.reason)
    return comparing.compare(at, db, review)


@router.post("/agreement", responses={200: {"model": Report}})
def agreement(
    at: At,
    db: Transaction,
    who: Who,
    asked: AgreementRequest,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Agreement between coders, and of the machine with them, over sessions whose scores you may see.

    The report of `msw agree`: JSON, or its page for `Accept: text/html`.
    """
    who.must(May.COMPARE)
    report = comparing.agreement(at, db, comparing.chosen(at, db, who, asked.sessions))
    if "text/html" in accept:
        return Response(page.render(report), media_type="text/html; charset=utf-8")
    return Response(report.model_dump_json(), media_type="application/json")


def _read(db: Db, who: Who, review_id: str) -> Review:
    review = reviews.review_of(db, who, review_id)
    reads.note(db, who, review.session_id, reads.REVIEW)
    return review

"""Second opinions: a coder codes a session blind, then sees where the machine differs.

Blind means: from the moment a review is opened until it is submitted, no route shows its coder anything
that the machine made of the session (`permissions.scores_obstacle`).
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from msw_ml import codebook as codebooks
from msw_ml.codebook import Codebook
from msw_ml.session import Role, Utterance, Value
from serving import audit, permissions, results
from serving.audit import Act
from serving.permissions import May, Principal
from serving.problems import Problem, invalid, not_found
from serving.service import Service
from serving.store.base import Db, new_id, now
from serving.store.opinions import Review, ReviewCode, ReviewRating, ReviewState, ScoreView
from serving.store.sessions import SessionRow


class Unit(Value):
    """An utterance as a blind coder gets it."""

    id: int
    speaker: str
    role: Role
    text: str
    start: float | None
    end: float | None

    @classmethod
    def of(cls, said: Utterance) -> Unit:
        return cls(
            id=said.id, speaker=said.speaker, role=said.role, text=said.trusted_text, start=said.start, end=said.end
        )


class Opinion(Value):
    """What a coder has said so far: utterance → code, element → rating."""

    codes: dict[int, str]
    ratings: dict[str, float]


def open_review(service: Service, db: Db, who: Principal, row: SessionRow, codebook: str | None = None) -> Review:
    """Begins a review, or finds the one that this coder has begun by this codebook.

    Raises 403, 409 where there is nothing to code yet, 422 for an unknown codebook.
    """
    who.must(May.REVIEW)
    permissions.must_read(who, row)
    book = book_of(service, codebook)
    if row.version == 0:
        raise Problem(409, f"this session has nothing to code yet: it is {row.state}")
    results.must_have(row, words=True)
    known = db.scalar(
        sa.select(Review).where(
            Review.session_id == row.id, Review.person_id == who.person_id, Review.codebook == book.key
        )
    )
    if known is not None:
        return known
    review = Review(
        id=new_id("rev"),
        session_id=row.id,
        person_id=who.person_id,
        codebook=book.key,
        session_version=row.version,
        is_blind=db.get(ScoreView, (row.id, who.person_id)) is None,
    )
    db.add(review)
    db.flush()
    _record(db, who, "review.open", review)
    return review


def review_of(db: Db, who: Principal, review_id: str) -> Review:
    """A review that somebody may know of: one's own; others' once submitted, and never while coding blind oneself.

    Raises 404.
    """
    review = db.get(Review, review_id)
    if review is None:
        raise not_found("review")
    row = db.scalar(sa.select(SessionRow).where(SessionRow.id == review.session_id, permissions.visible(who)))
    if row is None:
        raise not_found("review")
    if review.person_id == who.person_id:
        return review
    is_hidden = review.state != ReviewState.SUBMITTED or permissions.scores_obstacle(db, who, row) is not None
    if is_hidden or not who.may(May.COMPARE):
        raise not_found("review")
    return review


def reviews_of(db: Db, who: Principal, row: SessionRow) -> list[Review]:
    """A session's reviews that somebody may know of, oldest first."""
    query = sa.select(Review).where(Review.session_id == row.id).order_by(Review.id)
    if not who.may(May.COMPARE) or permissions.scores_obstacle(db, who, row) is not None:
        query = query.where(Review.person_id == who.person_id)
    return [one for one in db.scalars(query) if one.person_id == who.person_id or one.state == ReviewState.SUBMITTED]


def units(service: Service, db: Db, review: Review) -> tuple[Unit, ...]:
    """What is to be coded: utterances in time order with roles, nothing of the machine's."""
    session = results.at(service, db, _row(db, review), review.session_version)
    return tuple(Unit.of(unit.utterance) for unit in session.utterances)


def opinion(db: Db, review: Review) -> Opinion:
    """What the coder has said so far."""
    codes = sa.select(ReviewCode).where(ReviewCode.review_id == review.id)
    ratings = sa.select(ReviewRating).where(ReviewRating.review_id == review.id)
    return Opinion(
        codes={one.utterance: one.code for one in db.scalars(codes)},
        ratings={one.element: one.value for one in db.scalars(ratings)},
    )


def save(
    service: Service,
    db: Db,
    review: Review,
    codes: Mapping[int, str | None],
    ratings: Mapping[str, int | None],
) -> None:
    """Saves what was coded since the last time; `None` takes an entry back. Sent twice it is the same.

    Raises 409 once submitted, 422 naming the entry that does not fit.
    """
    _must_be_open(review)
    book = book_of(service, review.codebook.split()[0])
    roles = {unit.id: unit.role for unit in units(service, db, review)}
    for utterance, code in codes.items():
        if utterance not in roles:
            raise invalid(f"body.codes.{utterance}", "there is no utterance of this number")
        if code is not None and code not in book.codes(roles[utterance]):
            known = ", ".join(book.codes(roles[utterance])) or "none: this role is not coded"
            raise invalid(f"body.codes.{utterance}", f"no such code for this speaker; there are: {known}")
        if code is None:
            db.execute(
                sa.delete(ReviewCode).where(ReviewCode.review_id == review.id, ReviewCode.utterance == utterance)
            )
        else:
            db.merge(ReviewCode(review_id=review.id, utterance=utterance, code=code))
    _save_ratings(db, review, ratings, book)
    review.saved_at = now()


def submit(service: Service, db: Db, who: Principal, review: Review) -> int:
    """Ends the coding for good; how many utterances of coded roles were left without a code.

    Raises 403 for somebody else's, 409 where it was submitted before, 422 where nothing was coded.
    """
    if review.person_id != who.person_id:
        raise Problem(403, "only its coder submits a review")
    _must_be_open(review)
    said = opinion(db, review)
    if not said.codes and not said.ratings:
        raise Problem(422, "nothing has been coded or rated yet")
    book = book_of(service, review.codebook.split()[0])
    left = sum(book.is_coded(unit.role) and unit.id not in said.codes for unit in units(service, db, review))
    review.state, review.submitted_at = ReviewState.SUBMITTED, now()
    _record(db, who, "review.submit", review)
    return left


def book_of(service: Service, codebook: str | None) -> Codebook:
    """A codebook by its id; the service's own by default."""
    if codebook is None or codebook == service.codebook.id:
        return service.codebook
    if codebook not in codebooks.known():  # a path would be read from the server's disk
        raise invalid("body.codebook", f"there are: {', '.join(codebooks.known())}")
    return codebooks.load(codebook)


def must_be_own(review: Review, who: Principal) -> None:
    """Raises 403 where somebody else's review would be changed."""
    if review.person_id != who.person_id:
        raise Problem(403, "only its coder changes a review")


def _save_ratings(db: Db, review: Review, ratings: Mapping[str, int | None], book: Codebook) -> None:
    known = {element.id for element in book.elements}
    for element, value in ratings.items():
        if element not in known:
            raise invalid(f"body.ratings.{element[:60]}", f"no such element; there are: {', '.join(sorted(known))}")
        if value is None:
            db.execute(
                sa.delete(ReviewRating).where(ReviewRating.review_id == review.id, ReviewRating.element == element)
            )
        else:
            db.merge(ReviewRating(review_id=review.id, element=element, value=value))


def _must_be_open(review: Review) -> None:
    if review.state != ReviewState.OPEN:
        raise Problem(409, "this review was submitted and stays as it is")


def _row(db: Db, review: Review) -> SessionRow:
    return db.get_one(SessionRow, review.session_id)


def _record(db: Db, who: Principal, action: str, review: Review) -> None:
    act = Act(actor=who.person_id, action=action, subject=review.id, organisation=who.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"session": review.session_id, "blind": review.is_blind}}))

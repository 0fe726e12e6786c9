"""Machine and coder side by side: where they differ, what the difference would change, what was agreed.

All three values stay: the machine's in its version, the coder's in the review, the agreed one here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from evaluation import reliability
from evaluation.codings import Batch, Coder, Coding, Place, RatingGiven, Visit, gather
from evaluation.findings import Report
from evaluation.unseen import known_to, unseen
from msw_ml.codebook import Codebook
from msw_ml.session import CodedUtterance, Rating, ScoredSession
from serving import audit, permissions, reads, results, reviews
from serving.audit import Act
from serving.forms import LEVELS, NOT_A_LEVEL
from serving.permissions import May, Principal
from serving.problems import Problem, invalid
from serving.reviews import Opinion
from serving.service import Service
from serving.store.base import Db, new_id
from serving.store.opinions import Adjudication, Review, ReviewState
from serving.store.sessions import SessionRow
from serving.wire import Wire

MACHINE = "machine"


class CodePair(Wire):
    """One utterance with both codes."""

    utterance: int
    start: float | None
    end: float | None
    machine: str | None
    coder: str | None
    agreed: str | None
    confidence: float | None
    effect: float
    """How much the session's measures would move if the coder were right; the list is in this order."""


class RatingPair(Wire):
    """One element with both ratings."""

    element: str
    machine: float | None
    low: float | None
    high: float | None
    status: str
    reason: str
    """Why the machine's rating has this status, and what would change it."""
    coder: float | None
    agreed: float | None


class Comparison(Wire):
    """What machine and coder make of one session."""

    review: str
    session: str
    coder: str
    is_blind: bool
    compared: int
    agreements: int
    disagreements: tuple[CodePair, ...]
    ratings: tuple[RatingPair, ...]


def opened(db: Db, who: Principal, review: Review) -> SessionRow:
    """The session of a review whose comparison is about to be shown, which is noted.

    Raises 403, 404, and 409 before the review was submitted.
    """
    row = permissions.session_of(db, who, review.session_id)
    _must_be_submitted(review)
    permissions.must_see_scores(db, who, row)
    reads.note(db, who, row.id, reads.COMPARISON)
    return row


def submitted(service: Service, db: Db, who: Principal, row: SessionRow) -> list[Review]:
    """A session's reviews that agreement is reckoned from, as far as somebody may know of them."""
    known = reviews.reviews_of(db, who, row)
    return [one for one in known if one.state == ReviewState.SUBMITTED and one.codebook == service.codebook.key]


def chosen(service: Service, db: Db, who: Principal, sessions: Iterable[str]) -> list[Review]:
    """The same of several sessions whose figures are about to be shown, which is noted of each.

    Raises 403, 404, and 422 where there are none.
    """
    found = []
    for session_id in dict.fromkeys(sessions):
        row = permissions.session_of(db, who, session_id)
        permissions.must_see_scores(db, who, row)
        reads.note(db, who, row.id, reads.AGREEMENT)
        found += submitted(service, db, who, row)
    if not found:
        raise Problem(422, "none of these sessions has a submitted review")
    return found


def compare(service: Service, db: Db, review: Review) -> Comparison:
    """Raises 409 before the review was submitted, and where it was coded by another codebook."""
    machine = _machine(service, db, review)
    said, agreed = reviews.opinion(db, review), agreed_values(db, review)
    both = [unit for unit in machine.utterances if unit.utterance.id in said.codes]
    differing = [unit for unit in both if unit.code != said.codes[unit.utterance.id]]
    pairs = [_pair(unit, said, agreed, machine, service.codebook) for unit in differing]
    return Comparison(
        review=review.id,
        session=review.session_id,
        coder=review.person.name,
        is_blind=review.is_blind,
        compared=len(both),
        agreements=len(both) - len(differing),
        disagreements=tuple(sorted(pairs, key=lambda pair: (-pair.effect, pair.utterance))),
        ratings=tuple(_rating(rating, said, agreed) for rating in machine.ratings),
    )


def adjudicate(
    service: Service, db: Db, who: Principal, review: Review, subject: int | str, agreed: str, reason: str
) -> Adjudication:
    """Writes down the agreed value of an utterance (a number) or element beside the other two.

    Raises 403, 409 and 422.
    """
    who.must(May.ADJUDICATE)
    machine = _machine(service, db, review)
    said = reviews.opinion(db, review)
    if not reason.strip():
        raise invalid("body.reason", "say why: whoever looks at it later needs to know")
    made = Adjudication(
        id=new_id("adj"), session_id=review.session_id, review_id=review.id, agreed=agreed, reason=reason.strip(),
        person_id=who.person_id,
    )  # fmt: skip
    if isinstance(subject, int):
        unit = next((unit for unit in machine.utterances if unit.utterance.id == subject), None)
        if unit is None or agreed not in service.codebook.codes(unit.utterance.role):
            raise invalid("body.agreed", "no such utterance, or no such code for its speaker")
        made.utterance, made.machine, made.coder = subject, unit.code, said.codes.get(subject)
    else:
        rating = next((rating for rating in machine.ratings if rating.element == subject), None)
        if rating is None:
            known = ", ".join(rating.element for rating in machine.ratings)
            raise invalid("body.element", f"no such element; there are: {known}")
        if agreed not in map(str, LEVELS):
            raise invalid("body.agreed", NOT_A_LEVEL)
        coder = said.ratings.get(subject)
        made.element, made.coder = subject, None if coder is None else f"{coder:g}"
        made.machine = None if rating.value is None else f"{rating.value:g}"
    db.add(made)
    act = Act(actor=who.person_id, action="review.adjudicate", subject=review.id, organisation=who.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"adjudication": made.id, "subject": str(subject)}}))
    return made


def agreed_values(db: Db, review: Review) -> dict[int | str, str]:
    """Utterance or element → the latest agreed value."""
    query = sa.select(Adjudication).where(Adjudication.review_id == review.id).order_by(Adjudication.id)
    found: dict[int | str, str] = {}
    for one in db.scalars(query):
        found[one.utterance if one.utterance is not None else one.element or ""] = one.agreed
    return found


def agreement(service: Service, db: Db, over: Iterable[Review]) -> Report:
    """What `msw agree` says of these reviews and of the machine beside them. Raises 422 where nothing meets.

    As there, a rater's ratings of sessions that it learned from are left out and counted.
    """
    batches, seen = [], set()
    for review in sorted(over, key=lambda one: one.session_version, reverse=True):
        session = _machine(service, db, review)
        row = db.get_one(SessionRow, review.session_id)
        batches.append(_batch_of_review(db, review, session, service.codebook))
        if row.id not in seen:  # the machine speaks once a session, as of the latest version reviewed
            seen.add(row.id)
            batches.append(_batch_of_machine(row, session))
    codings = gather(batches)
    rater = None if codings.machine is None else codings.machine.rater_label
    known = known_to(rater, service.scoring.session_rater)
    return reliability.compare(unseen(codings, known or frozenset()), service.codebook)


def _must_be_submitted(review: Review) -> None:
    if review.state != ReviewState.SUBMITTED:
        raise Problem(409, "this review is still being coded; the comparison opens once it is submitted")


def _machine(service: Service, db: Db, review: Review) -> ScoredSession:
    _must_be_submitted(review)
    if review.codebook != service.codebook.key:
        raise Problem(409, f"this review was coded by {review.codebook}, the machine by {service.codebook.key}")
    return results.machine(service, db, db.get_one(SessionRow, review.session_id), review.session_version)


def _pair(
    unit: CodedUtterance, said: Opinion, agreed: dict[int | str, str], machine: ScoredSession, book: Codebook
) -> CodePair:
    number = unit.utterance.id
    return CodePair(
        utterance=number,
        start=unit.utterance.start,
        end=unit.utterance.end,
        machine=unit.code,
        coder=said.codes[number],
        agreed=agreed.get(number),
        confidence=unit.confidence,
        effect=round(_effect(unit, said.codes[number], machine, book), 4),
    )


def _effect(unit: CodedUtterance, code: str, machine: ScoredSession, book: Codebook) -> float:
    """The sum of the changes of all ratios, each on its own scale, were this utterance coded as the coder did."""
    change = Counter({code: 1})
    change.subtract(unit.counted)
    measures = {measure.id: measure for measure in machine.measures}
    total = 0.0
    for rule in book.measures:
        known = measures.get(rule.id)
        if known is None or rule.kind != "ratio" or known.denominator is None:
            continue
        top = known.numerator + sum(change[one] for one in rule.numerator)
        bottom = known.denominator + sum(change[one] for one in rule.denominator)
        total += abs((top / bottom if bottom else 0.0) - (known.value or 0.0))
    return total


def _rating(rating: Rating, said: Opinion, agreed: dict[int | str, str]) -> RatingPair:
    settled = agreed.get(rating.element)
    return RatingPair(
        element=rating.element,
        machine=rating.value,
        low=rating.low,
        high=rating.high,
        status=rating.status.value,
        reason=rating.reason,
        coder=said.ratings.get(rating.element),
        agreed=None if settled is None else float(settled),
    )


def _batch_of_review(db: Db, review: Review, session: ScoredSession, book: Codebook) -> Batch:
    said, batch = reviews.opinion(db, review), Batch()
    batch.coders.append(Coder(name=review.person.name))
    for row, unit in enumerate(session.utterances, start=1):
        code = said.codes.get(unit.utterance.id)
        if code is not None:
            parent = book.parent_of(code)
            batch.codings.append(_coding(review.person.name, review.session_id, unit, (code, parent), row))
    for row, (element, value) in enumerate(sorted(said.ratings.items()), start=1):
        place = Place(f"review {review.id}", row)
        batch.ratings.append(RatingGiven(review.person.name, review.session_id, element, value, place))
    return batch


def _batch_of_machine(row: SessionRow, session: ScoredSession) -> Batch:
    batch, engines = Batch(), session.provenance.engines
    batch.recordings[row.id] = session.recording.sha256
    batch.coders.append(
        Coder(name=MACHINE, is_machine=True, coder_label=engines.get("coder"), rater_label=engines.get("rater"))
    )
    batch.visits[row.id] = Visit(
        worker=row.worker_id or "", family=row.family, team=row.team_id or "", visit_type=row.visit_type
    )
    for number, unit in enumerate(session.utterances, start=1):
        if unit.parent_code is None:
            batch.left_out["unit without a code"] += 1
            continue
        batch.codings.append(_coding(MACHINE, row.id, unit, (unit.code, unit.parent_code), number))
    for number, rating in enumerate(session.ratings, start=1):
        if rating.value is None:
            batch.left_out["rating withheld by the machine"] += 1
            continue
        batch.ratings.append(
            RatingGiven(
                MACHINE, row.id, rating.element, rating.value, Place(f"session {row.id}", number), rating.status
            )
        )
    return batch


def _coding(coder: str, session: str, unit: CodedUtterance, code: tuple[str | None, str | None], row: int) -> Coding:
    said = unit.utterance
    place = Place(f"session {session}", row)
    return Coding(coder, session, str(said.id), *code, place, said.role, said.start, said.end, said.trusted_text)

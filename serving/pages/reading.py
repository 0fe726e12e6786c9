"""What somebody may see of a session on a page: its words, its scores, or a sentence in their place."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from msw_ml.codebook import Codebook
from msw_ml.errors import UnknownName
from msw_ml.reports import sections, transcript
from msw_ml.reports.charts import tones
from msw_ml.reports.guidance import load_guidance
from msw_ml.reports.transcript import Line
from msw_ml.reports.wording import LIKELY
from msw_ml.session import CodedUtterance, ScoredSession, Value
from serving import permissions, reads, results
from serving.permissions import May, Principal
from serving.service import Service
from serving.store.base import Db
from serving.store.opinions import Review, ScoreView
from serving.store.sessions import SessionRow


class Said(Value):
    """One utterance on a page."""

    line: Line
    speaker: str
    start: float | None
    end: float | None


class Code(Value):
    """A code of the codebook as pages show it."""

    id: str
    name: str
    tone: int
    definition: str
    example: str


@dataclass(frozen=True)
class Reading:
    """A session as far as somebody may read it."""

    session: ScoredSession
    obstacle: str | None
    """Why its scores are not shown; `None` where they are."""
    is_choice: bool
    """They may be seen, but a blind review is still open to whoever is looking."""


def read(service: Service, db: Db, who: Principal, row: SessionRow, *, wants_scores: bool) -> Reading:
    """The latest version for this person. Raises 403 where even the words are not for them.

    Scores that are shown are noted as seen; whoever may still code blind is asked first.
    """
    permissions.must_read(who, row)
    session = results.current(service, db, row)
    obstacle = permissions.scores_obstacle(db, who, row)
    if obstacle is None and row.scores_erased_at is not None:
        obstacle = "the scores of this session were erased when their time ran out"
    is_choice = obstacle is None and not wants_scores and _could_be_blind(db, who, row)
    if obstacle is None and not is_choice:
        permissions.must_see_scores(db, who, row)
        reads.note(db, who, row.id, reads.SCORES)
        return Reading(session, None, is_choice=False)
    reads.note(db, who, row.id, reads.PAGE)
    return Reading(results.without_scores(session), obstacle, is_choice)


def own_review(db: Db, who: Principal, row: SessionRow) -> Review | None:
    """Somebody's own review of a session, the latest where the codebook has changed since."""
    own = sa.select(Review).where(Review.session_id == row.id, Review.person_id == who.person_id)
    return db.scalars(own.order_by(Review.id.desc()).limit(1)).first()


def lines(session: ScoredSession, book: Codebook) -> tuple[Said, ...]:
    """All utterances in order of time."""
    return tuple(
        _said(line, unit) for line, unit in zip(transcript.lines(session, book), session.utterances, strict=True)
    )


def codes(book: Codebook) -> dict[str, Code]:
    """All codes by their id, in codebook order."""
    tone_of = tones(book)
    return {
        b.id: Code(id=b.id, name=b.name, tone=tone_of[b.parent], definition=b.definition, example=b.example)
        for b in book.behaviours
    }


def figures(session: ScoredSession, book: Codebook) -> dict[str, object]:
    """Counts, measures and elements with the ids that lead to the utterances behind them."""
    guidance = load_guidance(book)
    sides = sections.counts(session, book, guidance)
    ids = {(b.name, b.parent): b.id for b in book.behaviours}
    names = {parent.name: parent.id for parent in book.parents}
    return {
        "counts": [(side, [(ids[row.name, names[row.parent]], row) for row in side.rows]) for side in sides],
        "measures": list(zip(book.measures, sections.measures(session.measures, book, guidance), strict=True)),
        "likely": LIKELY if any(measure.low is not None for measure in session.measures) else None,
        "elements": sections.elements(session, book),
    }


def behind(session: ScoredSession, book: Codebook, kind: str, name: str) -> tuple[str, list[int]]:
    """A figure's name and the utterances behind it. Raises `UnknownName`."""
    if kind == "element":
        evidence = {rating.element: rating.evidence for rating in session.ratings}
        found = sorted(evidence.get(name, ()), key=lambda one: -abs(one.effect))
        return book.element(name).name, [one.utterance for one in found]
    if kind == "cue":
        cue = next((cue for cue in session.cues if cue.id == name), None)
        if cue is None:
            raise UnknownName("sign", name, (cue.id for cue in session.cues))
        return cue.name, list(cue.utterances)
    if kind == "measure":
        rule = book.measure(name)
        wanted = set(rule.numerator + rule.denominator)
        return rule.name, [u.utterance.id for u in session.utterances if wanted & set(u.counted)]
    return book.behaviour(name).name, [u.utterance.id for u in session.utterances if name in {u.code, *u.counted}]


def _said(line: Line, unit: CodedUtterance) -> Said:
    said = unit.utterance
    return Said(line=line, speaker=said.speaker, start=said.start, end=said.end)


def _could_be_blind(db: Db, who: Principal, row: SessionRow) -> bool:
    if not who.may(May.REVIEW) or own_review(db, who, row) is not None:
        return False
    return db.get(ScoreView, (row.id, who.person_id)) is None

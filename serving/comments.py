"""Comments and contests of workers and coaches; they stay with the score that they are about."""

from __future__ import annotations

import sqlalchemy as sa

from serving import audit, permissions
from serving.audit import Act
from serving.permissions import Principal
from serving.problems import invalid
from serving.results import current
from serving.service import Service
from serving.store.base import Db, new_id
from serving.store.opinions import Comment
from serving.store.sessions import SessionRow


def add(
    service: Service, db: Db, who: Principal, row: SessionRow, about: str, text: str, *, is_contest: bool
) -> Comment:
    """Raises 403 for whoever may not see the scores, 422 where there is nothing of what it is about."""
    permissions.must_see_scores(db, who, row)
    session = current(service, db, row)
    known = {"session", *(f"utterance {unit.utterance.id}" for unit in session.utterances)}
    known |= {f"element {rating.element}" for rating in session.ratings}
    known |= {f"measure {measure.id}" for measure in session.measures}
    if about not in known:
        raise invalid("body.about", "say `session`, `utterance N`, `element ID` or `measure ID` of this session")
    comment = Comment(
        id=new_id("com"), session_id=row.id, person_id=who.person_id, about=about, text=text, is_contest=is_contest
    )
    db.add(comment)
    action = "score.contest" if is_contest else "session.comment"
    act = Act(actor=who.person_id, action=action, subject=row.id, organisation=who.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"comment": comment.id, "about": about}}))
    db.flush()
    return comment


def of(db: Db, who: Principal, row: SessionRow) -> list[Comment]:
    """A session's comments, oldest first. Raises 403 for whoever may not see the scores: they speak of them."""
    permissions.must_see_scores(db, who, row)
    return list(db.scalars(sa.select(Comment).where(Comment.session_id == row.id).order_by(Comment.id)))

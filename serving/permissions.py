"""Who may do what, and who sees which sessions: the table in README.md, as code.

    may                        uploader  coder  coach  manager  administrator
    upload, transcribe            ×        ×      ×                  ×
    correct, review                        ×      ×                  ×
    read their team's sessions             ×      ×              (all teams)
    see a session's scores             after own   ×                 ×
                                        review
    adjudicate, erase                             ×                  ×
    see groups of at least five                           ×          ×
    know of teams                own       own    own    own        all
    people, tokens, clocks, audit, webhooks, metrics                 ×

Whoever they are, workers see their own sessions with the scores. An open review hides the scores from its
coder, whoever that is: a second opinion that has seen the first is none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import sqlalchemy as sa

from msw_ml.session import Value
from serving.problems import Problem, not_found
from serving.store.base import Db
from serving.store.opinions import Review, ReviewState, ScoreView
from serving.store.people import Person, PersonRole
from serving.store.sessions import Job, SessionRow


class May(StrEnum):
    """What a role allows."""

    UPLOAD = "upload"
    CORRECT = "correct"
    REVIEW = "review"
    COMPARE = "compare"
    ADJUDICATE = "adjudicate"
    ERASE = "erase"
    SEE_GROUPS = "see_groups"
    ADMINISTER = "administer"


_ALLOWED: dict[PersonRole, frozenset[May]] = {
    PersonRole.UPLOADER: frozenset({May.UPLOAD}),
    PersonRole.CODER: frozenset({May.UPLOAD, May.CORRECT, May.REVIEW, May.COMPARE}),
    PersonRole.COACH: frozenset({May.UPLOAD, May.CORRECT, May.REVIEW, May.COMPARE, May.ADJUDICATE, May.ERASE}),
    PersonRole.MANAGER: frozenset({May.SEE_GROUPS}),
    PersonRole.ADMINISTRATOR: frozenset(May),
}


def roles_that_may(what: May) -> tuple[PersonRole, ...]:
    """Whom a role allows something, from the least to the most."""
    return tuple(role for role in PersonRole if what in _ALLOWED[role])


def handed_in_for(who: Principal) -> sa.Select[Person]:
    """The people whose visits somebody may hand in: of their team and themselves; of all teams for administrators."""
    query = sa.select(Person).where(Person.organisation_id == who.organisation_id, Person.is_active)
    if who.may(May.ADMINISTER):
        return query
    of_team = Person.team_id == who.team_id if who.team_id is not None else sa.false()
    return query.where(sa.or_(of_team, Person.id == who.person_id))


def refused(role: PersonRole, what: May) -> Problem:
    """403: the role does not allow it."""
    return Problem(403, f"a {role} may not do this ({what}); ask an administrator")


class Principal(Value):
    """Whoever is asking."""

    person_id: str
    name: str
    organisation_id: str
    team_id: str | None
    role: PersonRole
    via: Literal["token", "browser"]
    key: str
    """What requests are counted by: the token's id or the browser session's digest."""
    csrf: str = ""
    """What a browser must send back with every change."""

    def may(self, what: May) -> bool:
        return what in _ALLOWED[self.role]

    def must(self, what: May) -> None:
        """Raises 403 where the role does not allow it."""
        if not self.may(what):
            raise refused(self.role, what)


def visible(who: Principal) -> sa.ColumnElement[bool]:
    """The sessions that somebody knows of at all, as a condition on `SessionRow`."""
    own = SessionRow.worker_id == who.person_id
    inside = SessionRow.organisation_id == who.organisation_id
    if who.role is PersonRole.ADMINISTRATOR:
        return inside
    if who.role is PersonRole.MANAGER:
        return sa.and_(inside, own)
    seen = sa.or_(own, SessionRow.uploaded_by == who.person_id)
    if who.role in (PersonRole.CODER, PersonRole.COACH) and who.team_id is not None:
        seen = sa.or_(seen, SessionRow.team_id == who.team_id)
    return sa.and_(inside, seen)


def session_of(db: Db, who: Principal, session_id: str) -> SessionRow:
    """A session that somebody knows of. Raises 404 for all others."""
    found = db.scalar(sa.select(SessionRow).where(SessionRow.id == session_id, visible(who)))
    if found is None:
        raise not_found("session")
    return found


def job_of(db: Db, who: Principal, job_id: str) -> Job:
    """A job that is one's own or about a session that one knows of. Raises 404."""
    found = db.scalar(sa.select(Job).where(Job.id == job_id, visible_jobs(who)))
    if found is None:
        raise not_found("job")
    return found


def visible_jobs(who: Principal) -> sa.ColumnElement[bool]:
    """The jobs that somebody knows of, as a condition on `Job`."""
    inside = Job.organisation_id == who.organisation_id
    if who.role is PersonRole.ADMINISTRATOR:
        return inside
    return sa.and_(
        inside,
        sa.or_(
            Job.created_by == who.person_id,
            Job.session_id.in_(sa.select(SessionRow.id).where(visible(who))),
        ),
    )


def content_obstacle(who: Principal, session: SessionRow) -> str | None:
    """Why somebody may not hear or read a session that they know of; `None` where they may."""
    if session.worker_id == who.person_id or who.role in (
        PersonRole.CODER, PersonRole.COACH, PersonRole.ADMINISTRATOR,
    ):  # fmt: skip
        return None
    return "you handed this session in; what is in it is for its worker, coders and coaches"


def scores_obstacle(db: Db, who: Principal, session: SessionRow) -> str | None:
    """Why somebody may not see the machine's scores of a session; `None` where they may."""
    states = db.execute(
        sa.select(Review.state).where(Review.session_id == session.id, Review.person_id == who.person_id)
    ).scalars()
    own = set(states)
    if ReviewState.OPEN in own:
        return "you are coding this session blind: its scores show once your review is submitted"
    if session.worker_id == who.person_id or who.role in (PersonRole.COACH, PersonRole.ADMINISTRATOR):
        return None
    if who.role is PersonRole.CODER:
        if ReviewState.SUBMITTED in own:
            return None
        return "coders see the scores of a session once they have submitted their own review of it"
    return "the scores of this session are for its worker, coders and coaches"


def must_read(who: Principal, session: SessionRow) -> None:
    """Raises 403 where the content is not for this person."""
    if obstacle := content_obstacle(who, session):
        raise Problem(403, obstacle)


def must_see_scores(db: Db, who: Principal, session: SessionRow) -> None:
    """Raises 403 where the scores are not for this person (yet), and notes that they were shown."""
    must_read(who, session)
    if obstacle := scores_obstacle(db, who, session):
        raise Problem(403, obstacle)
    if db.get(ScoreView, (session.id, who.person_id)) is None:
        db.merge(ScoreView(session_id=session.id, person_id=who.person_id))

"""What administrators do: people, teams, tokens, clocks. Everything is written into the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from serving import audit, auth
from serving.audit import Act
from serving.permissions import May, Principal
from serving.problems import Problem, invalid, not_found
from serving.store.base import Db, new_id
from serving.store.people import BrowserSession, Organisation, Person, PersonRole, Team, Token


def people(db: Db, who: Principal) -> list[Person]:
    """Everybody of the organisation by name."""
    who.must(May.ADMINISTER)
    return list(
        db.scalars(sa.select(Person).where(Person.organisation_id == who.organisation_id).order_by(Person.name))
    )


def teams(db: Db, who: Principal) -> list[Team]:
    """The organisation's teams by name; for whoever does not administer it their own alone, where they are in one."""
    query = sa.select(Team).where(Team.organisation_id == who.organisation_id)
    if not who.may(May.ADMINISTER):
        query = query.where(Team.id == who.team_id)
    return list(db.scalars(query.order_by(Team.name)))


def add_team(db: Db, who: Principal, name: str) -> Team:
    """Raises 409 where there is one of that name."""
    who.must(May.ADMINISTER)
    team = Team(id=new_id("team"), organisation_id=who.organisation_id, name=name)
    _add(db, team, "a team of this name")
    _record(db, who, "team.create", team.id)
    return team


def add_person(
    db: Db, who: Principal, name: str, role: PersonRole, team_id: str | None, sign_in_name: str = ""
) -> Person:
    """Raises 409 where there is somebody of that name or sign-in name, 422 for a team that is not there."""
    who.must(May.ADMINISTER)
    _check_team(db, who, team_id)
    person = Person(id=new_id("person"), organisation_id=who.organisation_id, name=name, role=role, team_id=team_id)
    _add(db, person, "somebody of this name")
    if sign_in_name.strip():
        _set_sign_in_name(db, who, person, sign_in_name)
    _record(db, who, "person.create", person.id, role=role.value)
    return person


def change_person(
    db: Db,
    who: Principal,
    person_id: str,
    role: PersonRole | None,
    team_id: str | None,
    is_active: bool | None,
    sign_in_name: str | None = None,
) -> Person:
    """`None` leaves as it is; empty takes team or sign-in name away. Raises 404, 409 and 422."""
    who.must(May.ADMINISTER)
    person = person_of(db, who, person_id)
    if person.id == who.person_id and (is_active is False or role not in (None, PersonRole.ADMINISTRATOR)):
        raise Problem(409, "you cannot take your own administration away; ask another administrator")
    if team_id is not None:
        _check_team(db, who, team_id or None)
        person.team_id = team_id or None
    person.role = role or person.role
    person.is_active = person.is_active if is_active is None else is_active
    if sign_in_name is not None and (sign_in_name.strip() or None) != person.sign_in_name:
        _set_sign_in_name(db, who, person, sign_in_name)
    _record(db, who, "person.change", person.id, role=person.role, active=person.is_active)
    db.flush()
    return person


def tokens(db: Db, who: Principal) -> list[Token]:
    """The organisation's tokens, newest first; their secrets are nowhere."""
    who.must(May.ADMINISTER)
    query = sa.select(Token).join(Person, Person.id == Token.person_id)
    return list(
        db.scalars(query.where(Person.organisation_id == who.organisation_id).order_by(Token.created_at.desc()))
    )


def add_token(db: Db, who: Principal, person_id: str, label: str, days: int) -> tuple[Token, str]:
    """A token for somebody, with its text that is shown this once."""
    who.must(May.ADMINISTER)
    return auth.issue_token(db, person_of(db, who, person_id), label, days, by=who.person_id)


def end_token(db: Db, who: Principal, token_id: str) -> Token:
    """Revokes a token and the browser sessions it opened. Raises 404."""
    who.must(May.ADMINISTER)
    token = db.get(Token, token_id)
    if token is None or token.person.organisation_id != who.organisation_id:
        raise not_found("token")
    auth.revoke_token(db, token, by=who.person_id)
    return token


def clocks(db: Db, who: Principal) -> Organisation:
    """The organisation with its retention clocks."""
    who.must(May.ADMINISTER)
    return db.get_one(Organisation, who.organisation_id)


def set_clocks(db: Db, who: Principal, audio: int | None, transcript: int | None, scores: int | None) -> Organisation:
    """Days after the upload; `None` keeps. They hold for what is there already, too."""
    organisation = clocks(db, who)
    organisation.keep_audio_days = audio
    organisation.keep_transcript_days = transcript
    organisation.keep_scores_days = scores
    _record(db, who, "retention.change", organisation.id, audio=audio, transcript=transcript, scores=scores)
    return organisation


def person_of(db: Db, who: Principal, person_id: str) -> Person:
    """Somebody of one's own organisation. Raises 404."""
    person = db.get(Person, person_id)
    if person is None or person.organisation_id != who.organisation_id:
        raise not_found("person")
    return person


def _set_sign_in_name(db: Db, who: Principal, person: Person, name: str) -> None:
    """A new name is a new link: the old one and the browsers that came in by it end."""
    try:
        with db.begin_nested():
            person.sign_in_name, person.oidc_subject = name.strip() or None, None
    except IntegrityError as error:
        raise Problem(409, "somebody has this sign-in name already") from error
    db.execute(
        sa.delete(BrowserSession).where(BrowserSession.person_id == person.id, BrowserSession.token_id.is_(None))
    )
    _record(db, who, "person.sign_in_name", person.id, is_set=person.sign_in_name is not None)


def _check_team(db: Db, who: Principal, team_id: str | None) -> None:
    if team_id is None:
        return
    team = db.get(Team, team_id)
    if team is None or team.organisation_id != who.organisation_id:
        raise invalid("body.team", "there is no such team")


def _add(db: Db, row: Person | Team, what: str) -> None:
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError as error:
        raise Problem(409, f"there is {what} already") from error


def _record(db: Db, who: Principal, action: str, subject: str, **detail: str | int | bool | None) -> None:
    audit.record(
        db, Act(actor=who.person_id, action=action, subject=subject, organisation=who.organisation_id, detail=detail)
    )

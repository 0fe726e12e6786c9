"""/v1/people, teams, tokens, retention, audit: for administrators; /v1/me and one's own team for everybody."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, status
from pydantic import AwareDatetime, Field

from serving import administration, audit
from serving.audit import Verdict
from serving.dependencies import Transaction, Who
from serving.forms import Cursor, Short
from serving.permissions import May
from serving.store.people import Organisation, Person, PersonRole, Token
from serving.store.records import AuditEntry
from serving.views import Page
from serving.wire import Wire

router = APIRouter(tags=["administration"])
SignInName = Annotated[str, Field(max_length=255)]
Days = Annotated[int | None, Field(ge=1, le=36_500)]


class TeamView(Wire):
    """A team."""

    id: str
    name: str


class NameRequest(Wire):
    """What it is to be called."""

    name: Short = Field(min_length=1)


class PersonRequest(Wire):
    """Somebody new."""

    name: Short = Field(min_length=1)
    role: PersonRole
    team: str | None = None
    sign_in_name: SignInName = ""


class PersonChange(Wire):
    """What changes; left out stays. An empty team takes somebody out of theirs; an empty sign-in name ends the
    sign-in through the identity provider."""

    role: PersonRole | None = None
    team: str | None = None
    is_active: bool | None = None
    sign_in_name: SignInName | None = None


class PersonView(Wire):
    """Somebody of the organisation."""

    id: str
    name: str
    role: PersonRole
    team: str | None
    is_active: bool
    sign_in_name: str | None = None
    """What the identity provider calls this person; shown to administrators."""

    @classmethod
    def of(cls, person: Person) -> PersonView:
        return cls(
            id=person.id,
            name=person.name,
            role=PersonRole(person.role),
            team=person.team_id,
            is_active=person.is_active,
            sign_in_name=person.sign_in_name,
        )


class TokenRequest(Wire):
    """A token for somebody."""

    person: str
    label: Short = ""
    days: int = Field(default=90, ge=1, le=400)


class TokenView(Wire):
    """A token without its secret."""

    id: str
    person: str
    label: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    last_used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None

    @classmethod
    def of(cls, token: Token) -> TokenView:
        return cls(
            id=token.id,
            person=token.person_id,
            label=token.label,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            revoked_at=token.revoked_at,
        )


class NewToken(Wire):
    """A token with its text, which is shown this once."""

    token: TokenView
    secret: str


class Clocks(Wire):
    """Days after the upload; `null` keeps."""

    audio_days: Days = None
    transcript_days: Days = None
    scores_days: Days = None

    @classmethod
    def of(cls, one: Organisation) -> Clocks:
        return cls(
            audio_days=one.keep_audio_days,
            transcript_days=one.keep_transcript_days,
            scores_days=one.keep_scores_days,
        )


class AuditView(Wire):
    """One entry of the audit log."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    hash: str


@router.get("/me")
def me(who: Who) -> PersonView:
    """Who you are here."""
    return PersonView(id=who.person_id, name=who.name, role=who.role, team=who.team_id, is_active=True)


@router.get("/people")
def list_people(db: Transaction, who: Who) -> tuple[PersonView, ...]:
    """Everybody of the organisation."""
    return tuple(PersonView.of(person) for person in administration.people(db, who))


@router.post("/people", status_code=status.HTTP_201_CREATED)
def add_person(db: Transaction, who: Who, asked: PersonRequest) -> PersonView:
    """Adds somebody; give them a token next."""
    return PersonView.of(administration.add_person(db, who, asked.name, asked.role, asked.team, asked.sign_in_name))


@router.patch("/people/{person_id}")
def change_person(db: Transaction, who: Who, person_id: str, asked: PersonChange) -> PersonView:
    """Changes role, team, or whether somebody may sign in at all."""
    changed = administration.change_person(
        db, who, person_id, asked.role, asked.team, asked.is_active, asked.sign_in_name
    )
    return PersonView.of(changed)


@router.get("/teams")
def list_teams(db: Transaction, who: Who) -> tuple[TeamView, ...]:
    """The teams that you may know of, by name: administrators all of the organisation's, everybody else their own."""
    return tuple(TeamView(id=team.id, name=team.name) for team in administration.teams(db, who))


@router.post("/teams", status_code=status.HTTP_201_CREATED)
def add_team(db: Transaction, who: Who, asked: NameRequest) -> TeamView:
    """Adds a team."""
    team = administration.add_team(db, who, asked.name)
    return TeamView(id=team.id, name=team.name)


@router.get("/tokens")
def list_tokens(db: Transaction, who: Who) -> tuple[TokenView, ...]:
    """The organisation's tokens, newest first."""
    return tuple(TokenView.of(token) for token in administration.tokens(db, who))


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
def add_token(db: Transaction, who: Who, asked: TokenRequest) -> NewToken:
    """Makes a token. Its text is in this answer and nowhere else."""
    token, secret = administration.add_token(db, who, asked.person, asked.label, asked.days)
    return NewToken(token=TokenView.of(token), secret=secret)


@router.delete("/tokens/{token_id}")
def end_token(db: Transaction, who: Who, token_id: str) -> TokenView:
    """Revokes a token, and signs out the browsers that came in with it."""
    return TokenView.of(administration.end_token(db, who, token_id))


@router.get("/retention")
def get_clocks(db: Transaction, who: Who) -> Clocks:
    """How long audio, transcripts and scores are kept."""
    return Clocks.of(administration.clocks(db, who))


@router.put("/retention")
def set_clocks(db: Transaction, who: Who, asked: Clocks) -> Clocks:
    """Sets the clocks; they hold for what is there already, too."""
    made = administration.set_clocks(db, who, asked.audio_days, asked.transcript_days, asked.scores_days)
    return Clocks.of(made)


@router.get("/audit")
def list_audit(db: Transaction, who: Who, query: Annotated[Cursor, Query()]) -> Page[AuditView]:
    """The audit log, newest first."""
    who.must(May.ADMINISTER)
    rows = sa.select(AuditEntry).where(AuditEntry.organisation_id == who.organisation_id)
    if (after := query.after()) is not None:
        rows = rows.where(AuditEntry.number < query.number(after))
    found = db.scalars(rows.order_by(AuditEntry.number.desc()).limit(query.limit + 1)).all()
    return Page(
        items=tuple(
            AuditView.model_validate({name: getattr(row, name) for name in AuditView.model_fields})
            for row in found[: query.limit]
        ),
        next_cursor=query.next([str(row.number) for row in found]),
    )


@router.get("/audit/verdict")
def verify_audit(db: Transaction, who: Who) -> Verdict:
    """Whether the audit log's chain is whole. Keep `head` elsewhere to be able to tell later."""
    who.must(May.ADMINISTER)
    return audit.verify(db)

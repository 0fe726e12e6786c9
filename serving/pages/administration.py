"""The administration page: people, teams, tokens, clocks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response

from serving import administration as administering
from serving.dependencies import At, Transaction, Who
from serving.forms import Short
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May
from serving.problems import Problem
from serving.store.base import now
from serving.store.people import PersonRole

router = pages_router()
_DONE = {"HX-Refresh": "true"}
Days = Annotated[str, Form(max_length=6)]
Name = Annotated[Short, Form(min_length=1)]


@router.get("/administration")
def administration(request: Request, at: At, db: Transaction, who: Who) -> Response:
    """The page."""
    who.must(May.ADMINISTER)
    return page(
        request,
        "administration.html",
        who,
        people=administering.people(db, who),
        teams=administering.teams(db, who),
        tokens=administering.tokens(db, who),
        clocks=administering.clocks(db, who),
        roles_of_people=PersonRole,
        now=now(),
        has_oidc=at.settings.oidc_issuer is not None,
    )


@router.post("/administration/people")
def add_person(
    db: Transaction,
    who: Who,
    name: Name,
    role: Annotated[PersonRole, Form()],
    team: Annotated[str, Form()] = "",
    sign_in_name: Annotated[str, Form(max_length=255)] = "",
) -> Response:
    """Adds somebody."""
    administering.add_person(db, who, name, role, team or None, sign_in_name)
    return Response(headers=_DONE)


@router.post("/administration/people/{person_id}")
def change_person(
    db: Transaction,
    who: Who,
    person_id: str,
    role: Annotated[PersonRole, Form()],
    team: Annotated[str, Form()] = "",
    active: Annotated[str, Form()] = "",
    sign_in_name: Annotated[str | None, Form(max_length=255)] = None,
) -> Response:
    """Changes role, team, sign-in name, or whether somebody may sign in."""
    administering.change_person(db, who, person_id, role, team, bool(active), sign_in_name)
    return Response(headers=_DONE)


@router.post("/administration/teams")
def add_team(db: Transaction, who: Who, name: Name) -> Response:
    """Adds a team."""
    administering.add_team(db, who, name)
    return Response(headers=_DONE)


@router.post("/administration/tokens")
def add_token(
    request: Request,
    db: Transaction,
    who: Who,
    person: Annotated[str, Form(max_length=60)],
    label: Annotated[Short, Form()] = "",
    days: Annotated[int, Form(ge=1, le=400)] = 90,
) -> Response:
    """Makes a token and shows its text this once."""
    token, secret = administering.add_token(db, who, person, label, days)
    db.flush()
    return page(
        request,
        "administration_token.html",
        who,
        token=token,
        secret=secret,
        person=administering.person_of(db, who, person),
    )


@router.post("/administration/tokens/{token_id}/end")
def end_token(db: Transaction, who: Who, token_id: str) -> Response:
    """Revokes a token."""
    administering.end_token(db, who, token_id)
    return Response(headers=_DONE)


@router.post("/administration/retention")
def set_clocks(db: Transaction, who: Who, audio: Days = "", transcript: Days = "", scores: Days = "") -> Response:
    """Sets how long things are kept; empty is for ever."""
    administering.set_clocks(db, who, _days(audio), _days(transcript), _days(scores))
    return Response(headers=_DONE)


def _days(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal() or not 1 <= int(text) <= 36_500:
        raise Problem(422, "days are a whole number from 1 to 36500, or empty for no end")
    return int(text)

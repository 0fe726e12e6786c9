"""Signing in with a token, and the first page of whoever is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from serving import auth, dependencies
from serving.dependencies import At
from serving.pages.rendering import page, places
from serving.pages.routing import go, pages_router
from serving.problems import Problem
from serving.settings import ServiceSettings

router = pages_router()
HOME = "/"
_OWN_SITE = frozenset({"same-origin", "none"})


@router.get("/")
def home(request: Request, at: At) -> Response:
    """Leads to the first place of whoever is signed in: managers have no library to begin in."""
    who = dependencies.browser_principal(request, at)
    return RedirectResponse("/sign-in" if who is None else places(who)[0].path, 303)


@router.get("/sign-in")
def ask(request: Request, at: At, target: Annotated[str, Query(alias="next", max_length=500)] = "") -> Response:
    """The form; whoever is signed in goes on."""
    target = inside(target)
    if dependencies.browser_principal(request, at) is not None:
        return go(request, target)
    return page(request, "sign_in.html", None, target=target, error="", has_oidc=at.settings.oidc_issuer is not None)


@router.post("/sign-in")
def sign_in(
    request: Request,
    at: At,
    token: Annotated[str, Form(max_length=200)] = "",
    target: Annotated[str, Form(alias="next", max_length=500)] = "",
) -> Response:
    """Opens a browser session; a token that does not fit is told so on the form.

    Raises 403 where another site sent the form: nobody is signed in as somebody else behind their back.
    """
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise Problem(403, "sign in on this page, not from another site")
    try:
        with dependencies.counted_sign_in(at, dependencies.address_of(request)), at.begin() as db:
            cookie, _ = auth.sign_in(db, token, at.settings)
    except Problem as problem:
        has_oidc = at.settings.oidc_issuer is not None
        refused = page(request, "sign_in.html", None, target=inside(target), error=problem.detail, has_oidc=has_oidc)
        refused.status_code = problem.status
        return refused
    answer = go(request, inside(target))
    keep_signed_in(answer, cookie, at.settings)
    return answer


def keep_signed_in(answer: Response, cookie: str, settings: ServiceSettings) -> None:
    """The same cookie however somebody signed in: closed to scripts and to requests from other sites."""
    answer.set_cookie(
        auth.COOKIE,
        cookie,
        httponly=True,
        samesite="strict",
        secure=settings.is_https,
        path="/",
        max_age=settings.session_hours * 3600,
    )


def inside(target: str) -> str:
    """A path of this service to go on to; anything else leads home."""
    is_ours = target.startswith("/") and not target.startswith("//") and "\\" not in target and ":" not in target
    return target if is_ours and not target.startswith("/sign-") and target.isprintable() else HOME

"""Signing out: here at once, and where somebody came in by the organisation's sign-in, there too."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import Response

from serving import auth, dependencies
from serving.dependencies import At
from serving.pages.rendering import page
from serving.pages.routing import go, pages_router
from serving.problems import Problem
from serving.service import Service

router = pages_router()
COOKIE = "msw_sign_out"
_MINUTES = 10
"""How long somebody may take at the provider."""


@router.post("/sign-out")
def sign_out(
    request: Request, at: At, csrf: Annotated[str, Form(alias=auth.CSRF_FIELD, max_length=200)] = ""
) -> Response:
    """Ends the browser session here and in the database; then the provider is asked to end its own."""
    hint, who = None, dependencies.browser_principal(request, at)
    if who is not None:
        auth.check_csrf(who, csrf)
        with at.begin() as db:
            hint = auth.sign_out(db, who)
    answer = go(request, "/sign-in") if hint is None else _farewell(request, at, hint)
    answer.delete_cookie(auth.COOKIE, path="/")
    return answer


@router.get("/sign-out/return")
def come_back(request: Request, state: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Where the provider sends a browser that has signed out there. It changes nothing, whoever opens it."""
    kept = request.cookies.get(COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), state.encode()):
        return go(request, "/sign-in")
    answer = page(request, "signed_out.html", None, address="", is_done=True)
    answer.delete_cookie(COOKIE, path="/sign-out")
    return answer


def _farewell(request: Request, at: Service, hint: str) -> Response:
    """A page, not a redirect: browsers hold the answer to a form to this site (`form-action`)."""
    state = secrets.token_urlsafe(32)
    try:
        address = at.provider.farewell(hint, state) if at.provider is not None else None
    except Problem:  # the provider is away: whoever leaves must not be kept for that
        return page(request, "signed_out.html", None, address="", is_done=False)
    if address is None:
        return go(request, "/sign-in")
    answer = page(request, "signed_out.html", None, address=address, is_done=False)
    # lax: the way back comes from another site
    answer.set_cookie(
        COOKIE,
        state,
        httponly=True,
        samesite="lax",
        secure=at.settings.is_https,
        path="/sign-out",
        max_age=_MINUTES * 60,
    )
    return answer

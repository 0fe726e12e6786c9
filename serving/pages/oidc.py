"""Signing in with the organisation's own sign-in: there, and back."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from msw_ml.session import Value
from serving import auth, dependencies, sign_in
from serving.dependencies import At
from serving.oidc import Provider, SignInRefused
from serving.pages.entrance import inside, keep_signed_in
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.service import Service

COOKIE = "msw_sign_in"
_PATH = "/sign-in/oidc"
Sent = Annotated[str, Query(max_length=4000)]


class Returned(Value):
    """What a browser brings back, none of it believed yet."""

    code: str
    state: str
    error: str
    issuer: str | None
    browser: str


def routes(provider: Provider) -> APIRouter:
    """The two routes, for the provider that is set; they ask nobody anything yet."""
    router = pages_router()

    @router.get(_PATH)
    def depart(request: Request, at: At, target: Annotated[str, Query(alias="next", max_length=500)] = "") -> Response:
        """Sends the browser to the provider."""
        address = dependencies.address_of(request)
        at.rate_limit.check(f"sign-in {address}")
        departure, browser = provider.depart(), secrets.token_urlsafe(32)
        with at.begin() as db:
            auth.check_lock(db, address, at.settings)
            sign_in.remember(db, departure, browser, inside(target))
        answer = RedirectResponse(departure.address, 303)
        # lax: the way back comes from another site
        answer.set_cookie(
            COOKIE,
            browser,
            httponly=True,
            samesite="lax",
            secure=at.settings.is_https,
            path=_PATH,
            max_age=sign_in.MINUTES * 60,
        )
        return answer

    @router.get(f"{_PATH}/return")
    def come_back(
        request: Request, at: At, code: Sent = "", state: Sent = "", error: Sent = "", iss: Sent | None = None
    ) -> Response:
        """Signs in whom the provider vouches for."""
        address = dependencies.address_of(request)
        at.rate_limit.check(f"sign-in {address}")
        with at.begin() as db:
            auth.check_lock(db, address, at.settings)
        returned = Returned(code=code, state=state, error=error, issuer=iss, browser=request.cookies.get(COOKIE, ""))
        try:
            cookie, target = _arrive(at, provider, returned)
        except SignInRefused as problem:
            with at.begin() as db:
                sign_in.refused(db, address, problem, at.settings)
            raise
        # A page, not a redirect: the browser came from another site and would not send the new cookie yet
        answer = page(request, "signed_in.html", None, target=inside(target))
        keep_signed_in(answer, cookie, at.settings)
        answer.delete_cookie(COOKIE, path=_PATH)
        return answer

    return router


def _arrive(at: Service, provider: Provider, returned: Returned) -> tuple[str, str]:
    """The cookie of the browser session that was opened, and where to go on to."""
    with at.begin() as db:
        attempt = sign_in.take(db, returned.state, returned.browser)
    if returned.error or not returned.code:
        detail = "your organisation's sign-in was cancelled there, or did not let you through; sign in again"
        raise SignInRefused("provider refused", detail, is_suspicious=False)
    identity = provider.identify(returned.code, attempt.nonce, attempt.verifier, returned.issuer)
    with at.begin() as db:
        person = sign_in.admit(db, identity)
        cookie, _ = auth.open_browser_session(db, person, at.settings, id_token=identity.hint)
    return cookie, attempt.target

"""What routes ask for: the service, a transaction, whoever is asking."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving import auth, reads
from serving.permissions import Principal
from serving.problems import Problem, unauthorised
from serving.service import Service
from serving.store.base import Db

_BEARER = HTTPBearer(auto_error=False, description="A token made with `msw token create`, as `Bearer msw_…`.")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def service(request: Request) -> Service:  # no thread is fetched for a look at the application
    """The service that this application belongs to."""
    return cast("Service", request.app.state.service)


def transaction(at: Annotated[Service, Depends(service)]) -> Iterator[Db]:
    """A transaction that ends before the answer goes out: what the client was told is committed.

    So is who was told: see `reads`.
    """
    with at.begin() as db:
        yield db
    reads.write_down(at, db)


def principal(
    request: Request,
    at: Annotated[Service, Depends(service)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Principal:
    """Whoever is asking, by bearer token or by a signed-in browser with its CSRF secret.

    Raises 401, 403 (CSRF) and 429 (too many requests, or too many failed sign-ins).
    """
    who = _by_token(request, at, bearer.credentials) if bearer else browser_principal(request, at)
    if who is None:
        raise unauthorised("sign in, or send a token: `Authorization: Bearer msw_…`")
    at.rate_limit.check(who.key)
    if request.method not in _SAFE:
        auth.check_csrf(who, request.headers.get(auth.CSRF_HEADER))
    return who


def browser_principal(request: Request, at: Service) -> Principal | None:
    """Whoever is signed in with this browser. Forms check their own CSRF field with `auth.check_csrf`."""
    cookie = request.cookies.get(auth.COOKIE)
    if cookie is None:
        return None
    with at.begin() as db:
        return auth.principal_of_cookie(db, cookie)


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy the server is started with its address as trusted."""
    return request.client.host if request.client else "unknown"


@contextlib.contextmanager
def counted_sign_in(at: Service, address: str) -> Iterator[None]:
    """Around every sign-in with a token: refuses a locked address, counts a failure."""
    with at.begin() as db:
        auth.check_lock(db, address, at.settings)
    with _counted(at, address):
        yield


@contextlib.contextmanager
def _counted(at: Service, address: str) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        if problem.status == 401:
            with at.begin() as db:
                auth.note_failure(db, address, at.settings)
        raise


def _by_token(request: Request, at: Service, text: str) -> Principal:
    address = address_of(request)
    with _counted(at, address), at.begin() as db:  # one transaction for both looks: this comes before every request
        auth.check_lock(db, address, at.settings)
        return auth.principal_of_token(db, text)


At = Annotated[Service, Depends(service)]
Who = Annotated[Principal, Depends(principal)]
Transaction = Annotated[Db, Depends(transaction, scope="function")]

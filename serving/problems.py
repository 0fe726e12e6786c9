"""Errors over HTTP: RFC 9457 `application/problem+json`, with `errors[]` that name the fields.

Nothing that was sent is repeated in a problem: it may be speech, or somebody else's.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from msw_ml.errors import InputError, MswError, OutputError, SetupError
from msw_ml.session import Value

MEDIA_TYPE = "application/problem+json"
UNUSABLE = "something in the request cannot be used; `errors` says what"
RETRY_SECONDS = 10
"""When a client should try again after the disk was full or the database away."""


class FieldError(Value):
    """What is wrong with one field."""

    field: str
    """Where it stands, e.g. `body.rating.0`."""
    message: str


class ProblemBody(Value):
    """The body of every error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()

    @classmethod
    def of(cls, problem: Problem) -> ProblemBody:
        title = HTTPStatus(problem.status).phrase
        return cls(title=title, status=problem.status, detail=problem.detail, errors=problem.errors)


class Problem(Exception):
    """An answer that is an error; `detail` is a sentence for the person at the other end."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def unauthorised(detail: str) -> Problem:
    """401: who is it?"""
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="msw"'})


def not_found(what: str) -> Problem:
    """404, for what is not there and for what this person may not know of."""
    return Problem(404, f"there is no such {what}, or it is not yours to see")


def busy(detail: str, seconds: int = RETRY_SECONDS) -> Problem:
    """503: try again later."""
    return Problem(503, detail, headers={"Retry-After": str(seconds)})


def invalid(field: str, message: str) -> Problem:
    """422 about one field."""
    return Problem(422, f"{field}: {message}", (FieldError(field=field, message=message),))


def respond(problem: Problem) -> Response:
    """The problem as a response."""
    body = ProblemBody.of(problem).model_dump(mode="json")
    return JSONResponse(body, problem.status, problem.headers, MEDIA_TYPE)


def field_errors(errors: list[dict[str, object]]) -> tuple[FieldError, ...]:
    """pydantic's errors without the values that were sent."""
    found = []
    for error in errors:
        place = error.get("loc")
        parts = place if isinstance(place, tuple) else ()
        message = str(error.get("msg", "")).removeprefix("Value error, ")
        found.append(FieldError(field=".".join(str(part) for part in parts), message=message))
    return tuple(found)


def from_validation(error: RequestValidationError | ValidationError) -> Problem:
    """422 that names every field."""
    raw = [dict(one) for one in error.errors()]
    if any(one.get("type") == "json_invalid" for one in raw):
        return Problem(422, "the body is not JSON", field_errors(raw))
    return Problem(422, UNUSABLE, field_errors(raw))


def from_msw(error: MswError) -> Problem:
    """Our own errors: the input's fault, the disk's, or this installation's."""
    if isinstance(error, OutputError):
        return busy(str(error))
    if isinstance(error, InputError):
        return Problem(422, str(error))
    if isinstance(error, SetupError):
        return Problem(422, str(error))
    return busy("a model that this needs is missing or damaged here; `msw models verify` says which", 300)


def install(app: FastAPI) -> None:
    """Makes every error of the service a problem."""
    handlers: dict[type[Exception], Callable[[Exception], Problem]] = {
        Problem: lambda error: error if isinstance(error, Problem) else _unexpected(error),
        RequestValidationError: lambda e: (
            from_validation(e) if isinstance(e, RequestValidationError) else _unexpected(e)
        ),
        HTTPException: lambda e: _from_http(e) if isinstance(e, HTTPException) else _unexpected(e),
        MswError: lambda e: from_msw(e) if isinstance(e, MswError) else _unexpected(e),
        OperationalError: database_away,
        InterfaceError: database_away,
        PoolTimeout: database_away,
        OSError: _from_os,
        Exception: _unexpected,
    }
    for kind, to_problem in handlers.items():

        async def handle(_: Request, error: Exception, made: Callable[[Exception], Problem] = to_problem) -> Response:
            return respond(made(error))

        app.add_exception_handler(kind, handle)


def _from_http(error: HTTPException) -> Problem:
    detail = error.detail if isinstance(error.detail, str) else HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, detail, headers=dict(error.headers or {}))


def database_away(_: Exception | None = None) -> Problem:
    """503: the database does not answer."""
    return busy("the database cannot be reached at the moment; nothing is lost, try again")


def _from_os(error: Exception) -> Problem:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return busy("the disk is full; free some space, then try again")
    return _unexpected(error)


def _unexpected(_: Exception) -> Problem:
    return Problem(500, "something went wrong here that should not; please report the time and the route")

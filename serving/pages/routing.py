"""Errors as pages: the sign-in for whoever is not signed in, and a sentence for everything else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute

from msw_ml.errors import MswError
from serving import dependencies, problems
from serving.pages.rendering import page
from serving.problems import Problem


class PageRoute(APIRoute):
    """A route that answers in HTML when something goes wrong, too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return _problem_page(request, problem)
            except RequestValidationError as error:
                return _problem_page(request, problems.from_validation(error))
            except MswError as error:
                return _problem_page(request, problems.from_msw(error))

        return answer


def pages_router() -> APIRouter:
    """A router of pages; they are for people and stay out of the API's description."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def go(request: Request, path: str) -> Response:
    """On to another page, also where htmx asked."""
    if "hx-request" in request.headers:
        return Response(headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def _problem_page(request: Request, problem: Problem) -> Response:
    if problem.status == HTTPStatus.UNAUTHORIZED:
        back = request.url.path if request.method == "GET" and "hx-request" not in request.headers else "/"
        return go(request, f"/sign-in?next={quote(back)}")
    if "hx-request" in request.headers:
        return Response(problem.detail, problem.status, media_type="text/plain; charset=utf-8")
    who = dependencies.browser_principal(request, request.app.state.service)
    answer = page(request, "problem.html", who, title=HTTPStatus(problem.status).phrase, detail=problem.detail)
    answer.status_code = problem.status
    answer.headers.update(problem.headers)
    return answer

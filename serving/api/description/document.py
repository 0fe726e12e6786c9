"""Completes the OpenAPI document that FastAPI reads from the code: who may, what can go wrong, examples."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import JsonValue

from msw_ml.codebook import Codebook
from serving import permissions, problems
from serving.api.description.answers import answers
from serving.api.description.examples import CURSOR, MEANINGS, PARAMETERS, STATES, examples
from serving.api.description.routes import ROUTES, Route
from serving.api.description.story import Story
from serving.permissions import May
from serving.problems import FieldError, Problem, ProblemBody
from serving.store.people import PersonRole

Json = dict[str, Any]
_WAIT = {"Retry-After": "Seconds to wait."}
_HEADERS = {401: {"WWW-Authenticate": "`Bearer`."}, 416: {"Content-Range": "The whole size."}, 429: _WAIT, 503: _WAIT}
_NOUNS = {"hook": "webhook", "name": "model"}


def name_of(route: APIRoute) -> str:
    """A route's name in the document: its function's."""
    return route.name


def install(app: FastAPI, book: Codebook) -> None:
    """Makes `app.openapi()` give the completed document. Its examples use the codes of `book`."""

    def completed() -> Json:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                webhooks=app.webhooks.routes,
                tags=app.openapi_tags,
            )
            complete(document, book)
            app.openapi_schema = document  # whole, or not at all: other threads may be asking
        return app.openapi_schema

    app.openapi = completed  # type: ignore[method-assign]  # as FastAPI's documentation has it


def complete(document: Json, book: Codebook) -> None:
    """Adds to a document, in place, what the code does not say. What has no example yet stays without one."""
    _Completion(document["components"]["schemas"], Story(book)).apply(document)


class _Completion:
    """What is added to one document, in place."""

    def __init__(self, schemas: Json, story: Story) -> None:
        self._schemas = schemas
        self._examples = examples(story)
        self._answers = answers(story, self._examples)

    def apply(self, document: Json) -> None:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                self._operation(f"{method.upper()} {path}", operation)
        for operations in document["webhooks"].values():
            for operation in operations.values():
                self._sent(operation)

    def _operation(self, address: str, operation: Json) -> None:
        name = operation["operationId"]
        route = ROUTES.get(name, Route(operation["summary"]))
        operation |= {"summary": route.title, "x-roles": [] if route.is_open else list(route.roles), "x-who": route.who}
        self._asked(operation)
        good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
        for status, answer in good.items():
            self._good(name, route, status, answer)
        if name == "audio":
            good["206"] = good["200"] | {"description": "The range that was asked for."}
        bad = [self._unusable(operation), *_usual(address, route), *_own(route)]
        by_status = {problem.status: problem for problem in bad if problem is not None}
        operation["responses"] = good | {str(status): _bad(by_status[status]) for status in sorted(by_status)}

    def _asked(self, operation: Json) -> None:
        for parameter in operation.get("parameters", []):
            states = STATES if parameter["name"] == "state" else {}
            example = states.get(operation["operationId"], PARAMETERS.get(parameter["name"]))
            parameter.update({} if example is None else {"example": example})
            if parameter["name"] in MEANINGS:
                parameter["description"] = MEANINGS[parameter["name"]]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            self._show(body)

    def _sent(self, operation: Json) -> None:
        """A message of this service's own: whoever gets it answers what they like."""
        operation |= {"summary": "A job has ended", "operationId": "job_ended"}
        self._asked(operation)
        operation["responses"] = {"2XX": {"description": "Taken. Any other answer: it is sent again."}}

    def _good(self, name: str, route: Route, status: str, answer: Json) -> None:
        answer["description"] = HTTPStatus(int(status)).phrase
        json = answer.get("content", {}).get("application/json", {})
        if name in self._answers:
            answer["content"] = self._answers[name]
            if "application/json" in answer["content"]:
                answer["content"]["application/json"]["schema"] = json["schema"]
        elif json:
            self._show(json)
        if route.headers:
            answer["headers"] = _headers(route.headers)

    def _show(self, content: Json) -> None:
        example = self._example(content["schema"])
        content.update({} if example is None else {"example": example})

    def _example(self, schema: Json) -> JsonValue:
        """Of a named value, or of a list or a page of them; `None` where there is none."""
        if "items" in schema:
            one = self._example(schema["items"])
            return None if one is None else [one]
        name = schema.get("$ref", "").rpartition("/")[2]
        if name in self._examples or "items" not in self._schemas.get(name, {}).get("properties", {}):
            return self._examples.get(name)
        items = self._example(self._schemas[name]["properties"]["items"])
        return None if items is None else {"items": items, "next_cursor": CURSOR}

    def _unusable(self, operation: Json) -> Problem | None:
        """422, where there is something to send that may not be usable."""
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = self._schemas[content["application/json"]["schema"]["$ref"].rpartition("/")[2]]
            missing = [FieldError(field=f"body.{one}", message="Field required") for one in schema.get("required", [])]
            return Problem(422, problems.UNUSABLE, tuple(missing) or (_STRANGE,))
        if content:
            return problems.invalid("file", "there is no file in the upload")
        if any(parameter["name"] == "limit" for parameter in operation.get("parameters", [])):
            return Problem(422, problems.UNUSABLE, (_TOO_MANY,))
        return None


_WHO = "sign in, or send a token: `Authorization: Bearer msw_…`"
_TOO_OFTEN = "more than 600 requests in a minute"
_STRANGE = FieldError(field="body.colour", message="Extra inputs are not permitted")
_TOO_MANY = FieldError(field="query.limit", message="Input should be less than or equal to 200")


def _usual(address: str, route: Route) -> list[Problem]:
    """What every route of this kind may answer."""
    usual: list[Problem] = []
    if not route.is_open:
        usual += [problems.unauthorised(_WHO), Problem(429, _TOO_OFTEN)]
        if isinstance(route.allowed, May):
            outsider = next(role for role in PersonRole if role not in route.roles)
            usual.append(permissions.refused(outsider, route.allowed))
    if address != "GET /healthz":
        usual.append(problems.database_away())
    if found := re.search(r"{(\w+?)(_id)?}", address):
        usual.append(problems.not_found(_NOUNS.get(found[1], found[1])))
    return usual


def _own(route: Route) -> list[Problem]:
    return [Problem(status, detail) for status, detail in route.problems.items()]


def _bad(problem: Problem) -> Json:
    """A problem as one of a route's answers."""
    content = {
        "schema": {"$ref": "#/components/schemas/ProblemBody"},
        "example": ProblemBody.of(problem).model_dump(mode="json"),
    }
    headers = {"headers": _headers(_HEADERS[problem.status])} if problem.status in _HEADERS else {}
    return {"description": HTTPStatus(problem.status).phrase, "content": {problems.MEDIA_TYPE: content}} | headers


def _headers(said: dict[str, str]) -> Json:
    return {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in said.items()}

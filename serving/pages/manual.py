"""The OpenAPI document as the page of the HTTP interface reads it: only what it shows, typed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from serving.pages.wording import PERSON_ROLES
from serving.store.people import PersonRole

_REF = "#/components/schemas/"


class _Read(BaseModel):
    """A part of the document; what the page does not show is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Schema(_Read):
    """What may stand somewhere."""

    ref: str = Field(default="", alias="$ref")
    type: str = ""
    format: str = ""
    description: str = ""
    default: JsonValue = None
    enum: tuple[str, ...] = ()
    const: str | None = None
    any_of: tuple[Schema, ...] = Field(default=(), alias="anyOf")
    item: Schema | None = Field(default=None, alias="items")
    properties: dict[str, Schema] = Field(default_factory=dict)
    each: Schema | bool | None = Field(default=None, alias="additionalProperties")
    required: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def value(self) -> str:
        """The name of the described value that this is."""
        return self.ref.removeprefix(_REF)

    @property
    def words(self) -> str:
        """The kind of a plain value."""
        if self.enum or self.const is not None:
            return "one of " + ", ".join(self.enum or (str(self.const),))
        if not self.type:
            return "anything"
        plain = {"integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
        kind = plain.get(self.type, {"date-time": "date and time", "binary": "file"}.get(self.format, "text"))
        if self.minimum is not None and self.maximum is not None:
            return f"{kind}, {_plain(self.minimum)} to {_plain(self.maximum)}"
        return kind


class Named(_Read):
    """One of several examples."""

    value: JsonValue


class Media(_Read):
    """A body in one media type."""

    content: Schema = Field(alias="schema")
    example: JsonValue = None
    examples: dict[str, Named] = Field(default_factory=dict)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Name and text of its examples."""
        found = {name: one.value for name, one in self.examples.items()}
        found |= {} if self.example is None else {"": self.example}
        return [(name, _written(one)) for name, one in found.items()]


class Parameter(_Read):
    """What a call takes beside its body."""

    name: str
    place: str = Field(alias="in")
    content: Schema = Field(alias="schema")
    required: bool = False
    description: str = ""
    example: JsonValue = None


class Header(_Read):
    """A header of an answer."""

    description: str = ""


class Body(_Read):
    """What is sent."""

    content: dict[str, Media]


class Answer(_Read):
    """What comes back."""

    description: str
    content: dict[str, Media] = Field(default_factory=dict)
    headers: dict[str, Header] = Field(default_factory=dict)

    @property
    def detail(self) -> str:
        """Of a problem's example: the sentence."""
        problem = next(iter(self.content.values())).example if self.content else None
        return str(problem["detail"]) if isinstance(problem, dict) else ""


class Call(_Read):
    """An operation, or a message of the service's own."""

    id: str = Field(alias="operationId")
    tags: tuple[str, ...]
    title: str = Field(alias="summary")
    description: str = ""
    roles: tuple[PersonRole, ...] = Field(default=(), alias="x-roles")
    more: str = Field(default="", alias="x-who")
    security: tuple[JsonValue, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = Field(default=None, alias="requestBody")
    answers: dict[str, Answer] = Field(alias="responses")

    @property
    def who(self) -> str:
        """Who may call it, in a sentence or two."""
        if not self.security:
            return "Everybody, without a token."
        names = ", ".join(PERSON_ROLES[role].lower() for role in self.roles).capitalize()
        who = "Everybody who has an account" if len(self.roles) == len(PERSON_ROLES) else names
        return f"{who}. {self.more}".strip()

    @property
    def good(self) -> dict[str, Answer]:
        return {status: one for status, one in self.answers.items() if status[0] == "2"}

    @property
    def problems(self) -> dict[str, Answer]:
        return {status: one for status, one in self.answers.items() if status[0] in "45"}


class Tag(_Read):
    """A part of the interface."""

    name: str
    description: str = ""


class Info(_Read):
    """About the whole."""

    version: str
    description: str = ""


class _Components(_Read):
    schemas: dict[str, Schema]


class Manual(_Read):
    """The whole document."""

    info: Info
    tags: tuple[Tag, ...]
    paths: dict[str, dict[str, Call]]
    sent: dict[str, dict[str, Call]] = Field(default_factory=dict, alias="webhooks")
    components: _Components

    @property
    def problem(self) -> str:
        """One problem in full, as an example of all."""
        answers = (call.problems for calls in self.paths.values() for call in calls.values())
        found = (answer["422"] for answer in answers if "422" in answer)
        return next(text for answer in found for media in answer.content.values() for _, text in media.shown)

    def calls(self, tag: str) -> list[tuple[str, str, Call]]:
        """Method, path and the rest of a part's calls, in the document's order; messages last, without a method."""
        found = [(method.upper(), path, call) for path, calls in self.paths.items() for method, call in calls.items()]
        found += [("", name, call) for name, methods in self.sent.items() for call in methods.values()]
        return [one for one in found if tag in one[2].tags]


def manual(document: Mapping[str, object]) -> Manual:
    """The document, read."""
    return Manual.model_validate(document)


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _written(example: JsonValue) -> str:
    return example.rstrip() if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)

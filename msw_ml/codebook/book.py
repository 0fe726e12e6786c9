"""Loads a coding scheme and checks that it does not contradict itself.

A scheme is a TOML file beside this one, or any path. Python never names a code or an element:
whoever needs "the worker's codes" or "what counts as a question" asks the codebook.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from msw_ml.errors import BadCodebook, UnknownName
from msw_ml.session import Role, Value


class Parent(Value):
    """A main category that codes fold into; agreement is usually reported on these."""

    id: str
    name: str
    speaker: Role
    expects_answer: bool = False
    """A short answer right after it is an answer, not a back-channel: it ends the volley."""


class Behaviour(Value):
    """One behaviour code with its rules."""

    id: str
    name: str
    speaker: Role
    parent: str
    definition: str
    example: str = ""
    family: str | None = None
    """Codes of one family count once a volley between them; `None`: no limit."""
    rank: int = 0
    """Within a family the highest rank stands; the earliest among equals."""
    falls_to: str | None = None
    """The code to give on doubt."""
    doubt_cost: float = Field(default=1.0, ge=1)
    """This code needs so many times the probability of `falls_to`: the cost of a false claim
    over that of a miss."""
    is_counted: bool = True


class Anchor(Value):
    """What a rating looks like in practice."""

    level: int = Field(ge=1, le=5)
    text: str


class Element(Value):
    """An element of practice skill, rated 1 to 5 on the whole session."""

    id: str
    name: str
    group: str
    meaning: str
    anchors: tuple[Anchor, ...]
    source: str


class MeasureRule(Value):
    """How a measure is made from counts; thresholds are expert opinion, on the scale of the value."""

    id: str
    name: str
    kind: Literal["count", "ratio", "talk_share"]
    meaning: str
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    is_percent: bool = False
    fair: float | None = None
    good: float | None = None
    source: str = ""


class Group(Value):
    """Elements that belong together."""

    id: str
    name: str


class Codebook(Value):
    """A whole coding scheme. Look-ups raise `UnknownName`."""

    id: str
    version: str
    name: str
    note: str
    max_codes_per_volley: int = Field(gt=0)
    back_channels: tuple[str, ...] = ()
    """Short answers of the other side, lower case, that do not end a volley unless they answer."""
    parents: tuple[Parent, ...] = Field(alias="parent")
    behaviours: tuple[Behaviour, ...] = Field(alias="behaviour")
    groups: tuple[Group, ...] = Field(alias="group")
    elements: tuple[Element, ...] = Field(alias="element")
    measures: tuple[MeasureRule, ...] = Field(alias="measure")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for kind, ids in {
            "parent": [parent.id for parent in self.parents],
            "behaviour": [behaviour.id for behaviour in self.behaviours],
            "element": [element.id for element in self.elements],
            "measure": [measure.id for measure in self.measures],
        }.items():
            for twice in {id_ for id_ in ids if ids.count(id_) > 1}:
                raise ValueError(f"{kind} '{twice}' stands twice")
        codes, parents = {b.id: b for b in self.behaviours}, {p.id: p for p in self.parents}
        for behaviour in self.behaviours:
            if behaviour.parent not in parents:
                raise ValueError(f"behaviour '{behaviour.id}' has the unknown parent '{behaviour.parent}'")
            if parents[behaviour.parent].speaker is not behaviour.speaker:
                raise ValueError(f"behaviour '{behaviour.id}' and its parent belong to different speakers")
            if behaviour.falls_to is not None and behaviour.falls_to not in codes:
                raise ValueError(f"behaviour '{behaviour.id}' falls to the unknown code '{behaviour.falls_to}'")
        for rule in self.measures:
            for code in rule.numerator + rule.denominator:
                if code not in codes:
                    raise ValueError(f"measure '{rule.id}' counts the unknown code '{code}'")
            if (rule.kind == "ratio") != bool(rule.denominator):
                raise ValueError(f"measure '{rule.id}': a denominator belongs to a ratio, and only there")
        for element in self.elements:
            if element.group not in {group.id for group in self.groups}:
                raise ValueError(f"element '{element.id}' is in the unknown group '{element.group}'")
        return self

    @property
    def key(self) -> str:
        """Id and version as bundles and sheets carry them, e.g. `msw 1.0`."""
        return f"{self.id} {self.version}"

    @cached_property
    def _by_id(self) -> dict[str, Behaviour]:
        return {behaviour.id: behaviour for behaviour in self.behaviours}

    def behaviour(self, code: str) -> Behaviour:
        if code not in self._by_id:
            raise UnknownName("code", code, self._by_id)
        return self._by_id[code]

    def parent_of(self, code: str) -> str:
        return self.behaviour(code).parent

    def codes(self, speaker: Role) -> tuple[str, ...]:
        """Ids of a side's codes in codebook order; empty for a side that is not coded."""
        return tuple(b.id for b in self.behaviours if b.speaker is speaker)

    def parent_codes(self, speaker: Role) -> tuple[str, ...]:
        return tuple(p.id for p in self.parents if p.speaker is speaker)

    def is_coded(self, speaker: Role) -> bool:
        return bool(self.codes(speaker))

    def element(self, id_: str) -> Element:
        for element in self.elements:
            if element.id == id_:
                return element
        raise UnknownName("element", id_, [element.id for element in self.elements])

    def measure(self, id_: str) -> MeasureRule:
        for rule in self.measures:
            if rule.id == id_:
                return rule
        raise UnknownName("measure", id_, [rule.id for rule in self.measures])


def known() -> list[str]:
    """Ids of the codebooks that ship with the package."""
    folder = resources.files("msw_ml.codebook")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str = "msw") -> Codebook:
    """A shipped codebook by id, or a TOML file by path.

    Raises `UnknownName` if there is neither, `BadCodebook` with the first contradiction in it.
    """
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return parse(path.read_text(encoding="utf-8"), str(path))
    if name not in known():
        raise UnknownName("codebook", name, known())
    return parse(resources.files("msw_ml.codebook").joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)


def parse(text: str, where: str) -> Codebook:
    """A codebook from TOML text; `where` names it in errors."""
    try:
        return Codebook.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadCodebook(f"{where} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the codebook"
        raise BadCodebook(f"{where}: {place}: {first['msg']}; correct it and run `msw codebook check`") from error

"""From what a file writes to the codebook's ids: by id, by name, or by a mapping of another scheme."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import ConfigDict, Field, ValidationError

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.formats.synonyms import plain
from msw_ml.session import Role, Value


class Meaning(NamedTuple):
    """A label in terms of the codebook. Both `None`: the scheme cannot say which category it is."""

    code: str | None
    parent: str | None


class LabelRule(Value):
    """Codes that a row may stand for, if all its cells are as said; several: one of these."""

    when: dict[str, str | tuple[str, ...]]
    codes: tuple[str, ...]

    def fits(self, row: Mapping[str, str]) -> bool:
        return all(row.get(column, "") in _several(values) for column, values in self.when.items())


class LabelMapping(Value):
    """Another scheme's labels: a `mapping.toml` as in `datasets/`. What training alone reads in it is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    codebook: str
    columns: dict[str, str]
    speakers: dict[str, Role]
    labels: tuple[LabelRule, ...] = Field(alias="label", min_length=1)


class Labels:
    """Understands labels of one codebook, and of another scheme where a mapping is given."""

    def __init__(self, book: Codebook, mapping: Path | None = None) -> None:
        """Raises `BadSetting` on a mapping that cannot be read or names other codes."""
        self.book = book
        self.mapping = None if mapping is None else read_mapping(mapping, book)

    @cached_property
    def _codes(self) -> dict[str, Meaning]:
        named: dict[str, Meaning] = {}
        for parent in self.book.parents:
            for name in (parent.id, parent.name):
                named[plain(name)] = Meaning(None, parent.id)
        for behaviour in self.book.behaviours:
            for name in (behaviour.id, behaviour.name):
                named[plain(name)] = Meaning(behaviour.id, behaviour.parent)
        return named

    @cached_property
    def _mapped(self) -> dict[str, Meaning]:
        """Labels that mean the same whatever column they stand in, as written: signs count (`C+`, `C-`)."""
        rules = () if self.mapping is None else self.mapping.labels
        return {
            label.casefold(): meaning(rule.codes, self.book)
            for rule in rules
            if len(rule.when) == 1
            for label in _several(next(iter(rule.when.values())))
        }

    @cached_property
    def _parents(self) -> dict[str, Meaning]:
        return {plain(name): Meaning(None, p.id) for p in self.book.parents for name in (p.id, p.name)}

    @cached_property
    def elements(self) -> dict[str, str]:
        """Plain id or name → id of an element."""
        return {plain(name): element.id for element in self.book.elements for name in (element.id, element.name)}

    def code(self, label: str, is_parent: bool = False) -> Meaning | None:
        """What a label means; `None` where it is no code of the codebook."""
        if is_parent:
            return self._parents.get(plain(label))
        return self._mapped.get(label.strip().casefold()) or self._codes.get(plain(label))

    def nearest(self, label: str) -> str:
        """What to write instead of an unknown label, as the end of a message."""
        near = difflib.get_close_matches(plain(label), self._codes, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        known = ", ".join(behaviour.id for behaviour in self.book.behaviours)
        return f"{hint}The codes of {self.book.key} are: {known}. Another scheme's labels need --mapping FILE"


def meaning(codes: tuple[str, ...], book: Codebook) -> Meaning:
    """One code says both; several of one main category only that; several of more than one say nothing."""
    parents = {book.parent_of(code) for code in codes}
    return Meaning(codes[0] if len(codes) == 1 else None, parents.pop() if len(parents) == 1 else None)


def read_mapping(path: Path, book: Codebook) -> LabelMapping:
    """A `mapping.toml`. Raises `BadSetting`."""
    try:
        found = LabelMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"the mapping {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"the mapping {path} cannot be used: {place}: {first['msg']}; correct it") from error
    if found.codebook != book.key:
        raise BadSetting(
            f"the mapping {path} is for codebook {found.codebook}, this is {book.key}; correct one of them"
        )
    known = {behaviour.id for behaviour in book.behaviours}
    for rule in found.labels:
        for code in rule.codes:
            if code not in known:
                raise BadSetting(f"the mapping {path} names '{code}', which is no code of {book.key}; correct it")
    return found


def _several(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values

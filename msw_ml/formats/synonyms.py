"""Reads synonyms.toml: what a header or a speaker's label means."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from pydantic import Field

from msw_ml.session import Role, Value


class CodeColumns(Value):
    """Columns that hold labels."""

    names: tuple[str, ...]
    none: tuple[str, ...]
    coders: dict[str, str]


class Synonyms(Value):
    """The content of synonyms.toml."""

    columns: dict[str, tuple[str, ...]]
    code: CodeColumns
    roles: dict[Role, tuple[str, ...]] = Field(alias="role")
    casaa: dict[Role, tuple[str, ...]]


@cache
def synonyms() -> Synonyms:
    """The shipped synonyms."""
    raw = tomllib.loads(resources.files("msw_ml.formats").joinpath("synonyms.toml").read_text(encoding="utf-8"))
    columns = dict(raw.pop("column"))
    code = columns.pop("code")
    return Synonyms.model_validate({**raw, "columns": columns, "code": code})


def plain(label: str) -> str:
    """Lower case, with every run of other characters than letters and digits as one underscore."""
    return re.sub(r"[\W_]+", "_", label.casefold()).strip("_")


@cache
def _roles() -> dict[str, Role]:
    return {name: role for role, names in synonyms().roles.items() for name in names}


def role_of(label: str) -> Role | None:
    """The role that a label names (`Mum`, `Social worker 2`, `Kelly (mother)`), or `None` for a mere name."""
    in_brackets = re.fullmatch(r"(.*?)[(\[](.*?)[)\]]\s*", label)
    candidates = [label, *(in_brackets.groups() if in_brackets else ())]
    for candidate in map(plain, candidates):
        for name in (candidate, re.sub(r"_?\d+$|_[a-z]$", "", candidate)):
            if name in _roles():
                return _roles()[name]
    return None


def casaa_role(code: str) -> Role:
    """Whose speech a MISC code of CACTI belongs to; `UNKNOWN` for a code that its own summary does not list."""
    base = re.sub(r"(_m)?$", "", code.strip(), flags=re.IGNORECASE)
    base = re.sub(r"(\+/-|[+\-0])$", "", base).upper()
    return next((role for role, codes in synonyms().casaa.items() if base in codes), Role.UNKNOWN)


def known_roles() -> str:
    """The role names that may stand in a file, for error messages."""
    return ", ".join(role.value for role in Role)

"""Finds signs of an element in what is said: evidence to look at, never part of a rating.

The phrases stand in `cues.toml`, as data. A cue that is found often, early or all through the visit says
where to look; a cue that is not found says little, since there are many ways to say a thing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib import resources

from pydantic import Field, ValidationError

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.session import CodedUtterance, Cue, Role, Value

TENTHS = 10
"""Parts of a visit over which a cue's spread is counted."""


class CueRule(Value):
    """What counts as a sign: an utterance of `speaker` that holds one of `phrases`."""

    id: str
    name: str
    element: str
    speaker: Role
    phrases: tuple[str, ...] = Field(min_length=1)
    beside: tuple[str, ...] = Field(default=(), alias="with")
    """Of these one (all with `needs_all`) must stand in the utterance or near it as well."""
    within: int = Field(default=0, ge=0)
    """How many of the same speaker's utterances before and after are near."""
    needs_all: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return _compiled("|".join(f"(?:{phrase})" for phrase in self.phrases))

    @cached_property
    def beside_patterns(self) -> tuple[re.Pattern[str], ...]:
        if self.needs_all:
            return tuple(_compiled(phrase) for phrase in self.beside)
        return (_compiled("|".join(f"(?:{phrase})" for phrase in self.beside)),) if self.beside else ()


class _Rules(Value):
    cues: tuple[CueRule, ...] = Field(alias="cue")


def find_cues(coded: Sequence[CodedUtterance], codebook: Codebook) -> list[Cue]:
    """Every cue of the codebook's elements, found or not, in the order of `cues.toml`."""
    known = {element.id for element in codebook.elements}
    return [_find(rule, coded) for rule in rules() if rule.element in known]


@lru_cache(maxsize=1)
def rules() -> tuple[CueRule, ...]:
    """The rules that ship with the package. Raises `BadSetting`."""
    text = resources.files("msw_ml.rating").joinpath("cues.toml").read_text(encoding="utf-8")
    return parse_rules(text, "cues.toml")


def parse_rules(text: str, where: str) -> tuple[CueRule, ...]:
    """Rules from TOML text; `where` names it in errors. Raises `BadSetting`."""
    try:
        made = _Rules.model_validate(tomllib.loads(text)).cues
        for rule in made:
            _ = rule.pattern, rule.beside_patterns
    except (tomllib.TOMLDecodeError, ValidationError, re.error) as error:
        raise BadSetting(f"{where} holds a cue that cannot be used: {error}") from error
    return made


def _find(rule: CueRule, coded: Sequence[CodedUtterance]) -> Cue:
    said = [place for place, one in enumerate(coded) if one.utterance.role is rule.speaker]
    texts = [_plain(coded[place]) for place in said]
    held = [
        place
        for number, place in enumerate(said)
        if rule.pattern.search(texts[number]) and _has_beside(rule, texts, number)
    ]
    passed = _passed(coded)
    return Cue(
        id=rule.id,
        name=rule.name,
        element=rule.element,
        found=len(held),
        first=round(passed[held[0]], 3) if held else None,
        spread=len({min(int(passed[place] * TENTHS), TENTHS - 1) for place in held}) / TENTHS if held else None,
        utterances=tuple(coded[place].utterance.id for place in held),
        at=tuple(round(passed[place], 3) for place in held),
    )


def _has_beside(rule: CueRule, texts: Sequence[str], number: int) -> bool:
    near = " ".join(texts[max(0, number - rule.within) : number + rule.within + 1])
    return all(pattern.search(near) for pattern in rule.beside_patterns)


def _passed(coded: Sequence[CodedUtterance]) -> list[float]:
    """Share of the visit that has passed when each utterance begins: of its time, or of its words where untimed."""
    starts = [one.utterance.start for one in coded]
    ends = [one.utterance.end for one in coded if one.utterance.end is not None]
    if ends and max(ends) > 0 and None not in starts:
        return [min((start or 0.0) / max(ends), 1.0) for start in starts]
    counts = [len(one.utterance.trusted_text.split()) for one in coded]
    total, before, shares = sum(counts) or 1, 0, []
    for count in counts:
        shares.append(before / total)
        before += count
    return shares


def _plain(one: CodedUtterance) -> str:
    return " ".join(one.utterance.trusted_text.lower().replace("\u2019", "'").split())


def _compiled(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{phrase})(?![\w])")

"""Coded transcripts → what the network learns from: token ids, roles and the codes each unit may have."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook.book import Codebook
from msw_ml.session import Role, Utterance
from msw_ml.text.packing import Packer, Row, role_number
from training.corpora import CodedTranscript, Unit
from training.word_errors import with_errors

NO_TARGET = {"", "unidentifiable"}
"""Targets that say nothing."""

WORN = 0.14
"""Share of words wrong or missing in a worn text: what the embedded recogniser did in babble (training/spoken.py)."""


@dataclass(frozen=True)
class Codes:
    """The codebook as the network's outputs: codes of all sides in order, and which fold into what."""

    ids: tuple[str, ...]
    sides: tuple[Role, ...]
    """Side of each code."""
    parents: tuple[str, ...]
    """Parent of each code."""
    also: tuple[str, ...]
    """Parents whose occurrence in a turn is learned besides."""

    @classmethod
    def of(cls, codebook: Codebook) -> Codes:
        coded = [role for role in Role if codebook.is_coded(role)]
        ids = tuple(code for role in coded for code in codebook.codes(role))
        return cls(
            ids=ids,
            sides=tuple(codebook.behaviour(code).speaker for code in ids),
            parents=tuple(codebook.parent_of(code) for code in ids),
            also=codebook.parent_codes(Role.WORKER),
        )

    def mask(self, side: Role) -> NDArray[np.bool_]:
        """Which outputs belong to a side."""
        return np.array([one is side for one in self.sides])

    @property
    def all_parents(self) -> tuple[str, ...]:
        """Parents of all sides, in order."""
        return tuple(dict.fromkeys(self.parents))

    def parent_of(self, code: str) -> str:
        return self.parents[self.ids.index(code)]

    def allowed(self, unit: Unit) -> NDArray[np.bool_]:
        """Which outputs a unit's label allows."""
        return np.array([code in unit.codes for code in self.ids])


@dataclass(frozen=True)
class Example:
    """One transcript, tokenised as it stands, without punctuation, and with words wrong or missing besides."""

    transcript: CodedTranscript
    roles: tuple[Role, ...]
    tokens: list[list[int]]
    plain_tokens: list[list[int]]
    worn_tokens: list[list[int]]
    target: list[int]
    numbers: NDArray[np.int64]
    """Role numbers, (n)."""
    sides: NDArray[np.bool_]
    """Outputs of each unit's side, (n, codes)."""
    allowed: NDArray[np.bool_]
    """Outputs that each unit's label allows, (n, codes)."""
    also: NDArray[np.float32]
    """Parents that occur, (n, also); not a number where the set does not say."""

    def __len__(self) -> int:
        return len(self.tokens)


class Wear(Enum):
    """How a text is read: as it stands, without punctuation and case, or with word errors besides."""

    NONE = "none"
    PLAIN = "plain"
    WORN = "worn"


class Shares(NamedTuple):
    """Of what an epoch deals, how much is read how."""

    plain: float
    """Of transcripts, read without punctuation and case."""
    worn: float
    """Of those, with word errors as well."""
    target: float
    """Of transcripts, read with their target behaviour."""
    machine: float
    """Of the stretches that only a machine labelled, dealt at all."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive units of one example, as one reading of it."""

    example: Example
    start: int
    stop: int
    wear: Wear
    has_target: bool


def plain(text: str) -> str:
    """A text as an automatic transcript without punctuation has it."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s']", " ", text)).strip().lower()


def prepare(transcripts: Sequence[CodedTranscript], codes: Codes, packer: Packer) -> list[Example]:
    """Tokenises transcripts; child, other and unknown speakers are context only."""
    return [_example(transcript, codes, packer) for transcript in transcripts]


def rows(packer: Packer, stretch: Stretch) -> list[Row]:
    """The encoder's rows of a stretch."""
    example = stretch.example
    tokens = {
        Wear.NONE: example.tokens,
        Wear.PLAIN: example.plain_tokens,
        Wear.WORN: example.worn_tokens,
    }[stretch.wear]
    target = example.target if stretch.has_target else []
    return packer.rows(tokens, example.roles, target, range(stretch.start, stretch.stop))


def deal(examples: Sequence[Example], length: int, shares: Shares, chance: random.Random) -> list[Stretch]:
    """All units once (of what a machine labelled, a share), in stretches of up to `length` in random order."""
    stretches = []
    for example in examples:
        wear = Wear.NONE
        if chance.random() < shares.plain:
            wear = Wear.WORN if chance.random() < shares.worn else Wear.PLAIN
        has_target = chance.random() < shares.target
        kept = 1.0 if example.transcript.is_human else shares.machine
        first = chance.randrange(1, length + 1)
        cuts = [0, *range(first, len(example), length), len(example)]
        stretches += [
            Stretch(example, a, b, wear, has_target)
            for a, b in pairwise(cuts)
            if b > a and (kept == 1.0 or chance.random() < kept)
        ]
    chance.shuffle(stretches)
    return stretches


def _example(transcript: CodedTranscript, codes: Codes, packer: Packer) -> Example:
    units = transcript.units
    target = transcript.target or ""
    also = np.array(
        [
            [np.nan] * len(codes.also)
            if unit.also is None or unit.role is not Role.WORKER
            else [float(parent in unit.also) for parent in codes.also]
            for unit in units
        ],
        dtype=np.float32,
    )
    return Example(
        transcript=transcript,
        roles=tuple(unit.role for unit in units),
        tokens=packer.tokens([unit.text for unit in units]),
        plain_tokens=packer.tokens([plain(unit.text) for unit in units]),
        worn_tokens=packer.tokens(_worn(transcript)),
        target=[] if target in NO_TARGET else packer.tokens([target])[0],
        numbers=np.array([role_number(unit.role) for unit in units]),
        sides=np.array([codes.mask(unit.role) for unit in units]),
        allowed=np.array([codes.allowed(unit) for unit in units]),
        also=also,
    )


def _worn(transcript: CodedTranscript) -> list[str]:
    """Without punctuation, and with as many words wrong or missing as a noisy room costs."""
    said = [
        Utterance(id=number, speaker=unit.role.value, text=plain(unit.text), role=unit.role)
        for number, unit in enumerate(transcript.units)
    ]
    return [one.text for one in with_errors(said, WORN, transcript.key)]

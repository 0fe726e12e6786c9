"""Coded transcripts → what the network learns from: token ids, roles and the codes each unit may have."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook.book import Codebook
from msw_ml.session import Role
from msw_ml.text.packing import Packer, Row, role_number
from training.corpora import CodedTranscript, Unit

NO_TARGET = {"", "unidentifiable"}
"""Targets that say nothing."""


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

    def allowed(self, unit: Unit) -> NDArray[np.bool_]:
        """Which outputs a unit's label allows."""
        return np.array([code in unit.codes for code in self.ids])


@dataclass(frozen=True)
class Example:
    """One transcript, tokenised as it stands and as an automatic transcript would have it."""

    transcript: CodedTranscript
    roles: tuple[Role, ...]
    tokens: list[list[int]]
    plain_tokens: list[list[int]]
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


@dataclass(frozen=True)
class Stretch:
    """Consecutive units of one example, as one reading of it."""

    example: Example
    start: int
    stop: int
    is_plain: bool
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
    tokens = example.plain_tokens if stretch.is_plain else example.tokens
    target = example.target if stretch.has_target else []
    return packer.rows(tokens, example.roles, target, range(stretch.start, stretch.stop))


def deal(
    examples: Sequence[Example], length: int, shares: tuple[float, float], chance: random.Random
) -> Iterator[Stretch]:
    """All units once, in stretches of up to `length` in random order.

    `shares`: of examples read without punctuation, and of those read with their target.
    """
    stretches = []
    for example in examples:
        is_plain, has_target = chance.random() < shares[0], chance.random() < shares[1]
        first = chance.randrange(1, length + 1)
        cuts = [0, *range(first, len(example), length), len(example)]
        stretches += [Stretch(example, a, b, is_plain, has_target) for a, b in pairwise(cuts) if b > a]
    chance.shuffle(stretches)
    yield from stretches


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
        target=[] if target in NO_TARGET else packer.tokens([target])[0],
        numbers=np.array([role_number(unit.role) for unit in units]),
        sides=np.array([codes.mask(unit.role) for unit in units]),
        allowed=np.array([codes.allowed(unit) for unit in units]),
        also=also,
    )

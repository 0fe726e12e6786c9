"""Predictions for units that the network did not train on: logits and labels, no text.

They are kept in a bundle as `folds.csv`, so that every figure of its card can be computed again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook.book import Codebook
from msw_ml.errors import MalformedTranscript
from msw_ml.session import Role
from training.corpora import CodedTranscript

_ABOUT = ("set", "session", "unit", "group", "fold", "side", "words", "codes")


@dataclass(frozen=True)
class HeldOut:
    """One row a coded unit, in order of set, session and unit."""

    corpora: NDArray[np.str_]
    sessions: NDArray[np.str_]
    units: NDArray[np.str_]
    groups: NDArray[np.int64]
    """Number of the conversation: what is resampled for intervals."""
    folds: NDArray[np.int64]
    sides: NDArray[np.str_]
    words: NDArray[np.int64]
    codes: tuple[tuple[str, ...], ...]
    """The codes that each unit's label allows."""
    logits: NDArray[np.float64]
    """(n, codes of all sides); minus infinity for the other side's."""
    also: NDArray[np.float64]
    """(n, parents whose occurrence is learned), logits."""

    def __len__(self) -> int:
        return len(self.codes)

    def where(self, chosen: NDArray[np.bool_]) -> HeldOut:
        """The rows for which `chosen` is true."""
        places = np.flatnonzero(chosen)
        arrays = {name: value[places] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, codes=tuple(self.codes[place] for place in places), **arrays)

    def of_side(self, side: Role) -> HeldOut:
        return self.where(self.sides == side.value)

    def of_set(self, corpus: str) -> HeldOut:
        return self.where(self.corpora == corpus)

    def parents(self, codebook: Codebook) -> NDArray[np.str_]:
        """Each unit's parent code: a label's codes all have the same, or the mapping is at fault."""
        return np.array([codebook.parent_of(codes[0]) for codes in self.codes])

    @classmethod
    def of(
        cls,
        transcripts: Sequence[CodedTranscript],
        predicted: Callable[[CodedTranscript], tuple[NDArray[np.floating], NDArray[np.floating]]],
        places: tuple[dict[str, int], dict[str, int]],
    ) -> Self:
        """From the coded units of transcripts, as `predicted` gives them; `places`: group and fold by key."""
        rows = [(t, unit) for t in transcripts for unit in t.units if unit.codes]
        outputs = [predicted(transcript) for transcript in transcripts]
        group, fold = places
        return cls(
            corpora=np.array([t.corpus for t, _ in rows]),
            sessions=np.array([t.id for t, _ in rows]),
            units=np.array([unit.id for _, unit in rows]),
            groups=np.array([group[t.key] for t, _ in rows]),
            folds=np.array([fold[t.key] for t, _ in rows]),
            sides=np.array([unit.role.value for _, unit in rows]),
            words=np.array([len(unit.text.split()) for _, unit in rows]),
            codes=tuple(unit.codes for _, unit in rows),
            logits=np.concatenate([codes for codes, _ in outputs]).astype(np.float64),
            also=np.concatenate([also for _, also in outputs]).astype(np.float64),
        )


def write(held: HeldOut, codes: Sequence[str], also: Sequence[str]) -> bytes:
    """As CSV; logits to three decimals, empty where a code is the other side's."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*_ABOUT, *codes, *(f"also:{parent}" for parent in also)])
    for row in range(len(held)):
        about: list[object] = [held.corpora[row], held.sessions[row], held.units[row], held.groups[row]]
        about += [held.folds[row], held.sides[row], held.words[row], "|".join(held.codes[row])]
        writer.writerow([*about, *_numbers(held.logits[row]), *_numbers(held.also[row])])
    return buffer.getvalue().encode()


def read(data: bytes, codes: Sequence[str], also: Sequence[str]) -> HeldOut:
    """What `write` wrote. Raises `MalformedTranscript` when the columns are others."""
    table = list(csv.reader(io.StringIO(data.decode())))
    expected = [*_ABOUT, *codes, *(f"also:{parent}" for parent in also)]
    if not table or table[0] != expected:
        raise MalformedTranscript(f"the held-out predictions have not the columns {', '.join(expected)}; train again")
    rows = table[1:]
    first, second = len(_ABOUT), len(_ABOUT) + len(codes)
    return HeldOut(
        corpora=np.array([row[0] for row in rows]),
        sessions=np.array([row[1] for row in rows]),
        units=np.array([row[2] for row in rows]),
        groups=np.array([int(row[3]) for row in rows]),
        folds=np.array([int(row[4]) for row in rows]),
        sides=np.array([row[5] for row in rows]),
        words=np.array([int(row[6]) for row in rows]),
        codes=tuple(tuple(row[7].split("|")) for row in rows),
        logits=np.array([[float(cell) if cell else -np.inf for cell in row[first:second]] for row in rows]),
        also=np.array([[float(cell) for cell in row[second:]] for row in rows]),
    )


def _numbers(values: Iterable[float]) -> list[str]:
    return ["" if np.isneginf(value) else f"{value:.3f}" for value in values]

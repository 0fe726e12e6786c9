"""Reads marks: what a worker's utterance does for the elements that the codebook's behaviours hardly reach.

A mark (`purpose said`, `example of the concern`, `the child met`; the bundle lists them) is read from three
things: the meaning of the utterance and of the one before (a sentence encoder that was not trained
further), their words, and where the utterance stands. Each mark is a logistic regression on these. Marks
enter ratings only as shares of the worker's runs, by their probabilities.

    encoder.onnx, tokenizer.json    one utterance → a vector
    marks.npy                       (vectors, place and words; marks), half precision; see `MarkWeights`
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from msw_ml.bundle import Bundle
from msw_ml.errors import ModelNotFound, RatingFailed
from msw_ml.session import CodedUtterance, Role, Value
from msw_ml.text.buckets import BUCKETS, features
from msw_ml.text.encoder import vectors
from msw_ml.text.packing import Packer, Window

WINDOW = Window(own=96, before=0, target=0)
ENCODER, TOKENIZER, WEIGHTS = "encoder.onnx", "tokenizer.json", "marks.npy"

BEFORE = (Role.PARENT, Role.CHILD, Role.OTHER, Role.WORKER)
AFTER = (Role.PARENT, Role.CHILD, Role.OTHER)
OPENING, CLOSING = 0.15, 0.85
"""Shares of the visit before and after which an utterance counts as its opening and its closing."""
OWN_SCALE, BEFORE_SCALE = 4.0, 2.0
"""Unit vectors are stretched so much before the regression: what its penalty takes for large."""
PLACES = 4 + len(BEFORE) + len(AFTER)

Floats = NDArray[np.float64]


class Mark(Value):
    """One mark that a bundle reads."""

    id: str
    element: str
    name: str
    meaning: str = ""
    is_lack: bool = False
    """Whether it speaks against the element."""


class Rows(NamedTuple):
    """The worker's utterances of a session as numbers; what is fitted on and what is read."""

    at: NDArray[np.intp]
    """Positions of the worker's utterances among all of them."""
    meaning: Floats
    """(rows, 2 · width): the utterance's vector and that of the one before, stretched."""
    place: Floats
    """(rows, `PLACES`): share of the visit passed, opening, closing, length; who spoke before and after."""
    words: list[tuple[NDArray[np.int64], Floats]]
    """Buckets and values of each utterance and the one before."""


@dataclass(frozen=True)
class MarkWeights:
    """Weights of all marks, (2 · width + `PLACES` + `BUCKETS` + 1, marks); the last row is the intercept.

    They are the mean of two regressions, one on meaning and place, one on words and place.
    """

    table: NDArray[np.float32]

    @classmethod
    def from_bytes(cls, data: bytes, marks: int) -> Self:
        """Raises `ModelNotFound` when the table is of another shape."""
        table = np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32)
        if table.ndim != 2 or table.shape[1] != marks or table.shape[0] <= PLACES + BUCKETS + 1:
            raise ModelNotFound(f"the weights of {marks} marks have the shape {table.shape}; train the bundle again")
        return cls(table=table)

    def to_bytes(self) -> bytes:
        """As `from_bytes` reads it."""
        buffer = io.BytesIO()
        np.save(buffer, self.table.astype(np.float16), allow_pickle=False)
        return buffer.getvalue()

    def probabilities(self, rows: Rows) -> Floats:
        """(rows, marks)."""
        known = np.hstack([rows.meaning, rows.place])
        scores = known @ self.table[: known.shape[1]] + self.table[-1]
        words = self.table[known.shape[1] : -1]
        for number, (places, values) in enumerate(rows.words):
            scores[number] += values @ words[places]
        probabilities: Floats = 1.0 / (1.0 + np.exp(-scores.astype(np.float64)))
        return probabilities


class MarkReader:
    """What a bundle reads in an utterance beside its behaviour. Weights load on first use."""

    def __init__(self, bundle: Bundle, marks: Sequence[Mark], threads: int = 0) -> None:
        self.marks = tuple(marks)
        self._bundle = bundle
        self._threads = threads or os.cpu_count() or 1

    def read(self, coded: Sequence[CodedUtterance]) -> Floats:
        """Probabilities (utterances, marks); 0 for everybody but the worker. Raises `RatingFailed`."""
        found = np.zeros((len(coded), len(self.marks)))
        try:
            rows = make_rows(coded, self._packer, self._encoder, self._threads)
            found[rows.at] = self._weights.probabilities(rows)
        except Exception as error:
            raise RatingFailed(f"the marks of {self._bundle.label} could not be read: {error}") from error
        return found

    @cached_property
    def _weights(self) -> MarkWeights:
        return MarkWeights.from_bytes(self._bundle.file(WEIGHTS).read_bytes(), len(self.marks))

    @cached_property
    def _packer(self) -> Packer:
        return Packer.from_file(self._bundle.file(TOKENIZER), WINDOW)

    @cached_property
    def _encoder(self) -> ort.InferenceSession:
        return self._bundle.session(ENCODER, threads=1)


def make_rows(coded: Sequence[CodedUtterance], packer: Packer, encoder: ort.InferenceSession, threads: int = 1) -> Rows:
    """The worker's utterances as numbers; utterances without trusted words are passed over."""
    spoken = [number for number, one in enumerate(coded) if one.utterance.trusted_text.strip()]
    roles = [coded[number].utterance.role for number in spoken]
    tokens = packer.tokens([coded[number].utterance.trusted_text for number in spoken])
    own = [number for number, role in enumerate(roles) if role is Role.WORKER]
    if not own:
        return Rows(np.zeros(0, dtype=np.intp), np.zeros((0, 0)), np.zeros((0, PLACES)), [])
    needed = sorted({*own, *(number - 1 for number in own if number)})
    read = vectors(encoder, packer.rows(tokens, roles, [], needed), threads).astype(np.float64)
    read /= np.linalg.norm(read, axis=1, keepdims=True)
    at = {number: row for row, number in enumerate(needed)}
    nothing = np.zeros(read.shape[1])
    before = np.array([read[at[number - 1]] if number else nothing for number in own])
    return Rows(
        at=np.array([spoken[number] for number in own], dtype=np.intp),
        meaning=np.hstack([OWN_SCALE * read[[at[number] for number in own]], BEFORE_SCALE * before]),
        place=np.array([_place(number, roles, len(tokens[number])) for number in own]),
        words=[features(tokens[number], tokens[number - 1] if number else []) for number in own],
    )


def _place(number: int, roles: Sequence[Role], tokens: int) -> list[float]:
    passed = number / len(roles)
    before = roles[number - 1] if number else None
    after = roles[number + 1] if number + 1 < len(roles) else None
    return [
        passed,
        float(passed < OPENING),
        float(passed > CLOSING),
        float(np.log1p(tokens)) / 3,
        *(float(before is role) for role in BEFORE),
        *(float(after is role) for role in AFTER),
    ]

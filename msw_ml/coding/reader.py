"""Runs a coder's parts over a session.

    encoder.onnx    one utterance with what was said before → a vector
    session.onnx    the vectors of a session in time order → logits of codes, and of parents that occur
    words.npy       the tokens of an utterance and the one before → what is added to the logits of codes

The same session gets the same logits for any number of threads (`msw_ml/text/encoder.py` says why).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from msw_ml.coding.words import Words
from msw_ml.errors import CodingFailed
from msw_ml.session import Progress, Role, silent
from msw_ml.text.encoder import run, vectors
from msw_ml.text.packing import Packer, role_number

Logits = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of all codes, (n, codes), and of the parents that occur, (n, parents)."""


@dataclass(frozen=True)
class Parts:
    """A coder's parts; both graphs must have been opened with one thread."""

    encoder: ort.InferenceSession
    session: ort.InferenceSession
    words: Words
    words_weight: float
    packer: Packer


class Reader:
    """Text and roles of a session → logits."""

    def __init__(self, parts: Parts, threads: int) -> None:
        self._parts = parts
        self._threads = threads

    def read(
        self,
        texts: Sequence[str],
        roles: Sequence[Role],
        wanted: Sequence[int],
        target: str = "",
        progress: Progress = silent,
    ) -> Logits:
        """Logits of the utterances at the positions `wanted`; the others are context. Raises `CodingFailed`."""
        if not wanted:
            return np.zeros((0, 0), dtype=np.float32), np.zeros((0, 0), dtype=np.float32)
        packer = self._parts.packer
        tokens = packer.tokens(texts)
        about = packer.tokens([target])[0] if target.strip() else []
        rows = packer.rows(tokens, roles, about, wanted)
        numbers = np.array([role_number(roles[position]) for position in wanted], dtype=np.int64)
        try:
            read = vectors(self._parts.encoder, rows, self._threads, progress)
            codes, also = run(self._parts.session, {"vectors": read, "roles": numbers})
        except Exception as error:
            raise CodingFailed(f"the coder's network failed: {type(error).__name__}: {error}") from error
        by_words = [
            self._parts.words.logits(roles[position], tokens[position], tokens[position - 1] if position else [])
            for position in wanted
        ]
        return codes + np.float32(self._parts.words_weight) * np.stack(by_words), also

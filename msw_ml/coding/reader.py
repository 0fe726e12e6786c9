"""Runs a coder's two graphs over a session.

    encoder.onnx    one utterance with what was said before → a vector
    session.onnx    the vectors of a session in time order → logits of codes, and of parents that occur

The quantised encoder scales its numbers by what it sees at once, so it sees one utterance at a time, on
one thread; several utterances are read beside each other. The same session therefore gets the same
logits for any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from msw_ml.coding.packing import Packer, Row, pad, role_number
from msw_ml.errors import CodingFailed
from msw_ml.session import Progress, Role, silent

Logits = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of all codes, (n, codes), and of the parents that occur, (n, parents)."""


class Reader:
    """Text and roles of a session → logits; both graphs must have been opened with one thread."""

    def __init__(
        self, encoder: ort.InferenceSession, session: ort.InferenceSession, packer: Packer, threads: int
    ) -> None:
        self._encoder = encoder
        self._session = session
        self._packer = packer
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
        about = self._packer.tokens([target])[0] if target.strip() else []
        rows = self._packer.rows(self._packer.tokens(texts), roles, about, wanted)
        numbers = np.array([role_number(roles[position]) for position in wanted], dtype=np.int64)
        codes, also = _run(self._session, {"vectors": self._vectors(rows, progress), "roles": numbers})
        return codes, also

    def _vectors(self, rows: Sequence[Row], progress: Progress) -> NDArray[np.float32]:
        vectors = []
        with ThreadPoolExecutor(self._threads) as pool:
            for number, vector in enumerate(pool.map(self._vector, rows), start=1):
                vectors.append(vector)
                progress("code", number / len(rows))
        return np.concatenate(vectors)

    def _vector(self, row: Row) -> NDArray[np.float32]:
        ids, kinds, roles = pad([row])
        return _run(self._encoder, {"ids": ids, "kinds": kinds, "roles": roles})[0]


def _run(graph: ort.InferenceSession, inputs: Mapping[str, NDArray[np.generic]]) -> list[NDArray[np.float32]]:
    try:
        outputs: list[NDArray[np.float32]] = graph.run(None, inputs)
    except Exception as error:
        raise CodingFailed(f"the coder's network failed: {type(error).__name__}: {error}") from error
    return outputs

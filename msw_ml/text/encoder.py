"""Runs a bundle's encoder over rows: one utterance with what was said before → a vector.

The quantised encoder scales its numbers by what it sees at once, so it sees one utterance at a time, on
one thread; several utterances are read beside each other. The same session therefore gets the same
vectors for any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from msw_ml.session import Progress, silent
from msw_ml.text.packing import Row, pad


def run(graph: ort.InferenceSession, inputs: Mapping[str, NDArray[np.generic]]) -> list[NDArray[np.float32]]:
    """All outputs; raises what the runtime raises."""
    outputs: list[NDArray[np.float32]] = graph.run(None, inputs)
    return outputs


def vectors(
    encoder: ort.InferenceSession, rows: Sequence[Row], threads: int, progress: Progress = silent, stage: str = "code"
) -> NDArray[np.float32]:
    """(rows, width); raises what the runtime raises."""

    def one(row: Row) -> NDArray[np.float32]:
        ids, kinds, roles = pad([row])
        return run(encoder, {"ids": ids, "kinds": kinds, "roles": roles})[0]

    found = []
    with ThreadPoolExecutor(threads) as pool:
        for number, vector in enumerate(pool.map(one, rows), start=1):
            found.append(vector)
            progress(stage, number / len(rows))
    return np.concatenate(found)

"""A second opinion from words alone: a linear model of the parent code over hashed tokens and pairs of tokens.

The network reads meaning and context; rare but telling words it partly forgets. A logistic regression that
sees nothing but which tokens stand in the utterance and in the one before makes other mistakes, and the two
together do better than either (the card says by how much).

Features are numbered by a fixed hash (`msw_ml/text/buckets.py`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook.book import Codebook
from msw_ml.errors import ModelNotFound
from msw_ml.session import Role
from msw_ml.text.buckets import BUCKETS, features


class Words:
    """Weights of each side's parent codes, (BUCKETS + 1, parents); the last row is the intercept."""

    def __init__(self, weights: Mapping[Role, NDArray[np.float32]], codebook: Codebook, codes: Sequence[str]) -> None:
        """`codes` are the network's outputs in order."""
        self._weights = weights
        self._outputs = {
            side: [
                (place, codebook.parent_codes(side).index(codebook.parent_of(code)))
                for place, code in enumerate(codes)
                if codebook.behaviour(code).speaker is side
            ]
            for side in weights
        }
        self._width = len(codes)

    @classmethod
    def from_file(cls, path: Path, codebook: Codebook, codes: Sequence[str]) -> Self:
        return cls.from_bytes(path.read_bytes(), codebook, codes)

    @classmethod
    def from_bytes(cls, data: bytes, codebook: Codebook, codes: Sequence[str]) -> Self:
        """What `to_bytes` made. Raises `ModelNotFound` when it is of another shape than the codebook's."""
        table = np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32)
        parents = {side: len(codebook.parent_codes(side)) for side in Role if codebook.is_coded(side)}
        if table.shape != (BUCKETS + 1, sum(parents.values())):
            raise ModelNotFound("the word weights do not fit the codebook; train the bundle again")
        ends = np.cumsum(list(parents.values()))
        parts = np.split(table, ends[:-1], axis=1)
        return cls(dict(zip(parents, parts, strict=True)), codebook, codes)

    def logits(self, side: Role, own: Sequence[int], before: Sequence[int]) -> NDArray[np.float32]:
        """What to add to the network's logits: each code gets the log probability of its parent."""
        weights = self._weights[side]
        places, values = features(own, before)
        scores = values @ weights[places] + weights[-1]
        scores -= scores.max() + np.log(np.exp(scores - scores.max()).sum())
        added = np.zeros(self._width, dtype=np.float32)
        for place, parent in self._outputs[side]:
            added[place] = scores[parent]
        return added


def to_bytes(weights: Sequence[NDArray[np.float64]]) -> bytes:
    """One table of half-precision numbers, side after side."""
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate(weights, axis=1).astype(np.float16), allow_pickle=False)
    return buffer.getvalue()

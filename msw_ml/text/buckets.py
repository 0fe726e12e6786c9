"""Tokens as numbered features by a fixed hash: no word and no phrase of any training set is stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 15
BEFORE_WEIGHT = 0.5
"""What the utterance before weighs against the utterance itself."""
_TOKEN, _PAIR, _FIRST, _LAST = range(4)
_KINDS = 4


def features(own: Sequence[int], before: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Buckets and values of an utterance and the one before (token ids; `before` may be empty).

    Values are 1 + ln(count), at length 1 for each of the two.
    """
    places, values = [], []
    for number, (tokens, weight) in enumerate(((own, 1.0), (before, BEFORE_WEIGHT))):
        if not len(tokens):
            continue
        buckets, counts = np.unique(_hashed(tokens, number * _KINDS), return_counts=True)
        value = 1 + np.log(counts)
        places.append(buckets)
        values.append(weight * value / np.linalg.norm(value))
    if not places:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return np.concatenate(places), np.concatenate(values)


def _hashed(tokens: Sequence[int], first_kind: int) -> NDArray[np.int64]:
    """Buckets of all tokens, pairs of neighbours, the first and the last token."""
    ids = np.asarray(tokens, dtype=np.uint64)
    one = np.concatenate([ids, ids[:-1], ids[:1], ids[-1:]])
    two = np.concatenate([np.zeros_like(ids), ids[1:] + np.uint64(1), np.zeros(2, dtype=np.uint64)])
    kinds = np.repeat([_TOKEN, _PAIR, _FIRST, _LAST], [len(ids), len(ids) - 1, 1, 1]) + first_kind
    mixed = one * np.uint64(0x9E3779B97F4A7C15) ^ two * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed += kinds.astype(np.uint64) * np.uint64(0x165667B19E3779F9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return (mixed % np.uint64(BUCKETS)).astype(np.int64)

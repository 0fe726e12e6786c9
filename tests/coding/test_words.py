"""The second opinion from words alone: stable buckets, right shapes, log probabilities of parents."""

from __future__ import annotations

import numpy as np
import pytest

from msw_ml.codebook import book
from msw_ml.coding.words import Words, to_bytes
from msw_ml.errors import ModelNotFound
from msw_ml.session import Role
from msw_ml.text.buckets import BUCKETS, features

CODEBOOK = book.load()
CODES = CODEBOOK.codes(Role.WORKER) + CODEBOOK.codes(Role.PARENT)
WORKER, PARENT = CODEBOOK.parent_codes(Role.WORKER), CODEBOOK.parent_codes(Role.PARENT)


def test_buckets_stay_what_they_are() -> None:
    """Protects shipped weights: another hash would make noise of them without any error."""
    places, values = features([2129, 2003, 5458], [])
    # Three tokens, two pairs, the first and the last.
    assert places.tolist() == [4461, 5599, 11408, 19766, 20131, 24107, 29671]
    assert np.linalg.norm(values) == pytest.approx(1)


def test_order_and_place_of_words_matter() -> None:
    """Protects pairs of tokens and the utterance before from being read as the same thing."""
    assert set(features([1, 2], [])[0]) != set(features([2, 1], [])[0])
    assert not set(features([5, 6], [])[0]) & set(features([], [5, 6])[0])
    assert len(features([], [])[0]) == 0


def test_a_code_gets_the_log_probability_of_its_parent() -> None:
    """Protects the sum of both opinions: one number a parent, nothing for the other side."""
    weights = [np.zeros((BUCKETS + 1, len(parents))) for parents in (WORKER, PARENT)]
    weights[0][-1, WORKER.index("question")] = np.log(7)
    words = Words.from_bytes(to_bytes(weights), CODEBOOK, CODES)
    added = dict(zip(CODES, words.logits(Role.WORKER, [3, 4], []).tolist(), strict=True))
    assert added["question_open"] == added["question_closed"] == pytest.approx(np.log(0.7), abs=1e-3)
    assert added["affirm"] == pytest.approx(np.log(0.1), abs=1e-3)
    assert added["change"] == 0


def test_weights_of_another_codebook_are_refused() -> None:
    """Protects against weights whose columns mean other codes."""
    with pytest.raises(ModelNotFound, match="do not fit the codebook"):
        Words.from_bytes(to_bytes([np.zeros((BUCKETS + 1, 5))]), CODEBOOK, CODES)

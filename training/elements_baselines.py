"""What a session rater must beat: constants, counts alone, and the worker's words alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from msw_ml.rating.features import SIDES, Floats, Ints, Talk
from msw_ml.session import Role
from training.elements_figures import Truth
from training.elements_fit import FitOptions, Table, cross_fit, folds
from training.rated_sessions import RatedSession

MIDDLE = 3.0

BAG_ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Strengths of the ridge on words, whose features are not standardised."""


def baselines(
    sessions: Sequence[RatedSession], talks: Sequence[Talk], table: Table, truth: Truth, options: FitOptions
) -> dict[str, Floats]:
    """Name → predictions (sessions, elements), all out of the same folds as the rater's."""
    corpora = np.unique([session.corpus for session in sessions], return_inverse=True)[1].astype(np.intp)
    counts = Table.plain(_counts(talks), table.y, table.groups)
    words = _bag_of_words(sessions)
    bag = Table.plain(words, table.y, table.groups)
    bag_options = options.model_copy(update={"alphas": BAG_ALPHAS, "is_standardised": False})
    return {
        "constant 3": np.full(table.y.shape, MIDDLE),
        "training median of its set": _medians(table, corpora, options),
        "median of its quality (knows how the session was sorted)": _medians(
            table, 2 * corpora + truth.is_good, options
        ),
        "linear on counts": cross_fit(counts, options).predicted,
        "bag of words": cross_fit(bag, bag_options).predicted,
    }


def _medians(table: Table, kinds: Ints, options: FitOptions) -> Floats:
    """The median of the training sessions of the same kind."""
    predicted = np.full(table.y.shape, np.nan)
    for train, test in folds(table.groups, options):
        for kind in np.unique(kinds[test]):
            same = train[kinds[train] == kind]
            rated = np.isfinite(table.y[same]).any(axis=0)
            own = test[kinds[test] == kind]
            predicted[np.ix_(own, np.flatnonzero(rated))] = np.nanmedian(table.y[same][:, rated], axis=0)
    return predicted


def _counts(talks: Sequence[Talk]) -> Floats:
    """How many units have each code as their likeliest, and how many words each side says (logs)."""
    codes = sorted(code for code in talks[0].probabilities if not code.endswith("+"))
    rows = []
    for talk in talks:
        stacked = np.array([talk.probabilities[code] for code in codes])
        chosen = np.bincount(stacked.argmax(axis=0), minlength=len(codes))
        words = [talk.words[talk.side == side].sum() for side in range(len(SIDES))]
        rows.append(np.log1p(np.concatenate([chosen, words])))
    return np.array(rows)


def _bag_of_words(sessions: Sequence[RatedSession]) -> Floats:
    """TF-IDF of the worker's words and pairs of words, (sessions, sessions). No rating is looked at.

    Turned so that as many axes as there are sessions hold all of it: a ridge gives the same on these.
    """
    said = [" ".join(one.utterance.text for one in s.coded if one.utterance.role is Role.WORKER) for s in sessions]
    terms = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True).fit_transform(said).toarray()
    left, sizes, _ = np.linalg.svd(terms, full_matrices=False)
    turned: Floats = left * sizes
    return turned

"""All draws at once give what a loop over draws gives."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.agreement import confusion, kappa
from evaluation.intervals import Draws, Resampling, estimate, mean_over

RNG = np.random.default_rng(8)
CODES = RNG.integers(0, 3, size=(400, 2))
CODES[:250, 1] = CODES[:250, 0]
CLUSTERS = np.repeat(np.arange(20), 20)


def test_the_matrix_of_draws_is_the_loop_of_draws() -> None:
    """A row of weights says how often each cluster was drawn: counting its copies one by one gives the same."""
    draws = Draws(CLUSTERS, Resampling(draws=100))
    counts = confusion.confusion(CODES[:, 0], CODES[:, 1], 3, draws.groups, draws.n_groups)
    fast = kappa.kappa(draws.sums(counts))
    for row in (0, 1, 50, 100):
        copies = np.repeat(np.arange(20), draws.weights[row].astype(int))
        units = np.concatenate([np.flatnonzero(cluster == CLUSTERS) for cluster in copies])
        one = np.zeros(len(units), dtype=np.int64)
        slow = kappa.kappa(confusion.confusion(CODES[units, 0], CODES[units, 1], 3, one, 1)[0])
        assert fast[row] == pytest.approx(float(slow))


def test_the_same_seed_gives_the_same_interval() -> None:
    weights = [Draws(CLUSTERS, Resampling(draws=100, seed=seed)).weights for seed in (1, 1, 2)]
    assert (weights[0] == weights[1]).all()
    assert (weights[0] != weights[2]).any()


def test_few_clusters_resample_utterances_within_them() -> None:
    draws = Draws(np.repeat([0, 1, 2], 30), Resampling(draws=100))
    assert not draws.is_by_cluster
    assert (draws.weights[:, :30].sum(axis=1) == 30).all(), "every session keeps its size"


def test_few_sessions_have_no_interval() -> None:
    draws = Draws(np.arange(6), Resampling(draws=100), are_utterances=False)
    found = estimate(draws.weights.sum(axis=1), "")
    assert (found.low, found.high) == (None, None)
    assert "fewer than 10" in (found.reason or "")


def test_undefined_is_a_reason_and_not_a_number() -> None:
    assert estimate(np.full(101, np.nan), "nothing varies").reason == "nothing varies"
    rare = np.concatenate([[0.5], np.full(50, np.nan), np.full(50, 0.5)])
    assert estimate(rare, "").low is None, "half of the draws have no figure: an interval of the rest would lie"


def test_means_over_pairs_skip_pairs_without_a_figure() -> None:
    assert mean_over(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()[0] == 2.0
    assert np.isnan(mean_over(np.array([[1.0, np.nan], [3.0, np.nan]]))[1])


def test_intervals_cover_as_often_as_they_say() -> None:
    """Kappa of clustered codes: about 95 of 100 intervals hold the true value."""
    rng, hits, truth = np.random.default_rng(11), 0, 0.6
    for number in range(100):
        first = rng.integers(0, 2, size=600)
        second = np.where(rng.random(600) < truth, first, rng.integers(0, 2, size=600))
        draws = Draws(np.repeat(np.arange(30), 20), Resampling(draws=300, seed=number))
        counts = confusion.confusion(first, second, 2, draws.groups, draws.n_groups)
        found = estimate(kappa.kappa(draws.sums(counts)), "")
        hits += found.low <= truth <= found.high
    assert 88 <= hits <= 100

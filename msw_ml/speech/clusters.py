"""How many voices there are, and what each is like: spectral clustering of voice vectors.

Spectral clustering (Ng, Jordan and Weiss 2001) with the affinity exp(-(1 - cosine) / .08). The largest number of
speakers is believed at which no voice is nearly a blend of the others, counted on the windows that are most
like their neighbours: those across a change of speaker form clusters of their own and look like a third person.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.cluster import SpectralClustering

AFFINITY_SCALE = 0.08
"""Cosine distance at which affinity falls to 1/e: about that of two windows of one voice."""
MOST_SPEAKERS = 6
MOST_BLENDED = 0.80
"""Greatest cosine between a voice and its best blend of the other voices. On the ten two-speaker recordings of the
measuring set a third voice that is not there has .85 or more, but for one with two windows."""
STEADY_SHARE = 0.7
"""Share of the windows that speakers are counted on: those most like the windows around them."""
LEAST_WINDOWS = 4
LEAST_SHARE = 0.005
"""A voice needs this many windows, and this share of them, to be counted as somebody."""
MOST_CLUSTERED = 1200
"""Windows that are clustered, evenly spread over the recording; the affinity matrix grows with their square."""

Floats = NDArray[np.float32]


def find_voices(vectors: Floats, speakers: int | None) -> Floats:
    """Centroids of length 1, shape (speakers, 256), of voice vectors of shape (windows, 256).

    `speakers` None finds their number, at least 2: whether a lone voice is one person cannot be told by
    this. Fewer windows than speakers give fewer centroids.
    """
    return _centroids(_sampled(vectors), speakers or _count(_sampled(_steady(vectors))))


def mean_voices(vectors: Floats, owners: NDArray[np.int64], otherwise: Floats) -> Floats:
    """Centroids of length 1 by owner, numbered as the rows of `otherwise`, which stands where nothing is owned."""
    means = [
        vectors[owners == owner].mean(axis=0) if (owners == owner).any() else voice
        for owner, voice in enumerate(otherwise)
    ]
    return _unit(np.stack(means))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _count(vectors: Floats) -> int:
    for number in range(MOST_SPEAKERS, 2, -1):
        centroids = _centroids(vectors, number)
        if len(centroids) == number and _is_apart(vectors, centroids):
            return number
    return 2


def _sampled(vectors: Floats) -> Floats:
    sample: Floats = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), MOST_CLUSTERED)).astype(int)]
    return sample


def blend(voice: Floats, others: Floats) -> float:
    """Cosine between a voice and the non-negative blend of the other voices that is nearest to it."""
    weights, _ = nnls(others.T.astype(np.float64), voice.astype(np.float64))
    blended = others.T @ weights
    return float(blended @ voice / (np.linalg.norm(blended) * np.linalg.norm(voice) + 1e-9))


def _steady(vectors: Floats) -> Floats:
    """The windows, in time order, whose neighbours on both sides are most like each other."""
    if len(vectors) < 4 * LEAST_WINDOWS:
        return vectors
    alike = np.sum(vectors[:-2] * vectors[2:], axis=1)
    alike = np.concatenate([alike[:1], alike, alike[-1:]])
    steady: Floats = vectors[alike >= np.quantile(alike, 1 - STEADY_SHARE)]
    return steady


def _is_apart(vectors: Floats, centroids: Floats) -> bool:
    sizes = np.bincount(np.argmax(vectors @ centroids.T, axis=1), minlength=len(centroids))
    if sizes.min() < max(LEAST_WINDOWS, LEAST_SHARE * len(vectors)):
        return False
    return all(blend(centroids[i], np.delete(centroids, i, axis=0)) <= MOST_BLENDED for i in range(len(centroids)))


def _centroids(vectors: Floats, speakers: int) -> Floats:
    labels = _labels(vectors, min(speakers, len(vectors)))
    means = np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    return _unit(means)


def _labels(vectors: Floats, speakers: int) -> NDArray[np.int64]:
    if speakers < 2 or len(vectors) <= speakers + 1:  # too few for an eigenvector each
        return np.arange(len(vectors), dtype=np.int64) % speakers
    affinity = np.exp(-(1 - vectors @ vectors.T) / AFFINITY_SCALE).astype(np.float64)
    clustering = SpectralClustering(speakers, affinity="precomputed", random_state=0)
    return np.asarray(clustering.fit_predict((affinity + affinity.T) / 2), dtype=np.int64)

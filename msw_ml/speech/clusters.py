"""How many voices there are, and what each is like: spectral clustering of voice vectors.

Spectral clustering (Ng, Jordan and Weiss 2001) with the affinity exp(-(1 - cosine) / .08). A number of
speakers is believed as long as no voice of them is a blend of the others: windows across a change of
speaker form a cluster of their own that looks like a third person, and lies between the two.
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
"""Greatest cosine between a voice and its best blend of the other voices. Windows of two speakers give clusters
above .81 on all ten two-speaker recordings of the measuring set when three are asked for."""
LEAST_WINDOWS = 5
LEAST_SHARE = 0.01
"""A voice needs this many windows, and this share of all, to be counted as somebody."""
MOST_CLUSTERED = 1200
"""Windows that are clustered, evenly spread over the recording; the affinity matrix grows with their square."""

Floats = NDArray[np.float32]


def find_voices(vectors: Floats, speakers: int | None) -> Floats:
    """Centroids of length 1, shape (speakers, 256), of voice vectors of shape (windows, 256).

    `speakers` None finds their number, at least 2: whether a lone voice is one person cannot be told by
    this. Fewer windows than speakers give fewer centroids.
    """
    sample = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), MOST_CLUSTERED)).astype(int)]
    if speakers is not None:
        return _centroids(sample, speakers)
    best = _centroids(sample, 2)
    for number in range(3, MOST_SPEAKERS + 1):
        centroids = _centroids(sample, number)
        if len(centroids) == number and _is_apart(sample, centroids):
            best = centroids
    return best


def blend(voice: Floats, others: Floats) -> float:
    """Cosine between a voice and the non-negative blend of the other voices that is nearest to it."""
    weights, _ = nnls(others.T.astype(np.float64), voice.astype(np.float64))
    blended = others.T @ weights
    return float(blended @ voice / (np.linalg.norm(blended) * np.linalg.norm(voice) + 1e-9))


def _is_apart(vectors: Floats, centroids: Floats) -> bool:
    sizes = np.bincount(np.argmax(vectors @ centroids.T, axis=1), minlength=len(centroids))
    if sizes.min() < max(LEAST_WINDOWS, LEAST_SHARE * len(vectors)):
        return False
    return all(blend(centroids[i], np.delete(centroids, i, axis=0)) <= MOST_BLENDED for i in range(len(centroids)))


def _centroids(vectors: Floats, speakers: int) -> Floats:
    labels = _labels(vectors, min(speakers, len(vectors)))
    means = np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    return np.asarray(means / (np.linalg.norm(means, axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _labels(vectors: Floats, speakers: int) -> NDArray[np.int64]:
    if speakers < 2 or len(vectors) <= speakers + 1:  # too few for an eigenvector each
        return np.arange(len(vectors), dtype=np.int64) % speakers
    affinity = np.exp(-(1 - vectors @ vectors.T) / AFFINITY_SCALE).astype(np.float64)
    clustering = SpectralClustering(speakers, affinity="precomputed", random_state=0)
    return np.asarray(clustering.fit_predict((affinity + affinity.T) / 2), dtype=np.int64)

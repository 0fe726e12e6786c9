"""95% intervals by resampling whole clusters, all draws at once.

Statistics here are functions of counts that add up over units. So a bootstrap draw is a weight for each
cluster, all draws together are one matrix, and the resampled counts are one matrix product: no loop over
draws. The draws are shared by all statistics of a table, which makes ratios of two of them (the machine's
figure as a share of the human one) as easy as the figures themselves.

Talk within a visit, and visits of one worker, resemble each other; resampling single utterances would
pretend that they do not. Below `FEW_CLUSTERS` clusters a cluster bootstrap says little (Cameron, Gelbach
and Miller 2008, Review of Economics and Statistics 90:414-427): utterances are resampled within their
sessions then, and the interval speaks of those sessions only; figures of whole sessions get none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evaluation.agreement.confusion import Codes, Counts
from msw_ml.session import Value

Cluster = Literal["session", "family", "worker"]

DRAWS = 2000
FEW_CLUSTERS = 10
UNDEFINED_SHARE = 0.05
"""More undefined draws than this share, and there is no interval."""


class Estimate(Value):
    """A figure with its 95% interval, or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    """Why it is not estimable; `None` where it is."""


class Resampling(Value):
    """How many draws, from which seed, of what."""

    draws: int = Field(default=DRAWS, ge=100, le=100_000)
    seed: int = 1
    cluster: Cluster = "session"


class Draws:
    """Bootstrap weights of clusters; the first row is the data as they are."""

    def __init__(self, clusters: Codes, options: Resampling, are_utterances: bool = True) -> None:
        """`clusters` gives the cluster of every unit; the units are utterances, or else whole sessions."""
        present, clusters = np.unique(clusters, return_inverse=True)
        n_clusters, draws = len(present), options.draws
        self.is_by_cluster = n_clusters >= FEW_CLUSTERS
        self.n_clusters = n_clusters
        rng = np.random.default_rng(options.seed)
        if self.is_by_cluster or not are_utterances:
            self.groups, self.n_groups = clusters, n_clusters
            draws = draws if self.is_by_cluster else 0
            strata = [np.arange(n_clusters)]
        else:
            self.groups, self.n_groups = np.arange(len(clusters)), len(clusters)
            strata = [np.flatnonzero(clusters == cluster) for cluster in range(n_clusters)]
        self.weights: Counts = np.ones((1 + draws, self.n_groups))
        for members in strata:
            self.weights[1:, members] = _resample(len(members), draws, rng)

    def sums(self, counts: Counts) -> Counts:
        """Counts by group, first axis, as sums in the data (row 0) and in every draw."""
        flat = self.weights @ counts.reshape(self.n_groups, -1)
        return flat.reshape(len(self.weights), *counts.shape[1:])


def estimate(values: NDArray[np.float64], why_not: str, level: float = 0.95) -> Estimate:
    """An estimate from a statistic in the data (first) and in every draw; percentile interval.

    `why_not` is the reason given where the statistic is undefined (NaN) in the data.
    """
    value, drawn = float(values[0]), values[1:]
    if np.isnan(value):
        return Estimate(value=None, reason=why_not)
    defined = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Estimate(value=value, reason=f"no interval: fewer than {FEW_CLUSTERS} clusters to resample")
    if len(defined) < (1.0 - UNDEFINED_SHARE) * len(drawn):
        return Estimate(value=value, reason="no interval: too rare, undefined in many resamples")
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Estimate(value=value, low=float(low), high=float(high))


def mean_over(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis (pairs of coders) of those defined; NaN where none is."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _resample(n: int, draws: int, rng: np.random.Generator) -> Counts:
    """How often each of n is drawn in n draws with replacement, (draws, n)."""
    if n == 0:
        return np.zeros((draws, 0))
    return rng.multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64)

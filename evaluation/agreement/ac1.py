"""Gwet's AC1 and AC2, which stay put where one code is nearly all there is.

AC = (Pa - Pe) / (1 - Pe) with Pe = T/(k(k-1)) Σ p_j (1 - p_j), T the sum of the agreement weights (k of
them for AC1: Pe = Σ p_j (1 - p_j)/(k - 1)). Gwet 2008, British Journal of Mathematical and Statistical
Psychology 61:29-48; with weights and missing codes Gwet 2014, Handbook of Inter-Rater Reliability, 4th
ed., ch. 4. k counts the codes of the scheme, whether or not somebody used them.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins
from evaluation.agreement.kappa import Weighting, weights


def gwet(sums: Counts, weight: Counts) -> Counts:
    """AC1 of any number of coders from sums of `fleiss.unit_counts`, `weight` the identity; AC2 by `gwet_of_pair`."""
    categories = weight.shape[0]
    if categories < 2:
        return np.full(sums.shape[:-1], np.nan)
    observed = divide(sums[..., 1], sums[..., 0])
    shares = divide(sums[..., 3:], sums[..., 2:3])
    chance = weight.sum() / (categories * (categories - 1))
    expected = chance * (shares * (1.0 - shares)).sum(axis=-1)
    return divide(observed - expected, 1.0 - expected)


def gwet_of_pair(table: Counts, weighting: Weighting = "nominal") -> Counts:
    """AC1 or AC2 of two coders from confusion matrices (..., k, k)."""
    weight = weights(table.shape[-1], weighting)
    both, first, second, units = margins(table)
    total = units[..., 0]
    agreeing = both.sum(axis=-1) if weighting == "nominal" else (table * weight).sum(axis=(-2, -1))
    return gwet(np.concatenate([np.stack([total, agreeing, total], -1), (first + second) / 2.0], -1), weight)


def gwet_of_each(table: Counts) -> Counts:
    """AC1 of every code against the rest, (..., k), from confusion matrices (..., k, k)."""
    both, first, second, total = margins(table)
    observed = divide(total - first - second + 2.0 * both, total)
    share = divide(first + second, 2.0 * total)
    expected = 2.0 * share * (1.0 - share)
    return divide(observed - expected, 1.0 - expected)

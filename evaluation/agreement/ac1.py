"""Gwet's AC1 and AC2, which stay put where one code is nearly all there is.

AC = (Pa - Pe) / (1 - Pe) with Pe = T/(k(k-1)) Σ p_j (1 - p_j), T the sum of the agreement weights (k of
them for AC1: Pe = Σ p_j (1 - p_j)/(k - 1)). Gwet 2008, British Journal of Mathematical and Statistical
Psychology 61:29-48; with weights and missing codes Gwet 2014, Handbook of Inter-Rater Reliability, 4th
ed., ch. 4. k counts the codes of the scheme, whether or not somebody used them.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins
from evaluation.agreement.fleiss import unit_counts
from evaluation.agreement.kappa import Weighting, weights
from msw_ml.session import Value


def gwet(sums: Counts, weight: Counts) -> Counts:
    """AC1 (identity weights) or AC2 from sums of `fleiss.unit_counts` made with the same weights."""
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


class GwetAC(Value):
    """AC1 or AC2 of any number of coders with what it is made of (see `fleiss.unit_counts`)."""

    units: float
    agreeing: float
    coded: float
    shares: tuple[float, ...]
    weighting: Weighting = "nominal"

    @property
    def value(self) -> float | None:
        sums = np.array([self.units, self.agreeing, self.coded, *self.shares])
        found = float(gwet(sums, weights(len(self.shares), self.weighting)))
        return None if np.isnan(found) else found


def gwet_ac(tallies: Counts, weighting: Weighting = "nominal") -> GwetAC:
    """AC1 (nominal) or AC2 of a table (units, k) of how many coders gave each code."""
    sums = unit_counts(tallies, weights(tallies.shape[1], weighting)).sum(axis=0)
    units, agreeing, coded, *shares = sums.tolist()
    return GwetAC(units=units, agreeing=agreeing, coded=coded, shares=tuple(shares), weighting=weighting)

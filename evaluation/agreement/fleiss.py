"""Fleiss' kappa of several coders who may differ from unit to unit.

kappa = (Pa - Pe) / (1 - Pe); Pa the mean over units of the share of agreeing pairs, Pe = Σ p_j² with
p_j the share of code j (Fleiss 1971, Psychological Bulletin 76:378-382). With missing codes Pa is taken
over units with two codes or more and p_j is the mean of the units' own shares (Gwet 2014, Handbook of
Inter-Rater Reliability, 4th ed., ch. 2); without missing codes the two are the same.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide


def unit_counts(tallies: Counts) -> Counts:
    """What AC1 and Fleiss' kappa need of each unit, shape (units, 3 + k); may be summed.

    `tallies` (units, k) says how many coders gave each code.
    Columns: units with two codes or more; their shares of agreeing pairs; units with any code; and
    the unit's share of each code.
    """
    coders = tallies.sum(axis=1)
    several = coders >= 2
    pairs = (tallies * (tallies - 1.0)).sum(axis=1)
    agreeing = np.where(several, pairs / np.where(several, coders * (coders - 1.0), 1.0), 0.0)
    coded = coders >= 1
    shares = np.where(coded[:, None], tallies / np.where(coded, coders, 1.0)[:, None], 0.0)
    return np.column_stack([several, agreeing, coded, shares])


def fleiss_kappa(sums: Counts) -> Counts:
    """Fleiss' kappa from sums of `unit_counts`, shape (..., 3 + k)."""
    observed = divide(sums[..., 1], sums[..., 0])
    shares = divide(sums[..., 3:], sums[..., 2:3])
    expected = (shares**2).sum(axis=-1)
    return divide(observed - expected, 1.0 - expected)

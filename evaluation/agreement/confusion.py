"""Who gave which code where somebody else gave which: the counts that most statistics are made of.

Codings of one variable stand in an integer array (units, coders), `MISSING` where a coder gave none.
Counts add up over units, so they are summed over the units of a cluster first and resampled after.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""Counts or weighted counts; leading axes are clusters or bootstrap draws."""

Codes = NDArray[np.int64]
"""Codes of one variable, shape (units, coders)."""

MISSING = -1
"""Where a coder gave no code to a unit."""


def confusion(first: Codes, second: Codes, categories: int, clusters: Codes, n_clusters: int) -> Counts:
    """Confusion matrices of two coders by cluster, shape (clusters, categories, categories).

    `clusters` gives the cluster of every unit. Rows are the first coder's codes; a unit that either
    left out does not count.
    """
    both = (first != MISSING) & (second != MISSING)
    cell = (clusters[both] * categories + first[both]) * categories + second[both]
    counted: Counts = np.asarray(np.bincount(cell, minlength=n_clusters * categories * categories), dtype=np.float64)
    return counted.reshape(n_clusters, categories, categories)


def tally(codes: Codes, categories: int) -> Counts:
    """How many coders gave each code to each unit, shape (units, categories)."""
    given = [(codes == code).sum(axis=1, dtype=np.float64) for code in range(categories)]
    return np.stack(given, axis=1)


def sum_by(clusters: Codes, n_clusters: int, counts: Counts) -> Counts:
    """Counts of units, first axis, summed by cluster."""
    flat = counts.reshape(len(counts), -1)
    columns = [np.bincount(clusters, weights=column, minlength=n_clusters) for column in flat.T]
    summed: Counts = np.asarray(np.stack(columns, axis=1), dtype=np.float64)
    return summed.reshape(n_clusters, *counts.shape[1:])


def margins(table: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    """Of confusion matrices (..., k, k), for every code: given by both, by the first, by the second; and all units."""
    ones = np.ones(table.shape[-1])
    return np.diagonal(table, axis1=-2, axis2=-1), table @ ones, ones @ table, ((table @ ones) @ ones)[..., None]


def divide(numerator: Counts, denominator: Counts) -> Counts:
    """Quotients, NaN ("not estimable") where the denominator is zero or too small to mean anything."""
    usable = np.abs(denominator) > 1e-12
    quotients: Counts = np.where(usable, numerator / np.where(usable, denominator, 1.0), np.nan)
    return quotients

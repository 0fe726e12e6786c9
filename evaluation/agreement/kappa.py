"""Cohen's kappa and weighted kappa of two coders.

kappa = (Po - Pe) / (1 - Pe), Po the observed agreement and Pe that expected from both coders' margins
(Cohen 1960, Educational and Psychological Measurement 20:37-46). Weighted: agreement between codes i
and j of k counts 1 - |i-j|/(k-1) (linear) or 1 - (i-j)²/(k-1)² (quadratic) (Cohen 1968, Psychological
Bulletin 70:213-220). Quadratic kappa of 1 to 5 ratings comes close to ICC(A,1) (Fleiss and Cohen 1973).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins

Weighting = Literal["nominal", "linear", "quadratic"]


def weights(categories: int, weighting: Weighting) -> Counts:
    """How far codes i and j agree, 1 on the diagonal; shape (categories, categories)."""
    if weighting == "nominal" or categories < 2:
        return np.eye(categories)
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))) / (categories - 1)
    return 1.0 - (apart if weighting == "linear" else apart**2)


def kappa(table: Counts, weighting: Weighting = "nominal") -> Counts:
    """Kappa of confusion matrices (..., k, k); NaN where chance alone would agree always."""
    weight = weights(table.shape[-1], weighting)
    both, rows, columns, units = margins(table)
    total = units[..., 0]
    agreeing = both.sum(axis=-1) if weighting == "nominal" else (table * weight).sum(axis=(-2, -1))
    observed = divide(agreeing, total)
    expected = divide(((rows @ weight) * columns).sum(axis=-1), total**2)
    return divide(observed - expected, 1.0 - expected)


def kappa_of_each(table: Counts) -> Counts:
    """Kappa of every code against the rest, (..., k), from confusion matrices (..., k, k)."""
    both, first, second, total = margins(table)
    by_chance = first * second + (total - first) * (total - second)
    agreeing = total * (total - first - second + 2.0 * both)
    return divide(divide(agreeing - by_chance, total**2), divide(total**2 - by_chance, total**2))

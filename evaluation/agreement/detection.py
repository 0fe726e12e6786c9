"""Every code against the rest: F1.

F1 = 2 TP / (2 TP + FP + FN). Between two human coders it is the same whoever stands first (the "positive
agreement" of Cicchetti and Feinstein 1990), which is why it can stand beside a machine's. Macro-F1 is
the mean over the codes that either coder used.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins


def f1(table: Counts) -> Counts:
    """F1 of every code, (..., k), from confusion matrices (..., k, k); NaN where nobody used the code."""
    both, first, second, _ = margins(table)
    return divide(2.0 * both, first + second)


def macro_f1(table: Counts) -> Counts:
    """Mean F1 over the codes in use, from confusion matrices (..., k, k)."""
    scores = f1(table)
    used = ~np.isnan(scores)
    return divide(np.where(used, scores, 0.0).sum(axis=-1), used.sum(axis=-1).astype(np.float64))

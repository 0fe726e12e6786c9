"""Every code against the rest: precision, recall, F1 and prevalence.

F1 = 2 TP / (2 TP + FP + FN). Between two human coders it is the same whoever stands first (the "positive
agreement" of Cicchetti and Feinstein 1990), which is why it can stand beside a machine's. Macro-F1 is
the mean over the codes that either coder used.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins, one_against_rest
from msw_ml.session import Value


def f1(table: Counts) -> Counts:
    """F1 of every code, (..., k), from confusion matrices (..., k, k); NaN where nobody used the code."""
    both, first, second, _ = margins(table)
    return divide(2.0 * both, first + second)


def macro_f1(table: Counts) -> Counts:
    """Mean F1 over the codes in use, from confusion matrices (..., k, k)."""
    scores = f1(table)
    used = ~np.isnan(scores)
    return divide(np.where(used, scores, 0.0).sum(axis=-1), used.sum(axis=-1).astype(np.float64))


class Detection(Value):
    """One code of a second coder (or the machine) held against the first's, as counts."""

    both: float
    only_first: float
    only_second: float
    neither: float

    @property
    def precision(self) -> float | None:
        found = self.both + self.only_second
        return self.both / found if found else None

    @property
    def recall(self) -> float | None:
        there = self.both + self.only_first
        return self.both / there if there else None

    @property
    def value(self) -> float | None:
        """F1."""
        given = 2 * self.both + self.only_first + self.only_second
        return 2 * self.both / given if given else None

    @property
    def prevalence(self) -> float | None:
        """Share of units with the code, by the first coder."""
        total = self.both + self.only_first + self.only_second + self.neither
        return (self.both + self.only_first) / total if total else None


def detections(table: Counts) -> tuple[Detection, ...]:
    """One `Detection` a code of a confusion matrix (k, k), rows the first coder."""
    return tuple(
        Detection(both=cells[0][0], only_first=cells[0][1], only_second=cells[1][0], neither=cells[1][1])
        for cells in one_against_rest(table).tolist()
    )

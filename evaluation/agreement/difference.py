"""How far one coder's numbers lie above another's: bias, mean absolute error, limits of agreement.

Limits of agreement: bias ± 1.96 standard deviations of the differences, where 95% of differences are
expected (Bland and Altman 1986, Lancet 327:307-310).
"""

from __future__ import annotations

import math

import numpy as np

from evaluation.agreement.confusion import Counts, divide
from msw_ml.session import Value


class Differences(Value):
    """Second coder less first, as sums over the units that both rated."""

    n: int
    total: float
    squares: float
    absolute: float

    @property
    def value(self) -> float | None:
        """Bias: the mean difference."""
        return self.total / self.n if self.n else None

    @property
    def standard_deviation(self) -> float | None:
        if self.n < 2:
            return None
        return math.sqrt(max(0.0, self.squares - self.total**2 / self.n) / (self.n - 1))

    @property
    def limits(self) -> tuple[float, float] | None:
        """Limits of agreement."""
        spread, bias = self.standard_deviation, self.value
        if spread is None or bias is None:
            return None
        return bias - 1.96 * spread, bias + 1.96 * spread


def differences(first: Counts, second: Counts) -> Differences:
    """Differences of two coders' numbers (units,), NaN missing."""
    apart = (second - first)[~np.isnan(second - first)]
    return Differences(
        n=len(apart), total=float(apart.sum()), squares=float((apart**2).sum()), absolute=float(np.abs(apart).sum())
    )


def unit_counts(first: Counts, second: Counts) -> Counts:
    """What bias and MAE need of each unit, (units, 5); may be summed.

    Columns: rated by both; difference (second less first); absolute; within one point; the same whole number.
    """
    apart = second - first
    rated = ~np.isnan(apart)
    same = np.floor(first + 0.5) == np.floor(second + 0.5)
    columns = [rated, apart, np.abs(apart), np.abs(apart) <= 1.0 + 1e-9, same]
    return np.where(rated[:, None], np.column_stack(columns), 0.0)


def mean_of(sums: Counts, column: int) -> Counts:
    """Mean of a column of `unit_counts` from sums (..., 5): 1 bias, 2 MAE, 3 within one, 4 exact."""
    return divide(sums[..., column], sums[..., 0])

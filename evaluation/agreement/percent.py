"""How often two coders agree, exactly or within one point.

Plain agreement takes no account of chance and rises with the share of the commonest code: it stands
beside the corrected statistics, never in their place.
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide, margins
from msw_ml.session import Value


class PercentAgreement(Value):
    """Agreed of all units that both coded, as a share of 1."""

    agreed: float
    total: float

    @property
    def value(self) -> float | None:
        return self.agreed / self.total if self.total else None


def exact_agreement(table: Counts) -> Counts:
    """Share of units on the diagonal of confusion matrices (..., k, k)."""
    both, _, _, total = margins(table)
    return divide(both.sum(axis=-1), total[..., 0])


def percent(table: Counts) -> PercentAgreement:
    """Agreement in one confusion matrix (k, k)."""
    return PercentAgreement(agreed=float(np.trace(table)), total=float(table.sum()))


def within(first: Counts, second: Counts, points: float) -> PercentAgreement:
    """How many of two coders' ratings lie at most so many points apart; NaN is no rating."""
    apart = np.abs(first - second)
    rated = ~np.isnan(apart)
    return PercentAgreement(agreed=float((apart[rated] <= points + 1e-9).sum()), total=float(rated.sum()))

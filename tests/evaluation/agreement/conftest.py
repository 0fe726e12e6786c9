"""A statistic that reports compute in two ways, for all who test it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evaluation.agreement import alpha, confusion


def _alpha(codes: confusion.Codes, categories: int, level: str = "nominal") -> float:
    if level == "interval":
        numbers = np.where(codes == confusion.MISSING, np.nan, codes)
        return float(alpha.interval_alpha(alpha.moments(numbers).sum(axis=0)))
    return float(alpha.alpha(alpha.coincidences(confusion.tally(codes, categories)).sum(axis=0), level))


@pytest.fixture(scope="session")
def alpha_of() -> Callable[..., float]:
    """As reports compute it: interval data by moments, the others by coincidences."""
    return _alpha

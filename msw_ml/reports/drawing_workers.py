"""Intervals of a group's figures by drawing its workers anew: visits of one worker resemble each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FEW_WORKERS = 10
"""Below this a bootstrap over workers says little (Cameron, Gelbach and Miller 2008): no interval."""
DRAWS, SEED = 2000, 1

Numbers = NDArray[np.float64]


@lru_cache(maxsize=4)
def draw(workers: int) -> Numbers:
    """How often each worker is drawn: (draws + 1, workers). The first row is the data as they are.

    All figures of a group share one array, which is read-only for that reason.
    """
    drawn = np.random.default_rng(SEED).multinomial(workers, np.full(workers, 1 / workers), size=DRAWS)
    times: Numbers = np.vstack([np.ones(workers), drawn])
    times.flags.writeable = False
    return times


def ratios(drawn: Numbers, sums: Numbers) -> Numbers:
    """The figure in every draw; `sums` are numerator and denominator of each worker: (workers, 2)."""
    totals = drawn @ sums
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Numbers = totals[:, 0] / totals[:, 1]
    return found


def interval(values: Numbers, write: Callable[[float], str], workers: int) -> str:
    """The middle 95% of the draws in words, where there are workers enough for it."""
    if workers < FEW_WORKERS:
        return f"no interval: fewer than {FEW_WORKERS} workers"
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{write(float(low))} to {write(float(high))}"


def difference(moved: Numbers, write: Callable[[float], str], workers: int) -> str:
    """A change between two periods in words, and whether it may be chance."""
    if not np.isfinite(moved[0]):
        return "not defined"
    signed = f"{'+' if moved[0] >= 0 else '−'}{write(abs(float(moved[0])))}"
    if workers < FEW_WORKERS:
        return f"{signed}; too few workers to say whether that is more than chance"
    low, high = np.nanpercentile(moved[1:], [2.5, 97.5])
    verdict = "could be chance" if low <= 0 <= high else "more than chance alone would often give"
    return f"{signed} ({verdict})"

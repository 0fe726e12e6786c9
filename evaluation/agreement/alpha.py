"""Krippendorff's alpha: any number of coders, missing codes, nominal, ordinal or interval data.

alpha = 1 - Do/De. Do weighs the coincidences o_cg of codes within units by the squared difference of
the two codes, De those expected from the margins n_c: De = Σ n_c n_g δ²_cg / (n - 1). A unit with m
codes adds each of its ordered pairs with the weight 1/(m - 1); one with a single code adds nothing.
Differences: nominal 0 or 1; interval (v_c - v_g)²; ordinal (Σ from c to g of n_h, less half of both
ends)². Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, University of Pennsylvania;
Krippendorff 2019, Content Analysis, 4th ed., ch. 12 (>= .800 firm, .667 to .800 tentative).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evaluation.agreement.confusion import Counts, divide

Level = Literal["nominal", "ordinal"]


def coincidences(tallies: Counts) -> Counts:
    """Coincidences of codes in each unit, shape (units, k, k), from tallies (units, k); may be summed."""
    coders = tallies.sum(axis=1)
    usable = coders >= 2
    pairs = tallies[:, :, None] * tallies[:, None, :]
    step = np.arange(tallies.shape[1])
    pairs[:, step, step] -= tallies
    return pairs * np.where(usable, 1.0 / np.where(usable, coders - 1.0, 1.0), 0.0)[:, None, None]


def alpha(together: Counts, level: Level = "nominal") -> Counts:
    """Alpha of coincidence matrices (..., k, k); interval data have `interval_alpha`."""
    margins = together.sum(axis=-1)
    total = margins.sum(axis=-1)
    apart = _differences(margins, level)
    observed = (together * apart).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * apart).sum(axis=(-2, -1))
    return 1.0 - divide(observed * (total - 1.0), expected)


def _differences(margins: Counts, level: Level) -> Counts:
    if level == "nominal":
        return 1.0 - np.eye(margins.shape[-1])
    # Σ n_h from c to g less half of n_c and n_g is the distance between the mid-ranks of c and g.
    middle = np.cumsum(margins, axis=-1) - margins / 2.0
    between: Counts = np.square(middle[..., :, None] - middle[..., None, :])
    return between


def moments(ratings: Counts) -> Counts:
    """What interval alpha needs of each unit (units, 4) of ratings (units, coders), NaN missing; may be summed.

    Columns: 2/(m-1) times the unit's sum over pairs of squared differences; number of paired ratings;
    their sum; their sum of squares.
    """
    given = ~np.isnan(ratings)
    coders = given.sum(axis=1).astype(np.float64)
    usable = coders >= 2
    filled = np.where(given, ratings, 0.0)
    total, squares = filled.sum(axis=1), (filled**2).sum(axis=1)
    within = 2.0 * (coders * squares - total**2) / np.where(usable, coders - 1.0, 1.0)
    columns: Counts = np.column_stack([within, coders, total, squares]) * usable[:, None]
    return columns


def interval_alpha(sums: Counts) -> Counts:
    """Interval alpha from sums of `moments`, shape (..., 4); for numbers of any kind, such as tallies."""
    within, count, total, squares = (sums[..., column] for column in range(4))
    expected = 2.0 * (count * squares - total**2)
    varies = np.abs(expected) > 1e-9 * np.maximum(squares, 1.0)
    return 1.0 - divide(within * (count - 1.0), np.where(varies, expected, 0.0))

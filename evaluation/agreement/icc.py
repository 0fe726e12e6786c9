"""The ten intraclass correlations of McGraw and Wong with F-based intervals.

Every unit is rated by the same k coders, or (one-way) by k coders of whom nothing is known. Mean
squares: between units MSR, within units MSW, between coders MSC, residual MSE. Formulas and intervals:
McGraw and Wong 1996, Psychological Methods 1:30-46 (and 1:390), tables 4, 7 and 8; names in brackets by
Shrout and Fleiss 1979, Psychological Bulletin 86:420-428. Random and mixed two-way forms have the same
value and interval; they differ in whether the result speaks of other coders. The average forms of the
mixed model for agreement and consistency suppose no interaction of coder and unit.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evaluation.agreement.confusion import Counts, divide
from msw_ml.session import Value

Model = Literal["one-way random", "two-way random", "two-way mixed"]
Definition = Literal["agreement", "consistency"]
Measures = Literal["single", "average"]


class Form(Value):
    """Which of the ten: model, definition (absolute agreement or consistency), single or average of k."""

    name: str
    model: Model
    definition: Definition
    measures: Measures
    shrout_fleiss: str | None = None


_RANDOM, _MIXED = "two-way random", "two-way mixed"

FORMS = tuple(
    Form.model_validate(dict(zip(Form.model_fields, row, strict=True)))
    for row in (
        ("ICC(1)", "one-way random", "agreement", "single", "ICC(1,1)"),
        ("ICC(k)", "one-way random", "agreement", "average", "ICC(1,k)"),
        ("ICC(C,1)", _RANDOM, "consistency", "single", None),
        ("ICC(C,k)", _RANDOM, "consistency", "average", None),
        ("ICC(A,1)", _RANDOM, "agreement", "single", "ICC(2,1)"),
        ("ICC(A,k)", _RANDOM, "agreement", "average", "ICC(2,k)"),
        ("ICC(C,1)", _MIXED, "consistency", "single", "ICC(3,1)"),
        ("ICC(C,k)", _MIXED, "consistency", "average", "ICC(3,k)"),
        ("ICC(A,1)", _MIXED, "agreement", "single", None),
        ("ICC(A,k)", _MIXED, "agreement", "average", None),
    )
)
"""In the order of McGraw and Wong's table 4."""


class MeanSquares(Value):
    """The two-way analysis of variance of n units by k coders."""

    n: int
    k: int
    units: float
    within: float
    coders: float
    residual: float


class Icc(Value):
    """One form with its interval and the analysis of variance it comes from."""

    form: Form
    squares: MeanSquares
    level: float = 0.95
    value: float | None
    low: float | None
    high: float | None


def unit_sums(ratings: Counts) -> Counts:
    """What the analysis of variance needs of each completely rated unit, (units, 3 + k); may be summed.

    Columns: 1; the squares of the ratings; the square of their sum; the k ratings. Units with a NaN are zeros.
    """
    complete: NDArray[np.bool_] = np.logical_not(np.isnan(ratings).any(axis=1))
    filled = np.where(complete[:, None], ratings, 0.0)
    return np.column_stack([complete, (filled**2).sum(axis=1), filled.sum(axis=1) ** 2, filled])


def variances(sums: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    """MSR, MSW, MSC and MSE from sums of `unit_sums`, shape (..., 3 + k); NaN below two units or coders."""
    n, squares, rows, columns = sums[..., 0], sums[..., 1], sums[..., 2], sums[..., 3:]
    k = float(columns.shape[-1])
    mean = divide(columns.sum(axis=-1) ** 2, n * k)
    between = rows / k - mean
    across = divide((columns**2).sum(axis=-1), n) - mean
    total = squares - mean
    few = (n < 2) | (k < 2)
    freedom = np.where(few, 1.0, n - 1.0)
    msr, msw = between / freedom, divide(total - between, n * (k - 1.0))
    msc, mse = across / max(k - 1.0, 1.0), (total - between - across) / (freedom * max(k - 1.0, 1.0))
    return tuple(np.where(few, np.nan, np.maximum(square, 0.0)) for square in (msr, msw, msc, mse))  # type: ignore[return-value]


def single_agreement(sums: Counts) -> Counts:
    """ICC(A,1) from sums of `unit_sums`: what one coder's score of a new session is worth."""
    msr, _, msc, mse = variances(sums)
    k = sums.shape[-1] - 3.0
    return divide(msr - mse, msr + (k - 1.0) * mse + divide(k * (msc - mse), sums[..., 0]))


def single_consistency(sums: Counts) -> Counts:
    """ICC(C,1) from sums of `unit_sums`: as ICC(A,1), but blind to one coder being more lenient."""
    msr, _, _, mse = variances(sums)
    return divide(msr - mse, msr + (sums.shape[-1] - 4.0) * mse)


def mean_squares(ratings: Counts) -> MeanSquares:
    """The analysis of variance of ratings (units, coders); incomplete units are left out."""
    sums = unit_sums(ratings).sum(axis=0)
    msr, msw, msc, mse = (float(square) for square in variances(sums))
    return MeanSquares(n=int(sums[0]), k=ratings.shape[1], units=msr, within=msw, coders=msc, residual=mse)


def icc(squares: MeanSquares, form: Form, level: float = 0.95) -> Icc:
    """One form; value and interval are `None` where units or ratings do not vary at all."""
    value, low, high = float("nan"), float("nan"), float("nan")
    if squares.n > 1 and squares.k > 1 and squares.units + squares.within > 1e-12:
        value, low, high = _single(squares, form, level)
        if form.measures == "average":
            value, low, high = (spearman_brown(single, squares.k) for single in (value, low, high))
    known = [None if np.isnan(number) else float(number) for number in (value, low, high)]
    return Icc(form=form, squares=squares, level=level, value=known[0], low=known[1], high=known[2])


def forms(ratings: Counts, level: float = 0.95) -> tuple[Icc, ...]:
    """All ten forms of ratings (units, coders)."""
    squares = mean_squares(ratings)
    return tuple(icc(squares, form, level) for form in FORMS)


def spearman_brown(single: float, k: float) -> float:
    """Reliability of the mean of k coders from that of one; k < 1 takes a mean's back to one's.

    NaN where one coder's is so far below zero that a mean's has no meaning.
    """
    below = 1.0 + (k - 1.0) * single
    return k * single / below if below > 1e-12 else float("nan")


def _single(ms: MeanSquares, form: Form, level: float) -> tuple[float, float, float]:
    if form.model == "one-way random":
        return _by_ratio(ms.units, ms.within, ms.n * (ms.k - 1), ms, level)
    if form.definition == "consistency":
        return _by_ratio(ms.units, ms.residual, (ms.n - 1) * (ms.k - 1), ms, level)
    return _agreement(ms, level)


def _by_ratio(above: float, below: float, freedom: int, ms: MeanSquares, level: float) -> tuple[float, float, float]:
    """ICC(1) and ICC(C,1), whose interval follows from one F ratio; a perfect fit has no width."""
    if below < 1e-12:
        return 1.0, 1.0, 1.0
    tail, ratio = (1.0 + level) / 2.0, above / below
    lower = ratio / stats.f.ppf(tail, ms.n - 1, freedom)
    upper = ratio * stats.f.ppf(tail, freedom, ms.n - 1)
    value, low, high = ((f - 1.0) / (f + ms.k - 1.0) for f in (ratio, lower, upper))
    return value, low, high


def _agreement(ms: MeanSquares, level: float) -> tuple[float, float, float]:
    """ICC(A,1) with Satterthwaite's degrees of freedom for the error (McGraw and Wong 1996, table 7)."""
    n, k, msr, msc, mse = ms.n, ms.k, ms.units, ms.coders, ms.residual
    value = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    if mse < 1e-12 and msc < 1e-12:
        return 1.0, 1.0, 1.0
    if value > 1.0 - 1e-12 or msr < 1e-12:
        return value, float("nan"), float("nan")
    a = k * value / (n * (1.0 - value))
    b = 1.0 + k * value * (n - 1) / (n * (1.0 - value))
    freedom = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    tail = (1.0 + level) / 2.0
    lower, upper = stats.f.ppf(tail, n - 1, freedom), stats.f.ppf(tail, freedom, n - 1)
    error = k * msc + (k * n - k - n) * mse
    low = n * (msr - lower * mse) / (lower * error + n * msr)
    return value, low, n * (upper * msr - mse) / (error + n * upper * msr)

"""Fits the session rater: small linear models, every choice made on folds that were not scored.

    standardise → ridge, strength by inner folds → spread → interval by the errors on inner folds

A ridge fitted to few sessions draws everything to the mean, so that a 5 comes out as a 4. `spread` gives
part of the human ratings' spread back: 0 leaves the expected value, 1 matches the spread.

The interval is a split-conformal quantile of absolute errors on folds by group (CV+ without its
per-fold refits; Barber, Candès, Ramdas and Tibshirani 2021, Annals of Statistics 49:486-507), which is
why its coverage is measured on outer folds and not taken for granted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from msw_ml.errors import BadSetting
from msw_ml.rating.features import Floats, Ints
from msw_ml.rating.manner import Manner, shares, tokens
from msw_ml.rating.rater import FAR_OUT, HIGHEST, LOWEST
from msw_ml.session import Value
from training.rated_sessions import SortedSession

Bools = NDArray[np.bool_]

DIGITS = 6
"""Decimals of stored weights: far below what a rating shows, and the same on every machine."""

MOST_STRETCH = 3.0
"""Largest factor by which `spread` may widen what a model says."""


class FitOptions(Value):
    """How the linear models are fitted and checked."""

    alphas: tuple[float, ...] = Field(default=(10.0, 30.0, 100.0, 300.0), min_length=1)
    """Strengths of the ridge to choose from."""
    spread: float = Field(default=0.5, ge=0, le=1)
    coverage: float = Field(default=0.9, gt=0.5, lt=1)
    folds: int = Field(default=10, ge=3)
    seed: int = 1
    is_standardised: bool = True
    counts_for: dict[str, float] = Field(default_factory=dict)
    """Set → what a session of it counts for; 1 where it is not named."""
    emphasis: dict[str, float] = Field(default_factory=dict)
    """Kind of feature → factor on its scale: one that was learned from many other sessions is drawn to
    zero less by the ridge than one that is new."""


class MannerOptions(Value):
    """How the everyday words are weighted."""

    common_share: float = Field(default=0.25, gt=0, le=1)
    """A word takes part if this share of the sorted sessions holds it."""
    inverse_penalty: float = Field(default=10.0, gt=0)
    """`C` of the logistic regression."""


class Fitted(Value):
    """Linear models of all elements on standardised features."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    intercepts: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    half_widths: tuple[float, ...]
    alphas: tuple[float, ...]
    """Strength of each element's ridge."""

    def predict(self, x: Floats) -> Floats:
        """(sessions, features) → (sessions, elements), held to the scale."""
        z = _standard(x, np.array(self.means), np.array(self.scales))
        said: Floats = np.clip(z @ np.array(self.weights).T + np.array(self.intercepts), LOWEST, HIGHEST)
        return said


class CrossFitted:
    """What models say of sessions that they were not fitted on, with their intervals' half widths."""

    def __init__(self, predicted: Floats, half_widths: Floats) -> None:
        self.predicted = predicted
        self.half_widths = half_widths


def fit_manner(sessions: Sequence[SortedSession], options: MannerOptions) -> Manner:
    """Weights of everyday words that tell good from poor sessions."""
    holders: dict[str, int] = {}
    for session in sessions:
        for word in set(tokens(session.worker)):
            holders[word] = holders.get(word, 0) + 1
    words = tuple(sorted(word for word, n in holders.items() if n >= options.common_share * len(sessions)))
    counts = Manner(words=words, weights=(0.0,) * len(words)).count([session.worker for session in sessions])
    model = LogisticRegression(C=options.inverse_penalty, max_iter=2000)
    model.fit(shares(counts), [session.is_good for session in sessions])
    return Manner(words=words, weights=tuple(round(float(weight), 4) for weight in model.coef_[0]))


@dataclass(frozen=True)
class Table:
    """Sessions as arrays: what is fitted on."""

    x: Floats
    """(sessions, features)"""
    y: Floats
    """(sessions, elements), NaN where unrated."""
    groups: Ints
    emphasis: Floats
    """(features)"""
    used: Bools
    """(elements, features): which features each element's model reads."""
    weights: Floats
    """(sessions): what each counts for."""

    @classmethod
    def plain(cls, x: Floats, y: Floats, groups: Ints) -> Table:
        """Every element reads every feature, every session counts alike."""
        used = np.ones((y.shape[1], x.shape[1]), dtype=np.bool_)
        return cls(x, y, groups, np.ones(x.shape[1]), used, np.ones(len(x)))

    def at(self, positions: Ints) -> Table:
        """The sessions at these positions."""
        rows = {name: getattr(self, name)[positions] for name in ("x", "y", "groups", "weights")}
        return replace(self, **rows)


def fit(table: Table, options: FitOptions) -> Fitted:
    """Models of all elements, each with the strength that did best on inner folds."""
    held_out = {alpha: _inner(table, alpha, options) for alpha in options.alphas}
    means, scales = _scales(table.x, options)
    known = _standard(table.x, means, scales) * table.emphasis
    made = [_fit_element(table, known, element, held_out, options) for element in range(table.y.shape[1])]
    return Fitted(
        means=tuple(map(float, means)),
        scales=tuple(map(float, scales)),
        intercepts=tuple(one.intercept for one in made),
        weights=tuple(one.weights for one in made),
        half_widths=tuple(one.half_width for one in made),
        alphas=tuple(one.alpha for one in made),
    )


class _Element(NamedTuple):
    intercept: float
    weights: tuple[float, ...]
    half_width: float
    alpha: float


def _fit_element(
    table: Table, known: Floats, element: int, held_out: Mapping[float, Floats], options: FitOptions
) -> _Element:
    rated = np.isfinite(table.y[:, element])
    y, counts = table.y[rated, element], table.weights[rated]
    alpha = min(held_out, key=lambda a: float(np.average((held_out[a][rated, element] - y) ** 2, weights=counts)))
    inner = held_out[alpha][rated, element]
    model = _ridge(known[rated][:, table.used[element]], y, counts, alpha)
    coefficients = np.zeros(known.shape[1])
    coefficients[table.used[element]] = model.coef_
    stretch, middle = _stretch(inner, y, options.spread)
    centre = float(np.average(y, weights=counts))
    errors = y - np.clip(centre + stretch * (inner - middle), LOWEST, HIGHEST)
    return _Element(
        intercept=centre + stretch * (float(model.intercept_) - middle),
        weights=tuple(map(float, stretch * coefficients * table.emphasis)),
        half_width=conformal_quantile(np.abs(errors), options.coverage),
        alpha=alpha,
    )


def cross_fit(table: Table, options: FitOptions) -> CrossFitted:
    """Every session predicted by models that were fitted, with all their choices, on other groups."""
    predicted, widths = np.full(table.y.shape, np.nan), np.full(table.y.shape, np.nan)
    for train, test in folds(table.groups, options):
        fitted = fit(table.at(train), options)
        predicted[test] = fitted.predict(table.x[test])
        widths[test] = np.array(fitted.half_widths)
    return CrossFitted(predicted, widths)


def folds(groups: Ints, options: FitOptions) -> list[tuple[Ints, Ints]]:
    """Train and test positions; a group is never on both sides. Raises `BadSetting`."""
    count = len(np.unique(groups))
    if count < options.folds:
        raise BadSetting(f"{count} independent sessions cannot make {options.folds} folds; lower `folds` or add data")
    return group_folds(groups, options.folds, options.seed)


def group_folds(groups: Ints, count: int, seed: int) -> list[tuple[Ints, Ints]]:
    """Train and test positions of `count` folds, a group never on both sides; there must be as many groups."""
    split = GroupKFold(count, shuffle=True, random_state=seed)
    return [(train, test) for train, test in split.split(groups, groups=groups)]


def conformal_quantile(errors: Floats, coverage: float) -> float:
    """The absolute error that a new session stays within with probability `coverage`.

    The ⌈(n + 1) · coverage⌉-th smallest of n; the whole scale where n is too small for it.
    """
    rank = math.ceil((len(errors) + 1) * coverage)
    return float(np.sort(errors)[rank - 1]) if rank <= len(errors) else HIGHEST - LOWEST


def _inner(table: Table, alpha: float, options: FitOptions) -> Floats:
    predicted = np.full(table.y.shape, np.nan)
    for train, test in folds(table.groups, options):
        means, scales = _scales(table.x[train], options)
        known, new = (_standard(table.x[part], means, scales) * table.emphasis for part in (train, test))
        for element in range(table.y.shape[1]):
            y = table.y[train, element]
            rated, used = np.isfinite(y), table.used[element]
            model = _ridge(known[rated][:, used], y[rated], table.weights[train][rated], alpha)
            predicted[test, element] = model.predict(new[:, used])
    return predicted


def _ridge(x: Floats, y: Floats, weights: Floats, alpha: float) -> Ridge:
    return Ridge(alpha=alpha, solver="cholesky").fit(x, y, sample_weight=weights)


def _stretch(predicted: Floats, y: Floats, spread: float) -> tuple[float, float]:
    """Factor that widens predictions, and the middle that it leaves in place."""
    said = float(predicted.std())
    ratio = float(y.std()) / said if said > 1e-6 else 1.0
    return float(np.clip(ratio**spread, 1.0, MOST_STRETCH)), float(predicted.mean())


def _scales(x: Floats, options: FitOptions) -> tuple[Floats, Floats]:
    if not options.is_standardised:
        return np.zeros(x.shape[1]), np.ones(x.shape[1])
    spread: Floats = x.std(axis=0)
    return x.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _standard(x: Floats, means: Floats, scales: Floats) -> Floats:
    standard: Floats = np.clip((x - means) / scales, -FAR_OUT, FAR_OUT)
    return standard

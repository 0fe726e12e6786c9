"""Fine-tunes a rater: what own coders say beyond it, learned as a linear correction.

    own rating - what the rater says  →  ridge on the features that the element's model reads, strength by inner folds

A correction on the rater's own features is a change of its weights, so that the result is one linear model
again. The stronger the ridge, the closer to the rater as it was; at infinite strength only its level moves.
To change nothing is among the choices too, and the least change wins that is no more than a standard error
behind the best on the inner folds (Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning,
7.10): coders who rate as the rater does already must not make it worse.
Folds are by group (worker): no figure comes from a model that knows the group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import Ridge

from msw_ml.rating.features import Floats, Ints
from msw_ml.rating.rater import HIGHEST, LOWEST
from training.elements_fit import conformal_quantile, group_folds

UNCHANGED = None
STRENGTHS = (UNCHANGED, math.inf, 1000.0, 300.0, 100.0, 30.0, 10.0)
"""Of the ridge, what changes the rater least first."""

FOLDS = 10
LEAST_GROUPS = 3
"""Outer folds leave a group out, inner folds another, and something must be left to learn from."""

SEED = 1


@dataclass(frozen=True)
class ElementTable:
    """The sessions in which one element was rated."""

    z: Floats
    """(sessions, features) standardised and held as the rater does, of the features that it reads."""
    before: Floats
    """(sessions): what the rater says, not held to the scale."""
    y: Floats
    """(sessions): what the coders say."""
    groups: Ints

    def at(self, rows: Ints) -> ElementTable:
        """The sessions at these positions."""
        return ElementTable(self.z[rows], self.before[rows], self.y[rows], self.groups[rows])


class Correction(NamedTuple):
    """What is added to a model of an element."""

    level: float
    weights: Floats
    """(features)"""
    strength: float | None
    """`UNCHANGED` where nothing is added."""

    def predict(self, table: ElementTable) -> Floats:
        """Corrected ratings (sessions), held to the scale."""
        said: Floats = np.clip(table.before + self.level + table.z @ self.weights, LOWEST, HIGHEST)
        return said


class Crossed(NamedTuple):
    """What was said of sessions whose group was not learned from."""

    predicted: Floats
    half_widths: Floats
    medians: Floats
    """Medians of the sessions that were learned from: the baseline."""


def correct(table: ElementTable) -> Correction:
    """The correction with the strength that did best on folds by group."""
    return _fit(table, _strength(table)[0])


def cross_correct(table: ElementTable, coverage: float) -> Crossed:
    """Every session by a correction that was learned, with all its choices, from other groups."""
    found = Crossed(*(np.full(len(table.y), np.nan) for _ in range(3)))
    for train, test in splits(table.groups):
        known = table.at(train)
        strength, inner = _strength(known)
        found.predicted[test] = _fit(known, strength).predict(table.at(test))
        found.half_widths[test] = conformal_quantile(np.abs(inner - known.y), coverage)
        found.medians[test] = np.median(known.y)
    return found


def splits(groups: Ints) -> list[tuple[Ints, Ints]]:
    """Train and test positions, a group never on both sides; needs two groups."""
    return group_folds(groups, min(FOLDS, len(np.unique(groups))), SEED)


def _strength(table: ElementTable) -> tuple[float | None, Floats]:
    """The chosen strength, and what its corrections say of sessions whose group they do not know."""
    folds = splits(table.groups)
    held_out = [_held_out(table, strength, folds) for strength in STRENGTHS]
    errors = [(said - table.y) ** 2 for said in held_out]
    best = min(errors, key=lambda error: round(float(error.mean()), 9))
    chosen = next(number for number, error in enumerate(errors) if _is_as_good(error - best))
    return STRENGTHS[chosen], held_out[chosen]


def _is_as_good(more: Floats) -> bool:
    """Whether errors are on average no more than a standard error larger."""
    return float(more.mean()) <= float(more.std(ddof=1)) / math.sqrt(len(more)) + 1e-9


def _held_out(table: ElementTable, strength: float | None, folds: Sequence[tuple[Ints, Ints]]) -> Floats:
    predicted = np.full(len(table.y), np.nan)
    for train, test in folds:
        predicted[test] = _fit(table.at(train), strength).predict(table.at(test))
    return predicted


def _fit(table: ElementTable, strength: float | None) -> Correction:
    rest = table.y - table.before
    if strength is UNCHANGED:
        return Correction(0.0, np.zeros(table.z.shape[1]), UNCHANGED)
    if math.isinf(strength):
        return Correction(float(rest.mean()), np.zeros(table.z.shape[1]), strength)
    model = Ridge(alpha=strength, solver="cholesky").fit(table.z, rest)
    return Correction(float(model.intercept_), np.asarray(model.coef_, dtype=np.float64), strength)

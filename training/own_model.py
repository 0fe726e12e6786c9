"""A rater and own visits → the fine-tuned model, and what it says of visits whose worker it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from msw_ml.codebook import Codebook
from msw_ml.rating.features import Floats, Ints, feature_row
from msw_ml.rating.rater import FAR_OUT, HIGHEST, LOWEST, BundleRater, ElementModel, SessionModel
from msw_ml.rating.release import MINIMUM_SESSIONS
from training.elements_fit import DIGITS, conformal_quantile
from training.own_data import OwnVisits
from training.own_fit import LEAST_GROUPS, UNCHANGED, Correction, Crossed, ElementTable, correct, cross_correct

LEAST_WIDTH = 0.01
"""Rating points; an interval of no width would say that the rater cannot err."""


class Tuned(NamedTuple):
    """What was learned of one element."""

    rows: Ints
    """The sessions it was learned from."""
    correction: Correction
    crossed: Crossed


@dataclass(frozen=True)
class Tuning:
    """What was learned, and what every way of rating says; arrays are (sessions, elements of the rater)."""

    own: OwnVisits
    before: SessionModel
    model: SessionModel
    """Fine-tuned."""
    tuned: tuple[Tuned | None, ...]
    """One an element; `None` where too few sessions were rated and the model stays as it was."""
    y: Floats
    """What the coders say, NaN where unrated."""
    said_before: Floats

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(one.element for one in self.model.elements)

    def crossed(self, field: str) -> Floats:
        """A field of `Crossed` for all sessions and elements, NaN where nothing was learned."""
        found = np.full(self.y.shape, np.nan)
        for number, one in enumerate(self.tuned):
            if one is not None:
                found[one.rows, number] = getattr(one.crossed, field)
        return found


def tune(own: OwnVisits, rater: BundleRater, codebook: Codebook) -> Tuning:
    """Fine-tunes every element that enough own sessions were rated on. Raises what reading marks raises."""
    model = rater.model
    rows = feature_rows(own, rater, codebook)
    z = np.clip(np.array([model.standardise(row) for row in rows]), -FAR_OUT, FAR_OUT)
    before = np.array([model.ratings(row) for row in rows])
    y = own.of_elements([one.element for one in model.elements])
    tuned: list[Tuned | None] = []
    for number, one in enumerate(model.elements):
        table = ElementTable(z[:, _used(one)], before[:, number], y[:, number], own.groups)
        tuned.append(_tune(table, model.coverage))
    made = [
        one if t is None else _corrected(one, t, own, model.coverage)
        for one, t in zip(model.elements, tuned, strict=True)
    ]
    return Tuning(
        own=own,
        before=model,
        model=model.model_copy(update={"elements": tuple(made)}),
        tuned=tuple(tuned),
        y=y,
        said_before=np.clip(before, LOWEST, HIGHEST),
    )


def feature_rows(own: OwnVisits, rater: BundleRater, codebook: Codebook) -> list[Floats]:
    """What the rater reads of each session, marks included."""
    model = rater.model
    talks = [rater.talk(session.utterances) for session in own.sessions]
    return [feature_row(talk, model.features, codebook, model.manner) for talk in talks]


def _used(one: ElementModel) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The features that an element's model reads: a correction must not bring in what it was kept from."""
    used: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.array(one.weights) != 0
    return used


def _tune(every: ElementTable, coverage: float) -> Tuned | None:
    rows = np.flatnonzero(np.isfinite(every.y))
    table = every.at(rows)
    if len(rows) < MINIMUM_SESSIONS or len(np.unique(table.groups)) < LEAST_GROUPS:
        return None
    return Tuned(rows, correct(table), cross_correct(table, coverage))


def _corrected(one: ElementModel, tuned: Tuned, own: OwnVisits, coverage: float) -> ElementModel:
    """The correction folded into the weights; the interval is that of workers who were not learned from."""
    weights = np.array(one.weights)
    weights[_used(one)] += tuned.correction.weights
    number = own.elements.index(one.element)
    errors = np.abs(tuned.crossed.predicted - own.y[tuned.rows, number])
    coders = int(np.isfinite(own.given[tuned.rows, number]).any(axis=0).sum())
    by = f"{len(tuned.rows)} own sessions, rated by {coders} {'coders' if coders > 1 else 'coder'}"
    width = max(round(conformal_quantile(errors, coverage), DIGITS), LEAST_WIDTH)
    if tuned.correction.strength is UNCHANGED:
        source = f"{one.learned_from} (its interval from {by})"
        return one.model_copy(update={"half_width": width, "learned_from": source})
    return ElementModel(
        element=one.element,
        intercept=round(one.intercept + tuned.correction.level, DIGITS),
        weights=tuple(round(float(weight), DIGITS) for weight in weights),
        half_width=width,
        sessions=one.sessions + len(tuned.rows),
        learned_from=f"{by}, and before that from {one.learned_from}",
    )

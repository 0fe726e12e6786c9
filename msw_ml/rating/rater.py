"""Rates a coded session on the elements of practice skill.

The bundle (`session_rater`) is a linear model on shares of talk: of what the behaviour coder coded, and of
marks that the bundle reads itself. It is small because the rated sessions that exist are few, and so that
every rating can be traced to utterances. It rates the elements it was trained on; of the others it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from msw_ml import bundle as bundles
from msw_ml.codebook import Codebook, Element
from msw_ml.errors import ModelNotFound, RatingFailed
from msw_ml.rating.evidence import find_evidence
from msw_ml.rating.features import Floats, Talk, feature_row, read_talk
from msw_ml.rating.limits import Limits, obstacle
from msw_ml.rating.manner import Manner
from msw_ml.rating.marks import Mark, MarkReader
from msw_ml.session import CodedUtterance, Evidence, Measure, Quality, Rating, RatingStatus, RoleChoice, Value

WEIGHTS = "rater.json"
"""The bundle's file that holds `SessionModel`."""

LOWEST, HIGHEST = 1.0, 5.0

FAR_OUT = 3.0
"""Standard deviations of the training sessions; a feature beyond is taken as lying there and is reported."""

NO_MODEL = (
    "Withheld: the rater in use has not learned this element. Rate it by hand against its anchors; "
    "`msw sheet` writes a sheet for it."
)


class Rater(Protocol):
    """Rates every element of its codebook, in the codebook's order; raises `RatingFailed`, nothing else.

    An element that it cannot rate comes back `withheld` with the reason, never left out. It gives
    `indicative` at most: only a release file releases. The same session gives the same ratings.
    """

    @property
    def label(self) -> str:
        """Engine and fingerprint, for provenance."""

    def rate(
        self, coded: Sequence[CodedUtterance], measures: Sequence[Measure], quality: Quality, roles: RoleChoice
    ) -> list[Rating]: ...


class ElementModel(Value):
    """A linear model of one element on standardised features."""

    element: str
    intercept: float
    weights: tuple[float, ...]
    half_width: float = Field(gt=0)
    """The interval's, in rating points: a conformal quantile of errors on sessions not trained on."""
    sessions: int = Field(gt=0)
    learned_from: str
    """What the sessions were, to follow "Learned from": "90 public demonstrations …"."""


class SessionModel(Value):
    """Everything that a rating is computed from: the content of `rater.json`."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    elements: tuple[ElementModel, ...]
    coverage: float = Field(gt=0, lt=1)
    manner: Manner
    limits: Limits
    marks: tuple[Mark, ...] = ()
    """What the bundle reads in utterances besides their codes; none where it carries no `MarkReader`."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        lengths = {len(self.means), len(self.scales), *(len(model.weights) for model in self.elements)}
        if lengths != {len(self.features)}:
            raise ValueError(f"{len(self.features)} features, but means, scales or weights of other lengths")
        return self

    def standardise(self, row: Floats) -> Floats:
        means, scales = np.array(self.means, dtype=np.float64), np.array(self.scales, dtype=np.float64)
        standard: Floats = (row - means) / scales
        return standard

    def ratings(self, row: Floats, reach: float = FAR_OUT) -> Floats:
        """Ratings (elements,) of a session's features, not yet held to 1 to 5.

        Features further out than `reach` count as lying there.
        """
        weights = np.array([model.weights for model in self.elements])
        intercepts = np.array([model.intercept for model in self.elements])
        rated: Floats = intercepts + weights @ np.clip(self.standardise(row), -reach, reach)
        return rated


class BundleRater:
    """The rater that a bundle holds. Its files are checked and read at first use.

    Reading them raises `ModelNotFound`, `WrongHash` or `CodebookMismatch`; ask for `label` early.
    """

    def __init__(self, path: Path, codebook: Codebook) -> None:
        self._path = path
        self._codebook = codebook

    @cached_property
    def _bundle(self) -> bundles.Bundle:
        return bundles.load(self._path, "session_rater", self._codebook.key)

    @cached_property
    def model(self) -> SessionModel:
        """What the bundle's weights say."""
        return read_model(self._bundle)

    @property
    def label(self) -> str:
        return self._bundle.label

    def rate(
        self,
        coded: Sequence[CodedUtterance],
        measures: Sequence[Measure],  # noqa: ARG002 - other raters may read them
        quality: Quality,
        roles: RoleChoice,
    ) -> list[Rating]:
        """`measures` are part of the interface; this rater reads shares that no zero denominator leaves undefined."""
        talk = self._unmarked(coded)
        why_not = obstacle(coded, roles, quality, talk, self.model.limits)
        if why_not is not None:
            modelled = {one.element for one in self.model.elements}
            return [_withheld(e, why_not if e.id in modelled else NO_MODEL) for e in self._codebook.elements]
        rated = self._rated(self._with_marks(talk, coded))
        return [rated.get(element.id) or _withheld(element, NO_MODEL) for element in self._codebook.elements]

    def talk(self, coded: Sequence[CodedUtterance]) -> Talk:
        """A session as the rater reads it. Raises `RatingFailed`."""
        return self._with_marks(self._unmarked(coded), coded)

    def obstacle(self, coded: Sequence[CodedUtterance], quality: Quality, roles: RoleChoice) -> str | None:
        """Why it would not rate a session, as a sentence; `None`: it would."""
        return obstacle(coded, roles, quality, self._unmarked(coded), self.model.limits)

    def _unmarked(self, coded: Sequence[CodedUtterance]) -> Talk:
        return read_talk(coded, self._codebook, self.model.manner)

    def _with_marks(self, talk: Talk, coded: Sequence[CodedUtterance]) -> Talk:
        if not self.model.marks:
            return talk
        return talk.with_marks([mark.id for mark in self.model.marks], self._marks.read(coded))

    @cached_property
    def _marks(self) -> MarkReader:
        return MarkReader(self._bundle, self.model.marks)

    def _rated(self, talk: Talk) -> dict[str, Rating]:
        model = self.model
        row = feature_row(talk, model.features, self._codebook, model.manner)
        values = model.ratings(row)
        if not np.isfinite(values).all():
            raise RatingFailed("the session's features are not numbers; code it anew, and report this if it recurs")
        evidence = find_evidence(talk, self._unlimited)
        note = _far_out(model, row)
        return {
            one.element: _rating(one, float(value), found, model, note)
            for one, value, found in zip(model.elements, values, evidence, strict=True)
        }

    def _unlimited(self, talk: Talk) -> Floats:
        """Ratings that features far out still move: else a session far out would have no evidence."""
        model = self.model
        return model.ratings(feature_row(talk, model.features, self._codebook, model.manner), reach=np.inf)


def read_model(bundle: bundles.Bundle) -> SessionModel:
    """The model in a bundle of kind `session_rater`. Raises `ModelNotFound`."""
    try:
        return SessionModel.model_validate_json(bundle.file(WEIGHTS).read_bytes())
    except ValidationError as error:
        where = bundle.path / WEIGHTS
        raise ModelNotFound(f"{where} is no session model: {error.errors()[0]['msg']}; train it anew") from error


def _rating(one: ElementModel, value: float, evidence: tuple[Evidence, ...], model: SessionModel, note: str) -> Rating:
    low, value, high = (_on_scale(value + step) for step in (-one.half_width, 0.0, one.half_width))
    reason = f"Learned from {one.learned_from}; not validated for Motivational Social Work.{note}"
    return Rating(
        element=one.element,
        status=RatingStatus.INDICATIVE,
        value=value,
        low=low,
        high=high,
        coverage=model.coverage,
        reason=reason,
        evidence=evidence,
    )


def _withheld(element: Element, reason: str) -> Rating:
    return Rating(element=element.id, status=RatingStatus.WITHHELD, reason=reason)


def _on_scale(value: float) -> float:
    return round(min(max(value, LOWEST), HIGHEST), 2)


def _far_out(model: SessionModel, row: Floats) -> str:
    count = int((np.abs(model.standardise(row)) > FAR_OUT).sum())
    if not count:
        return ""
    return (
        f" {count} of the {len(row)} figures it reads lie far outside the sessions it learned from, "
        "so the interval may be too narrow."
    )

"""Measures on held-out predictions what the coder applies: temperature, weights, prediction sets, confusion.

Figures of the card use parameters that were fitted without the fold they are applied to (`decide_apart`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from scipy.optimize import minimize_scalar

from evaluation.agreement.confusion import confusion
from evaluation.agreement.detection import macro_f1
from msw_ml.codebook.book import Codebook
from msw_ml.coding.decisions import ALSO, CODES, CoderParameters, Decider, SideParameters
from msw_ml.session import Role, Utterance, Value
from msw_ml.text.packing import Window
from training.heldout import HeldOut

STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Powers of a parent's rarity that are tried as its weight."""


class CalibrationOptions(Value):
    """What the user of a coder may count on."""

    coverage: float = Field(default=0.8, gt=0, lt=1)
    """Share of utterances whose parent code the prediction set is to hold."""
    also: float = Field(default=0.5, gt=0, lt=1)


@dataclass(frozen=True)
class Given:
    """What the recipe says and the coder has to know."""

    window: Window
    words_weight: float


@dataclass(frozen=True)
class Decided:
    """What the coder says of each held-out unit, row by row."""

    codes: NDArray[np.str_]
    parents: NDArray[np.str_]
    confidence: NDArray[np.float64]
    withheld: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    """Whether the prediction set held the true parent code."""


@dataclass(frozen=True)
class Scheme:
    """The codebook and the network's outputs, which belong together."""

    codebook: Codebook
    codes: tuple[str, ...]
    also: tuple[str, ...]

    @property
    def sides(self) -> tuple[Role, ...]:
        return tuple(role for role in Role if self.codebook.is_coded(role))

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        return {CODES: self.codes, ALSO: self.also}

    def columns(self, parent: str) -> list[int]:
        """Outputs that fold into a parent."""
        return [place for place, code in enumerate(self.codes) if self.codebook.parent_of(code) == parent]

    def parent_probabilities(self, held: HeldOut, side: Role, temperature: float) -> NDArray[np.float64]:
        """(n, the side's parents) of units of one side."""
        logits = held.logits / temperature
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        parents = self.codebook.parent_codes(side)
        return np.stack([shares[:, self.columns(parent)].sum(axis=1) for parent in parents], axis=1)


def calibrate(held: HeldOut, scheme: Scheme, options: CalibrationOptions, given: Given) -> CoderParameters:
    """Parameters from held-out predictions of all sets."""
    sides = {side: _side(held.of_side(side), scheme, side, options) for side in scheme.sides}
    return CoderParameters(
        window=given.window,
        words_weight=given.words_weight,
        coverage=options.coverage,
        also=options.also,
        sides=sides,
    )


def decide(held: HeldOut, scheme: Scheme, parameters: CoderParameters) -> Decided:
    """Codes held-out units as the shipped coder does."""
    decider = Decider(scheme.codebook, scheme.labels, parameters)
    coded = [
        decider.decide(
            Utterance(id=row, speaker=str(held.sides[row]), text="", role=Role(str(held.sides[row]))),
            held.logits[row].astype(np.float32),
            held.also[row].astype(np.float32),
        )
        for row in range(len(held))
    ]
    of_truth = [
        sum(p for code, p in one.probabilities.items() if scheme.codebook.parent_of(code) == parent)
        for one, parent in zip(coded, held.parents(scheme.codebook), strict=True)
    ]
    least = [parameters.sides[one.utterance.role].least for one in coded]
    return Decided(
        codes=np.array([one.code for one in coded]),
        parents=np.array([one.parent_code for one in coded]),
        confidence=np.array([one.confidence for one in coded]),
        withheld=np.array([one.withheld for one in coded]),
        covered=np.array(of_truth) >= np.array(least),
    )


def decide_apart(
    held: HeldOut, scheme: Scheme, options: CalibrationOptions, given: Given, by_people: NDArray[np.bool_]
) -> Decided:
    """As `decide`, each fold with parameters measured on the other folds' units that people labelled."""
    parts, places = [], []
    for fold in np.unique(held.folds):
        inside = held.folds == fold
        parameters = calibrate(held.where(~inside & by_people), scheme, options, given)
        parts.append(decide(held.where(inside), scheme, parameters))
        places.append(np.flatnonzero(inside))
    order = np.argsort(np.concatenate(places))
    joined = {name: np.concatenate([vars(part)[name] for part in parts])[order] for name in vars(parts[0])}
    return Decided(**joined)


def confusions(held: HeldOut, decided: Decided, scheme: Scheme) -> dict[str, JsonValue]:
    """Held-out confusion by side, rows true and columns predicted: of codes where known, and of parents."""
    fine: dict[str, JsonValue] = {}
    parents: dict[str, JsonValue] = {}
    truth = held.parents(scheme.codebook)
    known = np.array([len(codes) == 1 for codes in held.codes])
    exact = np.array([codes[0] for codes in held.codes])
    for side in scheme.sides:
        own = held.sides == side.value
        fine[side.value] = _table(exact[own & known], decided.codes[own & known], scheme.codebook.codes(side))
        parents[side.value] = _table(truth[own], decided.parents[own], scheme.codebook.parent_codes(side))
    return {"confusion": fine, "confusion_parent": parents}


def _table(truth: NDArray[np.str_], given: NDArray[np.str_], labels: Sequence[str]) -> dict[str, JsonValue]:
    matrix = [[int(((truth == one) & (given == other)).sum()) for other in labels] for one in labels]
    return {"labels": list(labels), "matrix": [list(row) for row in matrix]}


def _side(held: HeldOut, scheme: Scheme, side: Role, options: CalibrationOptions) -> SideParameters:
    parents = scheme.codebook.parent_codes(side)
    truth = np.array([parents.index(parent) for parent in held.parents(scheme.codebook)])
    temperature = _temperature(held, scheme, side, truth)
    shares = scheme.parent_probabilities(held, side, temperature)
    code_weights: dict[str, float] = {}
    for parent in parents:
        code_weights |= _code_weights(held, scheme, parent, temperature)
    return SideParameters(
        temperature=round(temperature, 4),
        weights=dict(zip(parents, _weights(shares, truth).tolist(), strict=True)),
        code_weights=code_weights,
        least=_least(shares, truth, options.coverage),
    )


def _code_weights(held: HeldOut, scheme: Scheme, parent: str, temperature: float) -> dict[str, float]:
    """Weights of a parent's codes, from the units of that parent whose label is one code.

    Codes without any label weigh 1: nothing is known of them.
    """
    columns = scheme.columns(parent)
    codes = [scheme.codes[place] for place in columns]
    known = np.array([len(own) == 1 and own[0] in codes for own in held.codes])
    truth = np.array([codes.index(own[0]) for own, is_known in zip(held.codes, known, strict=True) if is_known])
    present = np.unique(truth)
    weights = np.ones(len(codes))
    if len(present) > 1:
        logits = held.logits[known][:, [columns[place] for place in present]] / temperature
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights[present] = _weights(shares / shares.sum(axis=1, keepdims=True), np.searchsorted(present, truth))
    return dict(zip(codes, weights.tolist(), strict=True))


def _temperature(held: HeldOut, scheme: Scheme, side: Role, truth: NDArray[np.int64]) -> float:
    """The one that makes the true parents most likely."""

    def missed(log_temperature: float) -> float:
        shares = scheme.parent_probabilities(held, side, float(np.exp(log_temperature)))
        return float(-np.log(shares[np.arange(len(truth)), truth] + 1e-12).mean())

    return float(np.exp(minimize_scalar(missed, bounds=(-1.5, 1.5), method="bounded").x))


def _weights(shares: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rarity to the power that gives the best macro-F1: one number a side, so that little can be overfitted."""
    kinds = shares.shape[1]
    rarity = len(truth) / kinds / np.bincount(truth, minlength=kinds).clip(min=1)
    nothing = np.zeros(len(truth), dtype=np.int64)

    def quality(power: float) -> float:
        given = (shares * rarity**power).argmax(axis=1)
        return float(macro_f1(confusion(truth, given, kinds, nothing, 1))[0])

    best = max(STEPS, key=lambda power: (quality(power), -power))
    chosen: NDArray[np.float64] = (rarity**best).round(4)
    return chosen


def _least(shares: NDArray[np.float64], truth: NDArray[np.int64], coverage: float) -> float:
    """Split conformal, least ambiguous sets: the level that holds the true code with the stated coverage.

    Sadinle, Lei and Wasserman 2019; the quantile with its small-sample correction, as MAPIE computes it.
    """
    scores = np.sort(1 - shares[np.arange(len(truth)), truth])
    rank = min(len(scores), int(np.ceil((len(scores) + 1) * coverage)))
    return round(float(1 - scores[rank - 1]), 4)

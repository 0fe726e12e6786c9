"""What is measured on held-out predictions: temperature, prediction sets, weights, confusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from msw_ml.codebook import book
from msw_ml.session import Role
from msw_ml.text.packing import Window
from training import heldout
from training.calibrate import (
    CalibrationOptions,
    Given,
    Scheme,
    calibrate,
    confusions,
    decide,
    decide_apart,
)
from training.examples import Codes
from training.figures import coding_figures
from training.heldout import HeldOut

CODEBOOK = book.load()
CODES = Codes.of(CODEBOOK)
SCHEME = Scheme(CODEBOOK, CODES.ids, CODES.also)
GIVEN = Given(window=Window(), words_weight=0.0)


def drawn(units: int, sharpness: float = 1.0, seed: int = 5) -> HeldOut:
    """Units whose labels are drawn from the softmax of their logits; logits are then made sharper."""
    rng = np.random.default_rng(seed)
    sides = np.where(np.arange(units) % 2 == 0, Role.WORKER.value, Role.PARENT.value)
    masks = np.array([CODES.mask(Role(side)) for side in sides])
    logits = np.where(masks, rng.normal(scale=2.0, size=masks.shape), -np.inf)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = [CODES.ids[rng.choice(len(row), p=row)] for row in shares]
    return HeldOut(
        corpora=np.full(units, "tiny"),
        sessions=np.array([str(row // 40) for row in range(units)]),
        units=np.array([str(row) for row in range(units)]),
        groups=np.arange(units) // 40,
        folds=(np.arange(units) // 40) % 5,
        sides=sides,
        words=np.full(units, 5),
        codes=tuple((label,) for label in labels),
        logits=logits * sharpness,
        also=np.zeros((units, len(CODES.also))),
    )


def everyone(units: int) -> NDArray[np.bool_]:
    """All units as labelled by people."""
    return np.ones(units, dtype=np.bool_)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_how_sharp_the_logits_are(sharpness: float) -> None:
    """Protects calibrated probabilities."""
    parameters = calibrate(drawn(6000, sharpness), SCHEME, CalibrationOptions(), GIVEN)
    for side in parameters.sides.values():
        assert side.temperature == pytest.approx(sharpness, rel=0.12)


@pytest.mark.parametrize("coverage", [0.6, 0.8, 0.9])
def test_prediction_sets_hold_the_truth_as_often_as_stated(coverage: float) -> None:
    """Protects `withheld`: coverage on folds that the level was not measured on."""
    decided = decide_apart(drawn(6000), SCHEME, CalibrationOptions(coverage=coverage), GIVEN, everyone(6000))
    assert decided.covered.mean() == pytest.approx(coverage, abs=0.03)


def test_folds_are_decided_without_their_own_labels() -> None:
    """Protects the card from figures that were tuned on what they measure."""
    held = drawn(2000)
    first = held.folds == 0
    wrong = tuple(("other",) if is_first and len(c) else c for is_first, c in zip(first, held.codes, strict=True))
    codes = tuple(
        new if side == Role.WORKER.value else old for new, old, side in zip(wrong, held.codes, held.sides, strict=True)
    )
    changed = replace(held, codes=codes)
    one = decide_apart(held, SCHEME, CalibrationOptions(), GIVEN, everyone(len(held)))
    two = decide_apart(changed, SCHEME, CalibrationOptions(), GIVEN, everyone(len(held)))
    assert (one.codes[first] == two.codes[first]).all()


def test_labels_of_a_machine_calibrate_nothing() -> None:
    """Protects probabilities and sets from labels that no person gave: they may be as wrong as they like."""
    held = drawn(2000)
    by_people = np.arange(2000) % 4 < 2
    wrong = tuple(
        c if human else ("other",) if side == Role.WORKER.value else ("neutral",)
        for c, side, human in zip(held.codes, held.sides, by_people, strict=True)
    )
    one = decide_apart(held, SCHEME, CalibrationOptions(), GIVEN, by_people)
    two = decide_apart(replace(held, codes=wrong), SCHEME, CalibrationOptions(), GIVEN, by_people)
    assert (one.codes == two.codes).all()
    assert (one.withheld == two.withheld).all()


def test_confusion_counts_every_unit_once_rows_true() -> None:
    """Protects the intervals of counts, which are made from these tables."""
    held = drawn(800)
    decided = decide(held, SCHEME, calibrate(held, SCHEME, CalibrationOptions(), GIVEN))
    tables = confusions(held, decided, SCHEME)
    for name, labels in (("confusion", CODEBOOK.codes), ("confusion_parent", CODEBOOK.parent_codes)):
        for side in (Role.WORKER, Role.PARENT):
            table = tables[name][side.value]
            assert tuple(table["labels"]) == labels(side)
            assert np.sum(table["matrix"]) == 400
    truth = held.parents(CODEBOOK)[held.sides == Role.WORKER.value]
    rows = np.sum(tables["confusion_parent"]["worker"]["matrix"], axis=1)
    assert rows.tolist() == [int((truth == parent).sum()) for parent in CODEBOOK.parent_codes(Role.WORKER)]


def test_held_out_predictions_survive_their_file_and_give_the_same_figures() -> None:
    """Protects `msw evaluate`: what the bundle carries is enough for every figure."""
    held = drawn(800)
    held = replace(held, logits=np.round(held.logits, 3))
    read = heldout.read(heldout.write(held, CODES.ids, CODES.also), CODES.ids, CODES.also)
    figures = [
        coding_figures(one, decide_apart(one, SCHEME, CalibrationOptions(), GIVEN, everyone(len(one))), SCHEME, "tiny")
        for one in (held, read)
    ]
    assert figures[0] == figures[1]

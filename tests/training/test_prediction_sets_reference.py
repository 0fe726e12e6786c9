"""Prediction sets are split conformal: the level is the one that MAPIE finds on the same calibration data."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mapie", reason="needs the extra train")


@pytest.mark.parametrize(("units", "coverage"), [(40, 0.8), (199, 0.9), (500, 0.8)])
def test_the_level_is_that_of_mapie(units: int, coverage: float) -> None:
    """A wrong quantile would promise a coverage that unseen sessions do not have."""
    from mapie.classification import SplitConformalClassifier
    from sklearn.linear_model import LogisticRegression

    from training.calibrate import _least

    rng = np.random.default_rng(units)
    truth = rng.integers(3, size=units)
    features = np.eye(3)[truth] + rng.normal(scale=0.9, size=(units, 3))
    model = LogisticRegression().fit(features, truth)
    reference = SplitConformalClassifier(model, confidence_level=coverage, conformity_score="lac", prefit=True)
    reference.conformalize(features, truth)
    new = rng.normal(size=(300, 3)) + np.eye(3)[rng.integers(3, size=300)]
    _, sets = reference.predict_set(new)

    level = _least(model.predict_proba(features), truth, coverage)
    ours = model.predict_proba(new) >= level
    is_border = np.abs(model.predict_proba(new) - level) < 1e-3  # the level is stored with four decimals
    assert (ours | is_border).tolist() == (sets[:, :, 0] | is_border).tolist()
    assert 0 < ours.sum() < ours.size
